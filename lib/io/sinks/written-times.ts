// Owns: the times that frames have in a written video, from whatever clock they were given by.
// Must not know: encoders, files.

/**
 * A longer step, or one further back, is a clock that was set, as when a machine learns the time after its start.
 * Milliseconds.
 */
const mostGapMs = 3_600_000
const mostBackMs = 1000

/** From 0 at the first frame, be that the year 1970 or a camera's start; steps are kept, except those of a clock that was set. */
export class WrittenTimes {
  readonly #intervalMs: number
  /** The given time of the video's time 0. */
  #originMs: number | undefined
  #lastMs = 0

  /** @param intervalMs nominal time between two frames, which takes the place of such a step */
  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs
  }

  /** @param timestampMs finite */
  next(timestampMs: number): number {
    this.#originMs ??= timestampMs
    const step = timestampMs - this.#originMs - this.#lastMs
    if (step > mostGapMs || step < -mostBackMs) this.#originMs = timestampMs - this.#lastMs - this.#intervalMs
    this.#lastMs = timestampMs - this.#originMs
    return this.#lastMs
  }
}
