// Owns: frames that the caller brings, checked.
// Must not know: files, decoders, the pipeline.

import { loadAddon } from '../../native/addon.js'
import { callersOwn, expected, invalidOption, VideoDepthError } from '../../base/errors.js'
import type { RgbFrame, Size } from '../../base/frame.js'
import { known, checkFrameRate, type Names } from '../../base/known-options.js'
import { loadSharp } from '../../base/libraries.js'
import {
  type NativePicture,
  knownKeys,
  pictureNames,
  resolvePicture,
  rowBytes,
  type LaidOutPicture,
} from '../../base/pixel-format.js'
import { openGuarded, type FrameProducer } from './guarded-source.js'
import {
  limitedSize,
  resolveSourceOptions,
  sourceOptionNames,
  strideFor,
  type ResolvedSourceOptions,
} from './source-options.js'
import type { FrameSource, SourceInfo, SourceOptions } from './source.js'

/** A picture in any of the pixel formats, by default tightly packed RGB, whose time may be left out. */
export interface InputFrame extends LaidOutPicture {
  /** Copied before the next frame is asked for: it may be reused, resized or transferred then. */
  readonly data: Uint8Array | Uint8ClampedArray
  /** Milliseconds from the start; default: the frame's position at `frameRate`. */
  readonly timestampMs?: number | undefined
  /** As frames of live sources have it. It matters to streams alone. */
  readonly discontinuity?: boolean | undefined
}

/** Options of `fromFrames`. */
export interface FramesSourceOptions extends SourceOptions {
  /** Frames a second: for times that are left out (default 24 there), for `info` and for `targetFps`, which needs it. */
  readonly frameRate?: number
  /** For messages and output names; default `frames`. */
  readonly name?: string
}

const assumedFrameRate = 24

const frameNames: Names<InputFrame> = { ...pictureNames, timestampMs: true, discontinuity: true }

export const framesSourceOptionNames: Names<FramesSourceOptions> = { ...sourceOptionNames, frameRate: true, name: true }

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
  if (!isIterable(frames)) throw invalidOption('an iterable of frames', 'frames', frames)
  const resolved = resolveSourceOptions(options)
  const frameRate = options.frameRate === undefined ? undefined : checkFrameRate(options.frameRate)
  const producer = new IterableProducer(frames, options.name ?? 'frames', frameRate, resolved)
  return openGuarded(() => producer.start(), { signal: resolved.signal, readAhead: false })
}

function isIterable(input: unknown): boolean {
  return typeof input === 'object' && input !== null && (Symbol.asyncIterator in input || Symbol.iterator in input)
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
    const returned = Promise.resolve()
      .then(() => this.#iterator.return?.())
      .catch(() => undefined)
    if (!this.#busy) await returned
  }

  async #take(): Promise<RgbFrame | undefined> {
    if (this.#emitted === this.#options.maxLen) return undefined
    for (;;) {
      this.#busy = true
      const result = await this.#asked()
      if (result.done === true) {
        this.#ended = true
        return undefined
      }
      const position = this.#position++
      if (position % this.#stride !== 0) continue
      const frame = await this.#converted(result.value, position)
      this.#emitted++
      return limited(frame, this.#options.maxRes)
    }
  }

  /** What the caller's iterator throws is the caller's. */
  async #asked(): Promise<IteratorResult<InputFrame>> {
    try {
      return await this.#iterator.next()
    } catch (error) {
      throw callersOwn(error)
    } finally {
      this.#busy = false
    }
  }

  async #converted(frame: InputFrame, position: number): Promise<RgbFrame> {
    const picture = resolvePicture(frame, `Frame ${position}`)
    knownKeys(frame, `Frame ${position}`, frameNames)
    const { width, height } = picture
    this.#given ??= { width, height }
    const first = this.#given
    if (width !== first.width || height !== first.height)
      throw new VideoDepthError(
        'FRAME_SIZE_CHANGED',
        `Frame ${position} of ${this.#name} is ${width}×${height}, the frames before it were ${first.width}×${first.height}`,
      )
    const timestampMs = frame.timestampMs ?? (position * 1000) / (this.#frameRate ?? assumedFrameRate)
    if (!Number.isFinite(timestampMs))
      throw new VideoDepthError(
        'FRAME_INVALID',
        `Frame ${position}: ${expected('a finite number of milliseconds', 'timestampMs', timestampMs)}`,
      )
    return { data: await rgbBytes(picture), width, height, timestampMs }
  }
}

/** A copy, taken before this returns to the event loop: whose the bytes are may change them at any time. */
async function rgbBytes(picture: NativePicture): Promise<Uint8Array> {
  const { data, width, pixelFormat, strideBytes } = picture
  if (pixelFormat === 'rgb24' && strideBytes === rowBytes(pixelFormat, width)) return new Uint8Array(data)
  return loadAddon().toRgb(picture)
}

async function limited(frame: RgbFrame, maxRes: number | undefined): Promise<RgbFrame> {
  const { width, height } = limitedSize(frame.width, frame.height, maxRes)
  if (width === frame.width && height === frame.height) return frame
  const sharp = await loadSharp()
  const data = await sharp(frame.data, { raw: { width: frame.width, height: frame.height, channels: 3 } })
    .resize({ width, height, fit: 'fill', kernel: 'cubic' })
    .raw()
    .toBuffer()
  return { data, width, height, timestampMs: frame.timestampMs }
}
