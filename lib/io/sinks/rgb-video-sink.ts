// Owns: the frames themselves as a video, upstream's `…_src.mp4`.
// Must not know: depth.

import type { RgbFrame } from '../../base/frame.js'
import { expected, VideoDepthError } from '../../base/errors.js'
import { checkPath, known } from '../../base/known-options.js'
import { resolvePicture } from '../../base/pixel-format.js'
import { quietAtEnd } from '../../base/quiet-promise.js'
import { SerialQueue } from '../../base/serial-queue.js'
import { AtomicFile } from './atomic-output.js'
import { outputError } from './output-errors.js'
import { checkEncoderOptions, VideoEncoder, type VideoEncoderOptions } from './video-encoder.js'
import { WrittenTimes } from './written-times.js'

/** As `DepthSink`, for RGB: nothing appears under its final name before `finish()` resolves. Calls that overlap wait for each other. */
export interface RgbVideoWriter {
  /** All frames have the size of the first. The data is copied before the promise is returned. */
  write(frame: RgbFrame): Promise<void>
  /** Resolves with the finished path. */
  finish(): Promise<string>
  /** Idempotent; waits for the call that is running, and later ones reject with CLOSED. After `finish()` it does nothing. */
  abort(): Promise<void>
}

/** `finish()` in two steps, for outputs that get their final names together. */
export interface TwoStepVideoWriter extends RgbVideoWriter {
  /** Completes the file under its temporary name. */
  complete(): Promise<void>
}

/** H.264 MP4, see `VideoEncoder`; each frame keeps its time, counted from the first, so that any clock will do. */
export async function rgbVideoWriter(path: string, options: VideoEncoderOptions = {}): Promise<TwoStepVideoWriter> {
  known(options, 'options', { frameRate: true, crf: true })
  checkEncoderOptions(options)
  checkPath(path, 'path')
  return new Mp4Writer(await AtomicFile.create(path), options)
}

/** @throws VideoDepthError FRAME_INVALID */
function checkRgb(data: Uint8Array, frame: RgbFrame): void {
  const { width, height, timestampMs } = frame
  resolvePicture({ data, width, height }, 'A frame of a video')
  if (!Number.isFinite(timestampMs))
    throw new VideoDepthError('FRAME_INVALID', expected('a finite number of milliseconds', 'timestampMs', timestampMs))
}

class Mp4Writer implements TwoStepVideoWriter {
  readonly #file: AtomicFile
  readonly #options: VideoEncoderOptions
  readonly #times: WrittenTimes
  #encoder: VideoEncoder | undefined
  #size: { readonly width: number; readonly height: number } | undefined
  #completed = false
  #finished = false
  #failure: VideoDepthError | undefined
  #aborting: Promise<void> | undefined
  /** The encoder works on other threads and must not be freed under them. */
  readonly #queue = new SerialQueue()

  constructor(file: AtomicFile, options: VideoEncoderOptions) {
    this.#file = file
    this.#options = options
    this.#times = new WrittenTimes(1000 / checkEncoderOptions(options).frameRate)
  }

  write(frame: RgbFrame): Promise<void> {
    const copy = new Uint8Array(frame.data)
    return this.#run(async () => {
      if (this.#completed) throw this.#closed()
      const { width, height, timestampMs } = frame
      checkRgb(copy, frame)
      this.#size ??= { width, height }
      if (width !== this.#size.width || height !== this.#size.height)
        throw new VideoDepthError(
          'FRAME_SIZE_CHANGED',
          `Expected frames of ${this.#size.width}×${this.#size.height} for ${this.#file.path}, received ${width}×${height}`,
        )
      await this.#guard(async () => {
        this.#encoder ??= await VideoEncoder.create(this.#file.temporary, width, height, this.#options)
        await this.#encoder.write(copy, width, height, this.#times.next(timestampMs))
      })
    })
  }

  complete(): Promise<void> {
    return this.#run(() => this.#complete())
  }

  finish(): Promise<string> {
    return this.#run(async () => {
      await this.#complete()
      const path = await this.#file.commit()
      this.#finished = true
      return path
    })
  }

  abort(): Promise<void> {
    this.#aborting ??= this.#queue.run(() => (this.#finished ? undefined : this.#remove()))
    return this.#aborting
  }

  async #complete(): Promise<void> {
    if (this.#completed) return
    const encoder = this.#encoder
    if (encoder === undefined) throw new VideoDepthError('SOURCE_EMPTY', `${this.#file.path} received no frame`)
    await this.#guard(() => encoder.finish())
    this.#completed = true
  }

  async #remove(): Promise<void> {
    try {
      await this.#encoder?.free()
    } finally {
      await this.#file.discard()
    }
  }

  #run<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#queue.run(() => {
      if (this.#aborting !== undefined || this.#finished) throw this.#closed()
      if (this.#failure !== undefined) throw this.#failure
      return action()
    })
    return quietAtEnd(result)
  }

  #closed(): VideoDepthError {
    return new VideoDepthError('CLOSED', `${this.#file.path} is ${this.#finished ? 'finished' : 'closed'}`)
  }

  /** Errors name the final path, not the temporary one; after one the file is beyond repair, so it sticks. */
  async #guard<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action()
    } catch (cause) {
      this.#failure = outputError(this.#file.path, cause)
      throw this.#failure
    }
  }
}
