// Owns: strictly increasing frame times from whatever times a video carries.
// Must not know: FFmpeg, files.

/** Milliseconds added where a video repeats a time. */
const nudgeMs = 0.1
/** A step back by more than this is a new time base (joined recordings), not jitter. Milliseconds. */
const restartMs = 1000
/** Where a container's clock may jump, so is a step forward by more than this. Milliseconds. */
const mostStepMs = 10_000
/** Times that are rounded to ticks of at most this share of a frame are taken for what was rounded. */
const coarsestTick = 0.25

export interface TimelineOptions {
  /** Nominal time between two frames, milliseconds. */
  readonly intervalMs: number
  /** What stored times are rounded to, milliseconds; 0: they are exact. Default 0. */
  readonly tickMs?: number
  /** Whether the clock may jump forward: in containers that may be joined byte by byte. Default false: every gap is kept. */
  readonly mayJump?: boolean
}

/**
 * Times from 0 at the first frame; gaps are kept; missing times are interpolated from the frame rate. A time that is a
 * multiple of the interval but for its rounding becomes that multiple, so that a constant rate stays one.
 */
export class Timeline {
  readonly #intervalMs: number
  readonly #tickMs: number
  readonly #mostStepMs: number
  /** The first frame's time on the present clock, and what comes out for it. */
  #origin: { readonly storedMs: number; readonly timeMs: number } | undefined
  #lastMs: number | undefined

  constructor({ intervalMs, tickMs = 0, mayJump = false }: TimelineOptions) {
    this.#intervalMs = intervalMs
    this.#tickMs = tickMs <= intervalMs * coarsestTick ? tickMs : 0
    this.#mostStepMs = mayJump ? mostStepMs : Infinity
  }

  /** @param presentationMs the frame's own time, undefined where it has none */
  next(presentationMs: number | undefined): number {
    const expectedMs = this.#lastMs === undefined ? 0 : this.#lastMs + this.#intervalMs
    this.#lastMs = presentationMs === undefined ? expectedMs : this.#place(presentationMs, expectedMs)
    return this.#lastMs
  }

  #place(presentationMs: number, expectedMs: number): number {
    this.#origin ??= { storedMs: presentationMs, timeMs: expectedMs }
    const timeMs = this.#origin.timeMs + this.#unrounded(presentationMs - this.#origin.storedMs)
    const lastMs = this.#lastMs
    if (lastMs === undefined || (timeMs > lastMs && timeMs - lastMs <= this.#mostStepMs)) return timeMs
    if (timeMs <= lastMs && lastMs - timeMs <= restartMs) return lastMs + nudgeMs
    this.#origin = { storedMs: presentationMs, timeMs: expectedMs }
    return expectedMs
  }

  #unrounded(sinceMs: number): number {
    const wholeMs = Math.round(sinceMs / this.#intervalMs) * this.#intervalMs
    // Both ends were rounded, each by half a tick at most.
    return Math.abs(sinceMs - wholeMs) <= this.#tickMs * 1.01 ? wholeMs : sinceMs
  }
}
