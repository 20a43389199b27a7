// Owns: raw frames of a fixed size out of a stream of bytes, such as a program's standard input.
// Must not know: pixel conversion, where the bytes come from, the pipeline.

import { counted } from '../../base/counted.js'
import type { Readable } from 'node:stream'
import { invalidOption, VideoDepthError } from '../../base/errors.js'
import {
  colorMatrices,
  colorRanges,
  pixelFormats,
  type ColorMatrix,
  type ColorRange,
  type PixelFormat,
} from '../../base/frame.js'
import { checkSignal, known, checkFrameRate, oneOf, type Names } from '../../base/known-options.js'
import { mostPixels, pictureBytes, type LaidOutPicture } from '../../base/pixel-format.js'
import { Lifetime } from '../../base/lifetime.js'
import { quietIterator } from '../../base/quiet-promise.js'

/** Size, layout and times of raw frames: options of `openRawFrames`. */
export interface RawFramesOptions {
  /** Pixels. */
  readonly width: number
  readonly height: number
  readonly pixelFormat: PixelFormat
  /** For `nv12` and `yuyv422`; default `bt601`. */
  readonly colorMatrix?: ColorMatrix
  /** For `nv12`, `yuyv422` and `gray8`; default `limited`, for `gray8` `full`. */
  readonly colorRange?: ColorRange
  /** Frames a second, for the times; default: each frame's time is that of its arrival. */
  readonly frameRate?: number
  /** For messages and output names; default `frames`. */
  readonly name?: string
  readonly signal?: AbortSignal
}

/** One raw frame. */
export interface RawFrame extends LaidOutPicture {
  /** As they came, without gaps between rows; owned by the receiver. */
  readonly data: Uint8Array
  readonly pixelFormat: PixelFormat
  /** From the first frame, strictly increasing. */
  readonly timestampMs: number
}

/** Single use; returning early from the loop closes it. */
export interface RawFrameSource extends AsyncIterable<RawFrame> {
  readonly info: {
    readonly name: string
    readonly width: number
    readonly height: number
    /** Undefined where it was not given. */
    readonly frameRate: number | undefined
  }
  /** Destroys the stream; a frame that is waited for rejects with CLOSED. Idempotent. */
  close(): Promise<void>
}

type FrameFormat = Pick<RawFrame, 'width' | 'height' | 'pixelFormat' | 'colorMatrix' | 'colorRange'>

const optionNames: Names<RawFramesOptions> = {
  width: true,
  height: true,
  pixelFormat: true,
  colorMatrix: true,
  colorRange: true,
  frameRate: true,
  name: true,
  signal: true,
}

/** Milliseconds added where two frames arrive at one time. */
const nudgeMs = 0.001

/**
 * Frames of `ffmpeg -f rawvideo -`, or of anything else that writes them one after another without gaps. Bytes are taken
 * from the stream only while a frame is asked for, so a slow consumer slows the writer down.
 *
 * @param input of bytes; owned from here on
 * @throws `INVALID_OPTION` at once; while iterating, after the frames that are whole, `SOURCE_EMPTY` no byte came,
 *   `SOURCE_DAMAGED` the stream ended inside a frame, `SOURCE_UNREADABLE` it failed
 */
export function openRawFrames(input: Readable, options: RawFramesOptions): RawFrameSource {
  const format = checkRawFrames(options)
  const { frameRate, name = 'frames', signal } = options
  if (input.readableObjectMode || input.readableEncoding !== null)
    throw invalidOption('a stream of bytes', 'input', input)
  return new RawFrameReader(input, format, { name, width: format.width, height: format.height, frameRate }, signal)
}

class RawFrameReader implements RawFrameSource {
  readonly info: RawFrameSource['info']
  readonly #input: Readable
  readonly #format: FrameFormat
  readonly #frameBytes: number
  readonly #life: Lifetime
  #chunks: AsyncIterator<Uint8Array> | undefined
  /** What no frame has taken yet of the last chunk. */
  #rest = new Uint8Array(0)
  #index = 0
  #firstMs: number | undefined
  #lastMs = -Infinity

