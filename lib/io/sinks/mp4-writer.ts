// Owns: an MP4 file that gets its final name when it is whole, written by calls that wait for each other.
// Must not know: what the pictures show.

import { VideoDepthError } from '../../base/errors.js'
import { quietAtEnd } from '../../base/quiet-promise.js'
import { SerialQueue } from '../../base/serial-queue.js'
import { AtomicFile } from './atomic-output.js'
import { outputError } from './output-errors.js'
import { checkEncoderOptions, VideoEncoder, type VideoEncoderOptions } from './video-encoder.js'
import { WrittenTimes } from './written-times.js'

export interface VideoPicture {
  /** Pixels. */
  readonly width: number
  readonly height: number
  /** On any clock: counted from the first one's. */
  readonly timestampMs: number
}

/** Nothing appears under its final name before `finish()` resolves. */
export class Mp4Writer {
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

  private constructor(file: AtomicFile, options: VideoEncoderOptions) {
    this.#file = file
    this.#options = options
    this.#times = new WrittenTimes(1000 / checkEncoderOptions(options).frameRate)
  }

  static async create(path: string, options: VideoEncoderOptions): Promise<Mp4Writer> {
    checkEncoderOptions(options)
    return new Mp4Writer(await AtomicFile.create(path), options)
  }

  /**
   * All pictures have the size of the first.
   *
   * @param planes what `VideoEncoder.write` takes; its errors are the caller's, told when it is this picture's turn
   */
  write({ width, height, timestampMs }: VideoPicture, planes: Promise<Uint8Array>): Promise<void> {
    return this.#run(async () => {
      if (this.#completed) throw this.#closed()
      const picture = await planes
      this.#size ??= { width, height }
      if (width !== this.#size.width || height !== this.#size.height)
        throw new VideoDepthError(
          'FRAME_SIZE_CHANGED',
          `Expected frames of ${this.#size.width}×${this.#size.height} for ${this.#file.path}, received ${width}×${height}`,
        )
      await this.#guard(async () => {
        this.#encoder ??= await VideoEncoder.create(this.#file.temporary, width, height, this.#options)
        await this.#encoder.write(picture, this.#times.next(timestampMs))
      })
    })
  }

  /** Completes the file under its temporary name. */
  complete(): Promise<void> {
    return this.#run(() => this.#complete())
  }

  /** Resolves with the finished path. */
  finish(): Promise<string> {
    return this.#run(async () => {
      await this.#complete()
      const path = await this.#file.commit()
      this.#finished = true
      return path
    })
  }

  /** Idempotent; waits for the call that is running, and later ones reject with CLOSED. After `finish()` it does nothing. */
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
