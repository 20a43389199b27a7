// Owns: when the frames of a recording are due, so that it is played as a camera would film it.
// Must not know: clocks, where frames come from.

/** Frames come no earlier than a camera's would. */
export class Pacer {
  readonly #mostMs: number
  /** When time 0 was, or would have been. Milliseconds. */
  #originMs: number | undefined

  /** @param mostMs longest wait; times that jump by more go on from there */
  constructor(mostMs: number) {
    this.#mostMs = mostMs
  }

  /** Milliseconds until the frame is due. @param nowMs by a clock that never goes back */
  waitMs(timestampMs: number, nowMs: number): number {
    this.#originMs ??= nowMs - timestampMs
    const waitMs = Math.max(0, this.#originMs + timestampMs - nowMs)
    if (waitMs <= this.#mostMs) return waitMs
    this.#originMs = nowMs + this.#mostMs - timestampMs
    return this.#mostMs
  }
}
