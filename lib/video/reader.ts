// Owns: reading a source's frames one by one: how long that takes, how it ends, and which frame begins a scene.
// Must not know: engines, windows, what becomes of a frame.

import type { CutDecision, CutDetector } from '../cuts/cut-detector.js'
import { callersOwn } from '../base/errors.js'
import type { RgbFrame } from '../base/frame.js'
import type { FrameSource, SourceInfo } from '../io/sources/source.js'
import { rgbPicture } from '../base/pixel-format.js'
import { openUnlessAborted, unlessAborted } from '../base/unless-aborted.js'

export interface ReadFrame {
  readonly frame: RgbFrame
  /** Whether it begins a scene. */
  readonly decision: CutDecision
}

const undecided: CutDecision = { cut: false, contentScore: undefined }

/** An abort of the signal makes what is waited for reject with its reason. */
export class FrameReader {
  readonly #detector: CutDetector | undefined
  readonly #signal: AbortSignal
  #source: FrameSource | undefined
  #iterator: AsyncIterator<RgbFrame> | undefined
  #reading = false
  #seconds = 0
  #ended = false
  #failure: { readonly error: unknown } | undefined

  constructor(detector: CutDetector | undefined, signal: AbortSignal) {
    this.#detector = detector
    this.#signal = signal
  }

  /** Undefined until it is open. */
  get info(): SourceInfo | undefined {
    return this.#source?.info
  }

  /** Spent in reading so far, waiting for the source included. */
  get seconds(): number {
    return this.#seconds
  }

  /** Why the source ended early; undefined where it did not. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure
  }

  async open(opening: Promise<FrameSource>): Promise<void> {
    this.#source = await openUnlessAborted(opening, this.#signal)
    this.#iterator = this.#source[Symbol.asyncIterator]()
  }

  /** Undefined at the end, also at an early one. */
  async next(): Promise<ReadFrame | undefined> {
    if (this.#ended) return undefined
    const frame = await this.#read()
    if (frame === undefined) return undefined
    const decision = await this.#detector?.next(rgbPicture(frame))
    this.#signal.throwIfAborted()
    return { frame, decision: decision ?? undecided }
  }

  /** No more frames: they cannot be used. */
  end(error: unknown): void {
    this.#ended = true
    this.#failure = { error }
  }

  async close(): Promise<void> {
    await this.#source?.close()
    // A generator that is stuck in its own await would never answer.
    if (!this.#reading) await this.#iterator?.return?.()
  }

  async #read(): Promise<RgbFrame | undefined> {
    this.#signal.throwIfAborted()
    const started = performance.now()
    this.#reading = true
    try {
      const result = await unlessAborted(Promise.resolve(this.#iterator?.next()), this.#signal)
      if (result?.done === false) return result.value
      this.#ended = true
    } catch (error) {
      this.#signal.throwIfAborted()
      this.end(callersOwn(error)) // our own sources throw our own errors
    } finally {
      this.#seconds += (performance.now() - started) / 1000
      this.#reading = this.#signal.aborted
    }
    return undefined
  }
}
