// Owns: positional reads of one checkpoint file, and the wording of what can go wrong with them.
// Must not know: file formats, tensors.

import { open, type FileHandle } from 'node:fs/promises'
import { VideoDepthError } from '../errors.js'

/** An open file. One owner, who closes it. */
export class FileReader {
  readonly path: string
  /** Bytes. */
  readonly size: number
  readonly #handle: FileHandle

  private constructor(path: string, size: number, handle: FileHandle) {
    this.path = path
    this.size = size
    this.#handle = handle
  }

  static async open(path: string): Promise<FileReader> {
    const handle = await open(path, 'r').catch((cause: unknown) => {
      throw unreadable(path, systemReason(cause), cause)
    })
    try {
      const stat = await handle.stat()
      if (!stat.isFile()) throw unreadable(path, 'it is not a file')
      return new FileReader(path, stat.size, handle)
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  /** Reads exactly `length` bytes into memory of their own, aligned for every typed array. */
  async read(position: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    if (!Number.isSafeInteger(position) || position < 0 || length < 0 || position + length > this.size) {
      throw this.error(`it ends at byte ${this.size}, but bytes ${position} to ${position + length} are needed`)
    }
    const bytes = new Uint8Array(length)
    await this.readInto(bytes, position)
    return bytes
  }

  async readInto(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const { bytesRead } = await this.#handle
        .read(bytes, done, bytes.length - done, position + done)
        .catch((cause: unknown) => {
          throw unreadable(this.path, systemReason(cause), cause)
        })
      if (bytesRead === 0) throw this.error(`it ends before byte ${position + bytes.length}`)
      done += bytesRead
    }
  }

  error(reason: string, cause?: unknown): VideoDepthError {
    return unreadable(this.path, reason, cause)
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }
}

export function unreadable(path: string, reason: string, cause?: unknown): VideoDepthError {
  return new VideoDepthError('CHECKPOINT_UNREADABLE', `Cannot read checkpoint ${path}: ${reason}`, { cause })
}

const reasons: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'permission denied'],
  ['EISDIR', 'it is a folder'],
  ['ENOTDIR', 'part of the path is not a folder'],
])

export function systemReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return reasons.get(code) ?? error.message
}
