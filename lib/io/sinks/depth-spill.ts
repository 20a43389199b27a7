// Owns: depth frames parked on disk until all are known, for outputs that need two passes.
// Must not know: output formats.

import { open, rm, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { VideoDepthError } from '../../base/errors.js'
import type { DepthMap, DepthKind } from '../../base/frame.js'
import { makeFolder } from '../../base/make-folder.js'
import { loadAddon } from '../../native/addon.js'
import { union, type DepthRange } from './depth-range.js'
import { checkRoom } from './free-space.js'
import { outputError } from './output-errors.js'
import { temporaryBeside } from './temporary-names.js'

export interface SpillFacts {
  readonly width: number
  readonly height: number
  readonly kind: DepthKind
  readonly count: number
  /** Over all frames. */
  readonly range: DepthRange
  readonly timestampsMs: readonly number[]
}

/** Where a frame lies in the file. */
interface Place {
  readonly position: number
  readonly bytes: number
}

/** No frame takes less, whatever it shows (cpp/image/depth_packing.h). Bytes a pixel. */
export const leastBytesPerPixel = 1 / 64

/**
 * Takes 1 to 2.5 bytes of disk a pixel, beside the output; every float comes back as it was. Machines are taken to be
 * little-endian, as all that Node.js has binaries of the dependencies for.
 */
export class DepthSpill {
  readonly #output: string
  readonly #path: string
  readonly #file: FileHandle
  readonly #expectedFrames: number
  readonly #timestampsMs: number[] = []
  readonly #places: Place[] = []
  #end = 0
  #size: { readonly width: number; readonly height: number; readonly kind: DepthKind } | undefined
  #range: DepthRange = { min: Infinity, max: -Infinity }
  #closed = false
  #stopped = false

  private constructor(output: string, path: string, file: FileHandle, expectedFrames: number) {
    this.#output = output
    this.#path = path
    this.#file = file
    this.#expectedFrames = expectedFrames
  }

  /**
   * @param output the path that the frames are for: the spill lies in the same folder
   * @param expectedFrames how many will come, 0 where unknown
   */
  static async create(output: string, expectedFrames = 0): Promise<DepthSpill> {
    try {
      const path = temporaryBeside(output, 'spill')
      await makeFolder(dirname(path))
      const file = await open(path, 'wx+')
      // Without a name it goes with the process, however that ends. Windows keeps the name of an open file.
      if (process.platform !== 'win32') await rm(path)
      return new DepthSpill(output, path, file, expectedFrames)
    } catch (cause) {
      throw outputError(output, cause)
    }
  }

  /** @throws `OUTPUT_FULL`, also as soon as what is still expected surely does not fit */
  async append(frame: DepthMap): Promise<void> {
    this.#size ??= { width: frame.width, height: frame.height, kind: frame.kind }
    const { bytes, min, max } = await loadAddon().packDepth(frame.data, frame.width)
    this.#range = union(this.#range, { min, max })
    try {
      await this.#checkRoom(bytes.byteLength, frame.data.length)
      await writeAll(this.#file, bytes)
    } catch (cause) {
      throw outputError(this.#output, cause)
    }
    this.#places.push({ position: this.#end, bytes: bytes.byteLength })
    this.#end += bytes.byteLength
    this.#timestampsMs.push(frame.timestampMs)
  }

  get facts(): SpillFacts {
    if (this.#size === undefined) throw new Error('the spill holds no frame')
    return { ...this.#size, count: this.#timestampsMs.length, range: this.#range, timestampsMs: this.#timestampsMs }
  }

  /** Frame `index`, [height, width], owned by the caller. */
  async frame(index: number): Promise<Float32Array> {
    const { width, height } = this.facts
    const place = this.#places[index]
    if (place === undefined) throw new Error(`the spill holds no frame ${index}`)
    const packed = new Uint8Array(place.bytes)
    await this.#read(packed, place.position)
    return loadAddon().unpackDepth(packed, width, height)
  }

  /** All frames one after another, float32 little-endian. */
  async *bytes(): AsyncGenerator<Uint8Array, void, void> {
    for (let index = 0; index < this.facts.count; index++) yield bytesOf(await this.frame(index))
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

  async #checkRoom(frameBytes: number, pixels: number): Promise<void> {
    const toCome = Math.max(this.#expectedFrames - this.#places.length - 1, 0)
    const bytes = frameBytes + toCome * pixels * leastBytesPerPixel
    const frames = toCome > 0 ? `the next ${toCome + 1} frames` : 'the next frame'
    await checkRoom([{ path: this.#output, bytes }], ` to park the depth of ${frames} until the end`)
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
