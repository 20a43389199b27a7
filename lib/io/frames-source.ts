// Owns: frames that the caller brings, checked.
// Must not know: files, decoders, the pipeline.

import { expected, VideoDepthError } from '../errors.js'
import type { RgbFrame } from '../frame.js'
import { known } from '../known-options.js'
import { openGuarded, type FrameProducer } from './guarded-source.js'
import {
  checkFrameRate,
  limitedSize,
  resolveSourceOptions,
  sourceOptionNames,
  strideFor,
  type ResolvedSourceOptions,
  type Size,
} from './source-options.js'
import type { FrameSource, SourceInfo, SourceOptions } from './source.js'

/** An RgbFrame whose time may be left out. */
export interface InputFrame {
  /** [height, width, 3] row-major, tightly packed RGB, 8 bits a channel. May be reused once the next frame is asked for. */
  readonly data: Uint8Array | Uint8ClampedArray
  /** Pixels. */
  readonly width: number
  readonly height: number
  /** Milliseconds from the start; default: the frame's position at `frameRate`. */
  readonly timestampMs?: number | undefined
}

export interface FramesSourceOptions extends SourceOptions {
  /** Frames a second: for times that are left out (default 24 there), for `info` and for `targetFps`, which needs it. */
  readonly frameRate?: number
  /** For messages and output names; default `frames`. */
  readonly name?: string
}

const assumedFrameRate = 24

export const framesSourceOptionNames: readonly (keyof FramesSourceOptions)[] = [
  ...sourceOptionNames,
  'frameRate',
  'name',
]

/**
 * A caller's own frames. The first one is taken at once, for `info`; after that, one is taken only when the consumer asks for it.
 *
 * @throws `SOURCE_EMPTY` no frame; `FRAME_INVALID` bytes that do not fit the size; `FRAME_SIZE_CHANGED`
 */
export async function fromFrames(
  frames: Iterable<InputFrame> | AsyncIterable<InputFrame>,
  options: FramesSourceOptions = {},
): Promise<FrameSource> {
  known(options, 'options', framesSourceOptionNames)
  const resolved = resolveSourceOptions(options)
  const frameRate = options.frameRate === undefined ? undefined : checkFrameRate(options.frameRate)
  const producer = new IterableProducer(frames, options.name ?? 'frames', frameRate, resolved)
  return openGuarded(() => producer.start(), { signal: resolved.signal, readAhead: false })
}

class IterableProducer implements FrameProducer {
  readonly #iterator: Iterator<InputFrame> | AsyncIterator<InputFrame>
  readonly #name: string
  readonly #frameRate: number | undefined
  readonly #options: ResolvedSourceOptions
  readonly #stride: number
  #given: Size | undefined
  #first: RgbFrame | undefined
  #info: SourceInfo | undefined
  #position = 0
  #emitted = 0
  #busy = false
  #ended = false

  constructor(
    frames: Iterable<InputFrame> | AsyncIterable<InputFrame>,
    name: string,
    frameRate: number | undefined,
    options: ResolvedSourceOptions,
  ) {
    this.#iterator = Symbol.asyncIterator in frames ? frames[Symbol.asyncIterator]() : frames[Symbol.iterator]()
    this.#name = name
    this.#frameRate = frameRate
    this.#options = options
    this.#stride = strideFor(frameRate, options)
  }

  /** Takes the first frame; where that fails, the caller's iterator is closed. */
  async start(): Promise<this> {
    try {
      return await this.#start()
    } catch (error) {
      await this.close().catch(() => undefined)
      throw error
    }
  }

  async #start(): Promise<this> {
    const first = await this.#take()
    if (first === undefined) throw new VideoDepthError('SOURCE_EMPTY', `${this.#name} has no frame`)
    this.#first = first
    this.#info = {
      name: this.#name,
      width: first.width,
      height: first.height,
      frameRate: this.#frameRate === undefined ? undefined : this.#frameRate / this.#stride,
      frameCount: undefined,
      frameCountExact: false,
    }
    return this
  }

  get info(): SourceInfo {
    if (this.#info === undefined) throw new Error('the source was not started')
    return this.#info
  }

  async next(): Promise<RgbFrame | undefined> {
    const first = this.#first
    this.#first = undefined
    return first ?? this.#take()
  }

  /** A caller's iterator that is busy may never answer, so it is told and not waited for. */
  async close(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    const returned = Promise.resolve(this.#iterator.return?.()).catch(() => undefined)
    if (!this.#busy) await returned
  }

  async #take(): Promise<RgbFrame | undefined> {
    if (this.#emitted === this.#options.maxLen) return undefined
    for (;;) {
      this.#busy = true
      const result = await Promise.resolve(this.#iterator.next()).finally(() => (this.#busy = false))
      if (result.done === true) {
        this.#ended = true
        return undefined
      }
      const position = this.#position++
      if (position % this.#stride !== 0) continue
      const frame = this.#checked(result.value, position)
      this.#emitted++
      return limited(frame, this.#options.maxRes)
    }
  }

  #checked(frame: InputFrame, position: number): RgbFrame {
    checkBytes(frame, position)
    const { width, height } = frame
    this.#given ??= { width, height }
    const first = this.#given
    if (width !== first.width || height !== first.height)
      throw new VideoDepthError(
        'FRAME_SIZE_CHANGED',
        `Frame ${position} of ${this.#name} is ${width}×${height}, the frames before it were ${first.width}×${first.height}`,
      )
    const timestampMs = frame.timestampMs ?? (position * 1000) / (this.#frameRate ?? assumedFrameRate)
    if (!Number.isFinite(timestampMs))
      throw invalid(position, 'a finite number of milliseconds', 'timestampMs', timestampMs)
    const { buffer, byteOffset, byteLength } = frame.data
    return { data: new Uint8Array(buffer, byteOffset, byteLength), width, height, timestampMs }
  }
}

function checkBytes(frame: unknown, position: number): asserts frame is InputFrame {
  if (typeof frame !== 'object' || frame === null)
    throw invalid(position, 'an object with data, width and height', 'frame', frame)
  const { data, width, height } = frame as Partial<Record<keyof InputFrame, unknown>>
  if (!isSide(width)) throw invalid(position, 'a whole number of pixels from 1', 'width', width)
  if (!isSide(height)) throw invalid(position, 'a whole number of pixels from 1', 'height', height)
  if (!(data instanceof Uint8Array || data instanceof Uint8ClampedArray))
    throw invalid(position, `a Uint8Array of ${width * height * 3} bytes`, 'data', data)
  if (data.byteLength !== width * height * 3)
    throw invalid(position, `${width}×${height}×3 = ${width * height * 3} bytes`, 'data', data)
}

function isSide(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1
}

function invalid(position: number, what: string, parameter: string, received: unknown): VideoDepthError {
  return new VideoDepthError('FRAME_INVALID', `Frame ${position}: ${expected(what, parameter, received)}`)
}

async function limited(frame: RgbFrame, maxRes: number | undefined): Promise<RgbFrame> {
  const { width, height } = limitedSize(frame.width, frame.height, maxRes)
  if (width === frame.width && height === frame.height) return frame
  const { default: sharp } = await import('sharp')
  const data = await sharp(frame.data, { raw: { width: frame.width, height: frame.height, channels: 3 } })
    .resize({ width, height, fit: 'fill', kernel: 'cubic' })
    .raw()
    .toBuffer()
  return { data, width, height, timestampMs: frame.timestampMs }
}
