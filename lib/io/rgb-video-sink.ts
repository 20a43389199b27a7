// Owns: the frames themselves as a video, upstream's `…_src.mp4`.
// Must not know: depth.

import type { RgbFrame } from '../frame.js'
import { VideoDepthError } from '../errors.js'
import { AtomicFile } from './atomic-output.js'
import { outputError } from './output-errors.js'
import { checkEncoderOptions, VideoEncoder, type VideoEncoderOptions } from './video-encoder.js'

/** As `DepthSink`, for RGB: nothing appears under its final name before `finish()` resolves. Calls do not overlap. */
export interface RgbVideoWriter {
  /** All frames have the size of the first. The data is copied before the promise is returned. */
  write(frame: RgbFrame): Promise<void>
  /** Resolves with the finished path. */
  finish(): Promise<string>
  /** Idempotent; after `finish()` it does nothing. Not while another call is running. */
  abort(): Promise<void>
}

/** `finish()` in two steps, for outputs that get their final names together. */
export interface TwoStepVideoWriter extends RgbVideoWriter {
  /** Completes the file under its temporary name. */
  complete(): Promise<void>
}

/** H.264 MP4, see `VideoEncoder`; each frame keeps its time. */
export async function rgbVideoWriter(path: string, options: VideoEncoderOptions = {}): Promise<TwoStepVideoWriter> {
  checkEncoderOptions(options)
  return new Mp4Writer(await AtomicFile.create(path), options)
}

class Mp4Writer implements TwoStepVideoWriter {
  readonly #file: AtomicFile
  readonly #options: VideoEncoderOptions
  #encoder: VideoEncoder | undefined
  #size: { readonly width: number; readonly height: number } | undefined
  #completed = false
  #ended = false

  constructor(file: AtomicFile, options: VideoEncoderOptions) {
    this.#file = file
    this.#options = options
  }

  async write({ data, width, height, timestampMs }: RgbFrame): Promise<void> {
    if (this.#ended || this.#completed) throw new VideoDepthError('CLOSED', `${this.#file.path} is finished`)
    this.#size ??= { width, height }
    if (width !== this.#size.width || height !== this.#size.height)
      throw new VideoDepthError(
        'FRAME_SIZE_CHANGED',
        `Expected frames of ${this.#size.width}×${this.#size.height} for ${this.#file.path}, received ${width}×${height}`,
      )
    await this.#guard(async () => {
      this.#encoder ??= await VideoEncoder.create(this.#file.temporary, width, height, this.#options)
      await this.#encoder.write(data, width, height, timestampMs)
    })
  }

  async complete(): Promise<void> {
    const encoder = this.#encoder
    if (this.#ended) throw new VideoDepthError('CLOSED', `${this.#file.path} is finished`)
    if (encoder === undefined) throw new VideoDepthError('SOURCE_EMPTY', `${this.#file.path} received no frame`)
    if (this.#completed) return
    await this.#guard(() => encoder.finish())
    this.#completed = true
  }

  async finish(): Promise<string> {
    await this.complete()
    const path = await this.#file.commit()
    this.#ended = true
    return path
  }

  async abort(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    await this.#encoder?.free()
    await this.#file.discard()
  }

  /** Errors name the final path, not the temporary one. */
  async #guard<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action()
    } catch (cause) {
      throw outputError(this.#file.path, cause)
    }
  }
}
