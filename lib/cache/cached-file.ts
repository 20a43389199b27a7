// Owns: large files of the plan cache with a record beside each: writing both, and reading only what is what was written,
// by this user.
// Must not know: what the files hold.

import { createHash } from 'node:crypto'
import { chmod, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { setImmediate as breathe } from 'node:timers/promises'
import { openCacheFolder, writeAtomically } from './cache-folder.js'
import { FileReader } from './file-reader.js'
import { readRecord, recordText } from './json-record.js'

/** Hashed in one go: about two milliseconds. */
const chunkBytes = 4 * 1024 * 1024

export type Bytes = Uint8Array<ArrayBuffer>

export interface FileRecord {
  readonly bytes: number
  /** Hex. */
  readonly sha256: string
}

export interface CachedFile<Facts> {
  readonly data: Bytes
  readonly record: Facts & FileRecord
}

export async function sha256Of(data: Uint8Array): Promise<string> {
  const hash = createHash('sha256')
  for (let start = 0; start < data.length; start += chunkBytes) {
    if (start > 0) await breathe()
    hash.update(data.subarray(start, start + chunkBytes))
  }
  return hash.digest('hex')
}

/** Whatever the umask: what others may write is not read back. */
const ownerOnly = 0o600
const othersMayWrite = 0o022

/** Why others might have written a file, or into a folder; empty where only this user can, or the system does not say. */
export async function whyForeign(file: string): Promise<string> {
  const uid = process.getuid?.()
  if (uid === undefined) return ''
  const found = await stat(file).catch(() => undefined)
  if (found === undefined) return 'is not there'
  if (found.uid !== uid) return 'belongs to another user'
  return (found.mode & othersMayWrite) === 0 ? '' : 'can be written by others'
}

async function openOwnFolder(folder: string): Promise<void> {
  await openCacheFolder(folder)
  const { mode } = await stat(folder)
  // Where it is not ours that fails, and nothing in it is read back.
  if (process.getuid !== undefined && (mode & othersMayWrite) !== 0)
    await chmod(folder, mode & ~othersMayWrite).catch(() => undefined)
}

/** The record is written last: without it the file does not count. */
export async function writeCached<Facts extends object>(
  folder: string,
  name: string,
  data: Uint8Array,
  facts: Facts,
): Promise<Facts & FileRecord> {
  const record = { ...facts, bytes: data.length, sha256: await sha256Of(data) }
  await openOwnFolder(folder)
  await rm(path.join(folder, `${name}.json`), { force: true }) // of an earlier file under this name
  await writeAtomically(folder, name, (file) => file.writeFile(data), ownerOnly)
  await writeRecord(folder, `${name}.json`, record)
  return record
}

/** Undefined where there is none, others might have written it, or it is not what was written. */
export async function readCached<Facts extends object>(
  folder: string,
  name: string,
  isOurs: (record: Facts) => boolean,
): Promise<CachedFile<Facts> | undefined> {
  const record = await readOwnRecord<Facts & FileRecord>(folder, `${name}.json`)
  if (record === undefined || !isOurs(record)) return undefined
  try {
    const file = path.join(folder, name)
    if ((await whyForeign(file)) !== '') return undefined
    if ((await stat(file)).size !== record.bytes) return undefined
    const data = await readAll(file, record.bytes)
    return (await sha256Of(data)) === record.sha256 ? { data, record } : undefined
  } catch {
    return undefined
  }
}

async function readAll(file: string, bytes: number): Promise<Bytes> {
  const reader = await FileReader.open(file)
  try {
    const data = new Uint8Array(bytes)
    await reader.readInto(data, 0)
    return data
  } finally {
    await reader.close()
  }
}

/** Readable for people too. */
export async function writeRecord(folder: string, name: string, record: object): Promise<void> {
  await openOwnFolder(folder)
  await writeAtomically(folder, name, (file) => file.writeFile(recordText(record)), ownerOnly)
}

/** Undefined where there is none that can be read, or others might have written it. */
export async function readOwnRecord<T extends object>(folder: string, name: string): Promise<T | undefined> {
  const isOwn = (await whyForeign(folder)) === '' && (await whyForeign(path.join(folder, name))) === ''
  return isOwn ? readRecord<T>(folder, name) : undefined
}