  constructor(input: Readable, format: FrameFormat, info: RawFrameSource['info'], signal: AbortSignal | undefined) {
    this.info = info
    this.#input = input
    this.#format = format
    this.#frameBytes = pictureBytes(format.pixelFormat, format.width, format.height)
    // A failure is reported to whoever asks for the next frame; until then nobody listens, which would end the process.
    input.on('error', () => undefined)
    this.#life = new Lifetime(() => {
      input.destroy()
      return Promise.resolve()
    }, signal)
  }

  [Symbol.asyncIterator](): AsyncIterator<RawFrame> {
    if (this.#chunks !== undefined) throw new VideoDepthError('CLOSED', `${this.info.name} was iterated already`)
    this.#chunks = this.#input[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>
    return quietIterator(this.#frames(this.#chunks), (error) => this.#life.isEnd(error))
  }

  close(): Promise<void> {
    return this.#life.end(new VideoDepthError('CLOSED', `${this.info.name} was closed`))
  }

  async *#frames(chunks: AsyncIterator<Uint8Array>): AsyncGenerator<RawFrame, undefined> {
    try {
      for (let data = await this.#read(chunks); data !== undefined; data = await this.#read(chunks))
        yield { ...this.#format, data, timestampMs: this.#time() }
      return undefined
    } finally {
      await this.close()
    }
  }

  /** The next frame's bytes, each copied once; undefined at the end. */
  async #read(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> {
    // A frame's memory is its receiver's, so it is no part of a pool.
    const frame = Buffer.allocUnsafeSlow(this.#frameBytes)
    for (let filled = 0; filled < frame.length;) {
      if (this.#rest.length === 0) {
        const chunk = await this.#chunk(chunks)
        if (chunk === undefined) {
          this.#checkEnd(filled)
          return undefined
        }
        this.#rest = chunk
      }
      const part = this.#rest.subarray(0, frame.length - filled)
      frame.set(part, filled)
      filled += part.length
      this.#rest = this.#rest.subarray(part.length)
    }
    this.#index++
    return frame
  }

  async #chunk(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      this.#life.signal.throwIfAborted()
      const next = (await chunks.next()) as IteratorResult<Uint8Array<ArrayBuffer>, undefined>
      this.#life.signal.throwIfAborted()
      return next.value
    } catch (cause) {
      // A stream that was destroyed on purpose fails too.
      this.#life.signal.throwIfAborted()
      const reason = cause instanceof Error ? cause.message : String(cause)
      const message = `Cannot read ${this.info.name} after ${counted(this.#index, 'frame')}: ${reason}`
      throw new VideoDepthError('SOURCE_UNREADABLE', message, { cause })
    }
  }

  /** @param filled bytes of the frame that was being read */
  #checkEnd(filled: number): void {
    const { name, width, height } = this.info
    const what = `${width}×${height} ${this.#format.pixelFormat}`
    if (filled > 0)
      throw new VideoDepthError(
        'SOURCE_DAMAGED',
        `${name} ended inside frame ${this.#index}: ${this.#frameBytes - filled} of its ${this.#frameBytes} bytes (${what}) are missing`,
      )
    if (this.#index === 0)
      throw new VideoDepthError('SOURCE_EMPTY', `${name} ended before the first byte of a ${what} frame`)
  }

  /** Time of the frame that was just read. */
  #time(): number {
    const { frameRate } = this.info
    if (frameRate !== undefined) return ((this.#index - 1) * 1000) / frameRate
    const nowMs = performance.now()
    this.#firstMs ??= nowMs
    this.#lastMs = Math.max(nowMs - this.#firstMs, this.#lastMs + nudgeMs)
    return this.#lastMs
  }
}

/** @throws VideoDepthError INVALID_OPTION */
export function checkRawFrames(options: RawFramesOptions): FrameFormat {
  known(options, 'options', optionNames)
  if (options.frameRate !== undefined) checkFrameRate(options.frameRate)
  checkSignal(options.signal)
  return checkedFormat(options)
}

function checkedFormat({ width, height, pixelFormat, colorMatrix, colorRange }: RawFramesOptions): FrameFormat {
  side('width', width)
  side('height', height)
  oneOf(pixelFormat, 'pixelFormat', pixelFormats)
  if (colorMatrix !== undefined) oneOf(colorMatrix, 'colorMatrix', colorMatrices)
  if (colorRange !== undefined) oneOf(colorRange, 'colorRange', colorRanges)
  // Without gaps, the two planes of such a picture have rows of different lengths, which no stride describes.
  if (pixelFormat === 'nv12' && width % 2 === 1) throw invalidOption('an even number, for nv12,', 'width', width)
  return { width, height, pixelFormat, colorMatrix, colorRange }
}

function side(parameter: string, value: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= mostPixels) return
  throw invalidOption(`a whole number of pixels from 1 to ${mostPixels}`, parameter, value)
}
