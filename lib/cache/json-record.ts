// Owns: small records that the cache keeps as JSON: a name that belongs to some facts alone, writing one, reading one back.
// Must not know: what a record says, whether it may be believed.

import { createHash } from 'node:crypto'
import path from 'node:path'
import { readWhole } from '../base/read-file.js'

/** Far above any record. */
const mostBytes = 1024 * 1024

/** File name of what belongs to these facts and to nothing else. */
export function hashName(facts: unknown): string {
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 32)
}

/** Undefined where there is none that can be read. */
export async function readRecord<T extends object>(folder: string, name: string): Promise<T | undefined> {
  try {
    const record: unknown = JSON.parse((await readWhole(path.join(folder, name), mostBytes)).toString('utf8'))
    return typeof record === 'object' && record !== null && !Array.isArray(record) ? (record as T) : undefined
  } catch {
    return undefined
  }
}

/** Readable for people too. */
export function recordText(record: object): string {
  return `${JSON.stringify(record, undefined, 2)}\n`
}

/** With a checksum: for records from which wrong depth would follow if a digit changed. */
export function sealedText(record: object): string {
  return recordText({ ...record, seal: hashName(record) })
}

/** Undefined where there is none that is what {@link sealedText} gave. */
export async function readSealed<T extends object>(folder: string, name: string): Promise<T | undefined> {
  const { seal, ...record } = (await readRecord<{ seal?: unknown }>(folder, name)) ?? {}
  return seal === hashName(record) ? (record as T) : undefined
}
