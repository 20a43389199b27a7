// Owns: what every FrameSource promises: single use, prompt abort, idempotent close, a read-ahead of one frame.
// Must not know: where frames come from.

import { owned, VideoDepthError } from '../../base/errors.js'
import type { RgbFrame } from '../../base/frame.js'
import { Lifetime } from '../../base/lifetime.js'
import { quietIterator } from '../../base/quiet-promise.js'
import { unlessAborted } from '../../base/unless-aborted.js'
import type { FrameSource, SourceInfo } from './source.js'

/** The plain part of a source. */
export interface FrameProducer<F extends RgbFrame = RgbFrame> {
  readonly info: SourceInfo
  /** The next frame; undefined at the end. Never called while an earlier call is running. */
  next(): Promise<F | undefined>
  /** Called once, possibly while `next()` is running: waits for it where what it uses is about to be freed. */
  close(): Promise<void>
}

export interface GuardOptions {
  readonly signal: AbortSignal | undefined
  /** True: the next frame is produced while the consumer works on the present one. */
  readonly readAhead: boolean
}

/** Opens a producer and guards it; an abort while it opens rejects at once and closes it when it is there. */
export async function openGuarded<F extends RgbFrame>(
  open: () => Promise<FrameProducer<F>>,
  options: GuardOptions,
): Promise<FrameSource<F>> {
  options.signal?.throwIfAborted()
  const opening = open()
  try {
    return new GuardedSource(await unlessAborted(opening, options.signal), options)
  } catch (error) {
    void opening.then((producer) => producer.close()).catch(() => undefined)
    throw reasonOf(error, options.signal, 'The source cannot be opened')
  }
}

/** An abort's reason is the caller's, and may be anything, for all that its type says. */
function reasonOf(error: unknown, signal: AbortSignal | undefined, doing: string): Error {
  const reason = signal?.aborted === true && error === signal.reason ? error : owned(error, 'SOURCE_UNREADABLE', doing)
  return reason as Error
}

class GuardedSource<F extends RgbFrame> implements FrameSource<F> {
  readonly info: SourceInfo
  readonly #producer: FrameProducer<F>
  readonly #options: GuardOptions
  #iterated = false
  #ahead: Promise<F | undefined> | undefined
  readonly #life: Lifetime

  constructor(producer: FrameProducer<F>, options: GuardOptions) {
    this.info = producer.info
    this.#producer = producer
    this.#options = options
    this.#life = new Lifetime(() => this.#producer.close(), options.signal)
  }

  [Symbol.asyncIterator](): AsyncIterator<F> {
    if (this.#iterated) throw new VideoDepthError('CLOSED', `${this.info.name} was iterated already; open it again`)
    this.#iterated = true
    return quietIterator(this.#frames(), (error) => this.#life.isEnd(error))
  }

  close(): Promise<void> {
    return this.#life.end(new VideoDepthError('CLOSED', `${this.info.name} was closed`))
  }

  async *#frames(): AsyncGenerator<F, undefined> {
    try {
      for (let frame = await this.#take(); frame !== undefined; frame = await this.#take()) yield frame
      return undefined
    } finally {
      const closed = this.close()
      // After an abort the consumer is not kept waiting for a native call that is still running.
      if (this.#options.signal?.aborted !== true) await closed
      else closed.catch(() => undefined)
    }
  }

  async #take(): Promise<F | undefined> {
    const { signal } = this.#life
    signal.throwIfAborted()
    try {
      return await unlessAborted(this.#pull(), signal)
    } catch (error) {
      throw reasonOf(error, signal, `Cannot read ${this.info.name}`)
    }
  }

  async #pull(): Promise<F | undefined> {
    const frame = await (this.#ahead ?? this.#producer.next())
    this.#ahead = undefined
    if (frame !== undefined && this.#options.readAhead && !this.#life.signal.aborted) {
      this.#ahead = this.#producer.next()
      // Its failure is reported by the call that takes it, and is no unhandled rejection until then.
      this.#ahead.catch(() => undefined)
    }
    return frame
  }
}
