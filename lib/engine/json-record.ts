// Owns: small records that the cache keeps as JSON: a name that belongs to some facts alone, and reading one back.
// Must not know: what a record says, whether it may be believed.

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'

/** File name of what belongs to these facts and to nothing else. */
export function hashName(facts: unknown): string {
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 32)
}

/** Undefined where there is none that can be read. */
export async function readRecord<T extends object>(folder: string, name: string): Promise<T | undefined> {
  try {
    const record: unknown = JSON.parse(await readFile(path.join(folder, name), 'utf8'))
    return typeof record === 'object' && record !== null ? (record as T) : undefined
  } catch {
    return undefined
  }
}

/** Readable for people too. */
export function recordText(record: object): string {
  return `${JSON.stringify(record, undefined, 2)}\n`
}
