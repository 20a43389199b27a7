// Owns: strictly increasing frame times from whatever times a video carries.
// Must not know: FFmpeg, files.

/** Milliseconds added where a video repeats a time. */
const nudgeMs = 0.1
/** A step back by more than this is a new time base (joined recordings), not jitter. Milliseconds. */
const restartMs = 1000

/** Times from 0 at the first frame; gaps are kept; missing times are interpolated from the frame rate. */
export class Timeline {
  readonly #intervalMs: number
  #originMs: number | undefined
  #lastMs: number | undefined

  /** @param intervalMs nominal time between two frames */
  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs
  }

  /** @param presentationMs the frame's own time, undefined where it has none */
  next(presentationMs: number | undefined): number {
    const expectedMs = this.#lastMs === undefined ? 0 : this.#lastMs + this.#intervalMs
    this.#lastMs = presentationMs === undefined ? expectedMs : this.#place(presentationMs, expectedMs)
    return this.#lastMs
  }

  #place(presentationMs: number, expectedMs: number): number {
    this.#originMs ??= presentationMs - expectedMs
    const timeMs = presentationMs - this.#originMs
    if (this.#lastMs === undefined || timeMs > this.#lastMs) return timeMs
    if (this.#lastMs - timeMs <= restartMs) return this.#lastMs + nudgeMs
    this.#originMs = presentationMs - expectedMs
    return expectedMs
  }
}
