// Owns: the times of live frames: the stream's own where they can be believed, else those of arrival.
// Must not know: FFmpeg, connections.

/** Milliseconds added where a stream repeats a time. */
const nudgeMs = 0.1
/** A step back by more than this is a new time base, not jitter. Milliseconds. */
const restartMs = 1000
/** In a live stream, a step forward by so much more than the wait for the frame is a new time base. Milliseconds. */
export const liveJumpMs = 10_000

/**
 * Strictly increasing times from 0 at the first frame. Within a connection the distances are the stream's, which arrival
 * blurs; each connection, and each new time base within one, begins at its arrival.
 */
export class LiveClock {
  readonly #jumpMs: number
  #originMs: number | undefined
  /** What the stream's times are moved by; undefined until a frame told one. */
  #offsetMs: number | undefined
  #lastMs: number | undefined
  #lastArrivalMs = 0

  /** @param jumpMs `liveJumpMs`, or Infinity for a recording, whose frames may be any time apart */
  constructor(jumpMs: number) {
    this.#jumpMs = jumpMs
  }

  /** The next frame begins a connection. */
  restart(): void {
    this.#offsetMs = undefined
  }

  /** @param streamMs the frame's own time, undefined where it has none. @param arrivalMs by a clock that never goes back */
  next(streamMs: number | undefined, arrivalMs: number): number {
    this.#originMs ??= arrivalMs
    const earliestMs = this.#lastMs === undefined ? 0 : this.#lastMs + nudgeMs
    const arrivedMs = Math.max(arrivalMs - this.#originMs, earliestMs)
    const waitedMs = arrivalMs - this.#lastArrivalMs
    this.#lastArrivalMs = arrivalMs
    this.#lastMs = streamMs === undefined ? arrivedMs : this.#place(streamMs, arrivedMs, earliestMs, waitedMs)
    return this.#lastMs
  }

  #place(streamMs: number, arrivedMs: number, earliestMs: number, waitedMs: number): number {
    if (this.#offsetMs !== undefined) {
      const timeMs = streamMs + this.#offsetMs
      const stepMs = timeMs - earliestMs
      if (stepMs >= -restartMs && stepMs <= waitedMs + this.#jumpMs) return Math.max(timeMs, earliestMs)
    }
    this.#offsetMs = arrivedMs - streamMs
    return arrivedMs
  }
}
