// Owns: what every DepthSink promises: order of calls, one size for all frames, failures that stick, safe abort.
// Must not know: file formats.

import { expected, VideoDepthError } from '../../base/errors.js'
import type { DepthMap } from '../../base/frame.js'
import { Lifetime } from '../../base/lifetime.js'
import { quietAtEnd } from '../../base/quiet-promise.js'
import { SerialQueue } from '../../base/serial-queue.js'
import { outputError } from './output-errors.js'
import type { DepthSink } from './sink.js'

/** The plain part of a sink. No two calls overlap. */
export interface SinkSteps {
  write(frame: DepthMap): Promise<void>
  /** After at least one frame. */
  finish(): Promise<readonly string[]>
  /** Makes a running `finish` fail soon; called on abort, also while another call runs. */
  stop?(): void
  /** Removes everything temporary; called once, after a failure or an abort, unless `finish` succeeded. */
  discard(): Promise<void>
}

/** @param name for messages: what is written */
export function guardedSink(name: string, steps: SinkSteps): DepthSink {
  return new GuardedSink(name, steps)
}

class GuardedSink implements DepthSink {
  readonly #name: string
  readonly #steps: SinkSteps
  #first: DepthMap | undefined
  #finished: readonly string[] | undefined
  readonly #queue = new SerialQueue()
  /** Ends with the first failure; a second one, or an abort, changes nothing. */
  readonly #life = new Lifetime(() => this.#queue.run(() => this.#discard()))

  constructor(name: string, steps: SinkSteps) {
    this.#name = name
    this.#steps = steps
  }

  /** The values are copied before this returns: files are written by threads that JavaScript cannot stop. */
  write(frame: DepthMap): Promise<void> {
    let own: DepthMap
    try {
      own = { ...frame, data: new Float32Array(frame.data) }
    } catch (error) {
      return this.#run(() => Promise.reject(error as Error))
    }
    return this.#run(async () => {
      if (this.#finished !== undefined) throw new VideoDepthError('CLOSED', `${this.#name} is finished`)
      this.#check(own)
      await this.#steps.write(own)
    })
  }

  finish(): Promise<readonly string[]> {
    return this.#run(async () => {
      if (this.#finished !== undefined) return this.#finished
      if (this.#first === undefined) throw new VideoDepthError('SOURCE_EMPTY', `${this.#name} received no frame`)
      this.#finished = await this.#steps.finish()
      return this.#finished
    })
  }

  abort(): Promise<void> {
    this.#steps.stop?.()
    return this.#life.end(new VideoDepthError('CLOSED', `${this.#name} was aborted`))
  }

  async #discard(): Promise<void> {
    if (this.#finished === undefined) await this.#steps.discard()
  }

  #run<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#queue.run(async () => {
      if (this.#finished === undefined) this.#life.signal.throwIfAborted()
      try {
        return await action()
      } catch (cause) {
        const error = outputError(this.#name, cause)
        this.#life.end(error).catch(() => undefined) // who aborts is told
        throw error
      }
    })
    return quietAtEnd(result)
  }

  #check(frame: DepthMap): void {
    const { width, height, data, timestampMs } = frame
    if (!Number.isFinite(timestampMs))
      throw new VideoDepthError(
        'FRAME_INVALID',
        expected('a finite number of milliseconds', `timestampMs of depth frame ${frame.index}`, timestampMs),
      )
    if (data.length !== width * height)
      throw new VideoDepthError(
        'FRAME_INVALID',
        expected(`${width}×${height} values`, `depth frame ${frame.index}`, data),
      )
    // The data is not kept: only the facts of the first frame are.
    this.#first ??= { ...frame, data: new Float32Array(0) }
    const first = this.#first
    if (width !== first.width || height !== first.height || frame.kind !== first.kind)
      throw new VideoDepthError(
        'FRAME_SIZE_CHANGED',
        `Depth frame ${frame.index} is ${width}×${height} ${frame.kind}, the frames before it were ${first.width}×${first.height} ${first.kind}`,
      )
  }
}
