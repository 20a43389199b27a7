// Owns: positional reads of one checkpoint file, and the wording of what can go wrong with them.
// Must not know: file formats, tensors.

import type { FileHandle } from 'node:fs/promises'
import { VideoDepthError } from '../base/errors.js'
import { openRegular, readExactly } from '../base/read-file.js'

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
    const { handle, size } = await openRegular(path).catch((cause: unknown) => {
      throw unreadable(path, systemReason(cause), cause)
    })
    return new FileReader(path, size, handle)
  }

  /** Reads exactly `length` bytes into memory of their own, aligned for every typed array. */
  async read(position: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    if (!Number.isSafeInteger(position) || position < 0 || !(length >= 0) || !(position + length <= this.size)) {
      throw this.error(`it ends at byte ${this.size}, but bytes ${position} to ${position + length} are needed`)
    }
    const bytes = this.#allocate(length)
    await this.readInto(bytes, position)
    return bytes
  }

  async readInto(bytes: Uint8Array, position: number): Promise<void> {
    await readExactly(this.#handle, bytes, position).catch((cause: unknown) => {
      throw this.error(systemReason(cause), cause)
    })
  }

  #allocate(length: number): Uint8Array<ArrayBuffer> {
    try {
      return new Uint8Array(length)
    } catch (cause) {
      throw this.error(`there is not enough memory for ${length} bytes of it`, cause)
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
