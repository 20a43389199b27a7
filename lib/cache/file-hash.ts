// Owns: the SHA-256 of large files, remembered so that an unchanged file is not read again.
// Must not know: what the files hold, what is cached under a hash.

import { createHash } from 'node:crypto'
import { realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { FileReader, systemReason, unreadable } from './file-reader.js'
import { openCacheFolder, writeAtomically } from './cache-folder.js'
import { readRecord } from './json-record.js'

/** Changes with every write to the file. Decimal strings: they exceed 2^53. */
export interface FileIdentity {
  readonly path: string
  readonly size: string
  readonly mtimeNs: string
  readonly inode: string
}

/** Where a hash is remembered: a small JSON file. */
export interface HashRecord {
  readonly folder: string
  readonly name: string
}

const chunkBytes = 4 * 1024 * 1024

/** Follows links. */
export async function fileIdentity(file: string): Promise<FileIdentity> {
  try {
    const real = await realpath(file)
    const { size, mtimeNs, ino } = await stat(real, { bigint: true })
    return { path: real, size: String(size), mtimeNs: String(mtimeNs), inode: String(ino) }
  } catch (error) {
    throw unreadable(file, systemReason(error), error)
  }
}

export function sameIdentity(a: FileIdentity, b: FileIdentity): boolean {
  return a.path === b.path && a.size === b.size && a.mtimeNs === b.mtimeNs && a.inode === b.inode
}

/** One record for each path, so that what is remembered does not grow with the writes to a file. */
export function checkpointRecord(cacheDir: string, { path: real }: FileIdentity): HashRecord {
  const name = `${createHash('sha256').update(real).digest('hex').slice(0, 32)}.json`
  return { folder: path.join(cacheDir, 'checkpoints'), name }
}

export interface HashOptions {
  readonly signal?: AbortSignal | undefined
  /** @param fraction 0…1; not called where the hash was remembered */
  readonly onProgress?: ((fraction: number) => void) | undefined
}

/** Hex. Reads the file only where no hash is remembered for this identity. */
export async function fileHash(identity: FileIdentity, record: HashRecord, options: HashOptions): Promise<string> {
  const remembered = await recallHash(identity, record)
  if (remembered !== undefined) return remembered
  const sha256 = await readHash(identity.path, options)
  await rememberHash(identity, record, sha256)
  return sha256
}

/** Best effort: a cache that cannot be written costs another reading of the file, not the call. */
export async function rememberHash(identity: FileIdentity, record: HashRecord, sha256: string): Promise<void> {
  try {
    await openCacheFolder(record.folder)
    const content = JSON.stringify({ ...identity, sha256 })
    await writeAtomically(record.folder, record.name, (file) => file.writeFile(content))
  } catch {
    // What follows needs the hash, not its record; where it has to write, that fails with the reason.
  }
}

/** Undefined where the record is absent or damaged: the file is hashed again. */
async function recallHash(identity: FileIdentity, { folder, name }: HashRecord): Promise<string | undefined> {
  const record = await readRecord<Partial<FileIdentity & { sha256: string }>>(folder, name)
  const { path: real = '', size = '', mtimeNs = '', inode = '', sha256 = '' } = record ?? {}
  const isOurs = sameIdentity(identity, { path: real, size, mtimeNs, inode })
  return isOurs && typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256) ? sha256 : undefined
}

async function readHash(file: string, { signal, onProgress }: HashOptions): Promise<string> {
  const reader = await FileReader.open(file)
  try {
    const hash = createHash('sha256')
    const chunk = new Uint8Array(chunkBytes)
    for (let position = 0; position < reader.size; position += chunkBytes) {
      signal?.throwIfAborted()
      const part = chunk.subarray(0, Math.min(chunkBytes, reader.size - position))
      await reader.readInto(part, position)
      hash.update(part)
      onProgress?.((position + part.length) / reader.size)
    }
    return hash.digest('hex')
  } finally {
    await reader.close()
  }
}
