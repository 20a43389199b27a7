// Owns: depth frames parked on disk until all are known, for outputs that need two passes.
// Must not know: output formats.

import { open, rm, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { VideoDepthError } from '../errors.js'
import type { DepthMap, DepthKind } from '../frame.js'
import { makeFolder } from '../make-folder.js'
import { besides } from './atomic-output.js'
import { rangeOf, union, type DepthRange } from './depth-range.js'
import { outputError } from './output-errors.js'

/** Bytes a read of `bytes()`. */
const chunkBytes = 1 << 20

export interface SpillFacts {
  readonly width: number
  readonly height: number
  readonly kind: DepthKind
  readonly count: number
  /** Over all frames. */
  readonly range: DepthRange
  readonly timestampsMs: readonly number[]
}

/** Takes 4 · width · height bytes of disk a frame, beside the output. Machines are taken to be little-endian, as all that Node.js has binaries of the dependencies for. */
export class DepthSpill {
  readonly #output: string
  readonly #path: string
  readonly #file: FileHandle
  readonly #timestampsMs: number[] = []
  #size: { readonly width: number; readonly height: number; readonly kind: DepthKind } | undefined
  #range: DepthRange = { min: Infinity, max: -Infinity }
  #closed = false
  #stopped = false

  private constructor(output: string, path: string, file: FileHandle) {
    this.#output = output
    this.#path = path
    this.#file = file
  }

  /** @param output the path that the frames are for: the spill lies in the same folder */
  static async create(output: string): Promise<DepthSpill> {
    const path = besides(output, 'spill')
    try {
      await makeFolder(dirname(path))
      const file = await open(path, 'wx+')
      // Without a name it goes with the process, however that ends. Windows keeps the name of an open file.
      if (process.platform !== 'win32') await rm(path)
      return new DepthSpill(output, path, file)
    } catch (cause) {
      throw outputError(output, cause)
    }
  }

  async append(frame: DepthMap): Promise<void> {
    this.#size ??= { width: frame.width, height: frame.height, kind: frame.kind }
    this.#range = union(this.#range, await rangeOf(frame.data))
    await writeAll(this.#file, bytesOf(frame.data)).catch((cause: unknown) => {
      throw outputError(this.#output, cause)
    })
    this.#timestampsMs.push(frame.timestampMs)
  }

  get facts(): SpillFacts {
    if (this.#size === undefined) throw new Error('the spill holds no frame')
    return { ...this.#size, count: this.#timestampsMs.length, range: this.#range, timestampsMs: this.#timestampsMs }
  }

  /** Frame `index`, [height, width], owned by the caller. */
  async frame(index: number): Promise<Float32Array> {
    const { width, height } = this.facts
    const data = new Float32Array(width * height)
    await this.#read(bytesOf(data), index * data.byteLength)
    return data
  }

  /** All frames one after another, float32 little-endian. */
  async *bytes(): AsyncGenerator<Uint8Array, void, void> {
    const { width, height, count } = this.facts
    const total = count * width * height * Float32Array.BYTES_PER_ELEMENT
    for (let position = 0; position < total; position += chunkBytes) {
      const chunk = new Uint8Array(Math.min(chunkBytes, total - position))
      await this.#read(chunk, position)
      yield chunk
    }
  }

  /** Makes reads fail from now on, so that a second pass that is under way ends soon. */
  stop(): void {
    this.#stopped = true
  }

  async dispose(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#file.close()
    await rm(this.#path, { force: true })
  }

  async #read(target: Uint8Array, position: number): Promise<void> {
    if (this.#stopped) throw new VideoDepthError('CLOSED', `${this.#output} was aborted`)
    for (let done = 0; done < target.byteLength;) {
      const { bytesRead } = await this.#file.read(target, done, target.byteLength - done, position + done)
      if (bytesRead === 0) throw outputError(this.#output, new Error(`its temporary file ${this.#path} was cut short`))
      done += bytesRead
    }
  }
}

export function bytesOf(data: Float32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

/** A single `write` may write less than it was given, on a full disk above all. */
export async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.byteLength;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.byteLength - done)
    done += bytesWritten
  }
}
