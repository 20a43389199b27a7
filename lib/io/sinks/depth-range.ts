// Owns: which depths become black and white.
// Must not know: colours, files.

import { invalidOption } from '../../base/errors.js'
import { known } from '../../base/known-options.js'
import { inSlices } from '../slices.js'

/** Fixed bounds, in the unit of the depth; `min` is below `max`. */
export interface DepthRange {
  readonly min: number
  readonly max: number
}

/**
 * `global`: the least and greatest value of the whole video, upstream's rule; it needs all frames before the first
 * is written. `running`: known as frames come, for live use, see `RunningRange`. Or fixed bounds; values outside are clamped.
 */
export type RangeRule = 'global' | 'running' | DepthRange

/** Time after which `running` has forgotten 63 % of a range that is no longer used. Milliseconds. */
const forgetMs = 2000

export function checkRange(range: RangeRule): RangeRule {
  if (range === 'global' || range === 'running') return range
  if (typeof range === 'object') known(range, 'range', { min: true, max: true })
  if (typeof range === 'object' && Number.isFinite(range.min) && Number.isFinite(range.max) && range.min < range.max)
    return range
  throw invalidOption("'global', 'running' or { min, max } with min < max", 'range', range)
}

export async function rangeOf(data: Float32Array): Promise<DepthRange> {
  let min = Infinity
  let max = -Infinity
  await inSlices(data.length, (from, to) => {
    for (let i = from; i < to; i++) {
      const value = data[i] as number
      if (value < min) min = value
      if (value > max) max = value
    }
  })
  return { min, max }
}

export function union(a: DepthRange, b: DepthRange): DepthRange {
  return { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) }
}

/**
 * A causal range: it widens at once to hold the present frame (so nothing is clipped) and narrows towards the
 * present frame's own range exponentially, with a time constant of 2 s.
 */
export class RunningRange {
  #range: DepthRange | undefined
  #lastMs = 0

  next(frame: DepthRange, timestampMs: number): DepthRange {
    const last = this.#range ?? frame
    const kept = Math.exp(-Math.max(timestampMs - this.#lastMs, 0) / forgetMs)
    this.#lastMs = timestampMs
    this.#range = {
      min: Math.min(frame.min, frame.min + (last.min - frame.min) * kept),
      max: Math.max(frame.max, frame.max + (last.max - frame.max) * kept),
    }
    return this.#range
  }
}
