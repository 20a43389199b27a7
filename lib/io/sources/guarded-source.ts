// Owns: what every FrameSource promises: single use, prompt abort, idempotent close, a read-ahead of one frame.
// Must not know: where frames come from.

import { owned, VideoDepthError } from '../../base/errors.js'
import type { RgbFrame } from '../../base/frame.js'
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
  readonly #onAbort = (): void => this.#stop(this.#options.signal?.reason)
  #iterated = false
  #ahead: Promise<F | undefined> | undefined
  #stopped: { readonly reason: unknown } | undefined
  #rejectPending: ((reason: unknown) => void) | undefined
  #closing: Promise<void> | undefined

  constructor(producer: FrameProducer<F>, options: GuardOptions) {
    this.info = producer.info
    this.#producer = producer
    this.#options = options
    options.signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  [Symbol.asyncIterator](): AsyncIterator<F> {
    if (this.#iterated) throw new VideoDepthError('CLOSED', `${this.info.name} was iterated already; open it again`)
    this.#iterated = true
    return quietIterator(this.#frames(), (error) => error === this.#stopped?.reason)
  }

  close(): Promise<void> {
    this.#stop(new VideoDepthError('CLOSED', `${this.info.name} was closed`))
    return this.#closing ?? Promise.resolve()
  }

  async *#frames(): AsyncGenerator<F, undefined> {
    try {
      for (let frame = await this.#take(); frame !== undefined; frame = await this.#take()) yield frame
      return undefined
    } finally {
      const closed = this.close()
      // After an abort the consumer is not kept waiting for a native call that is still running.
      if (this.#options.signal?.aborted !== true) await closed
    }
  }

  #take(): Promise<F | undefined> {
    return new Promise((resolve, reject) => {
      this.#rejectPending = reject
      const failed = (error: unknown): void =>
        reject(reasonOf(error, this.#options.signal, `Cannot read ${this.info.name}`))
      if (this.#stopped === undefined) this.#pull().then(resolve, failed)
      else this.#rejectPending(this.#stopped.reason)
    })
  }

  async #pull(): Promise<F | undefined> {
    const frame = await (this.#ahead ?? this.#producer.next())
    this.#ahead = undefined
    if (frame !== undefined && this.#options.readAhead && this.#stopped === undefined) {
      this.#ahead = this.#producer.next()
      // Its failure is reported by the call that takes it, and is no unhandled rejection until then.
      this.#ahead.catch(() => undefined)
    }
    return frame
  }

  #stop(reason: unknown): void {
    if (this.#closing !== undefined) return
    this.#stopped = { reason }
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    this.#rejectPending?.(reason)
    this.#closing = this.#producer.close()
    this.#closing.catch(() => undefined)
  }
}
