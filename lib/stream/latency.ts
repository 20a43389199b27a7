// Owns: running percentiles of how long frames took.
// Must not know: what took so long.

import { createHistogram } from 'node:perf_hooks'

/** Milliseconds, over all frames since the stream was opened; to about three digits. */
export interface LatencyPercentiles {
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

const microseconds = 1000
/** An hour: what takes longer counts as this. */
const mostMicroseconds = 3_600_000_000

/** Constant memory, however many frames. */
export class LatencyRecord {
  readonly #histogram = createHistogram({ lowest: 1, highest: mostMicroseconds, figures: 3 })

  add(milliseconds: number): void {
    this.#histogram.record(Math.min(mostMicroseconds, Math.max(1, Math.round(milliseconds * microseconds))))
  }

  /** Undefined where nothing was added. */
  get percentiles(): LatencyPercentiles | undefined {
    if (this.#histogram.count === 0) return undefined
    const at = (percentile: number): number => this.#histogram.percentile(percentile) / microseconds
    return { p50: at(50), p95: at(95), p99: at(99) }
  }
}
