// Owns: the running scale and shift that hold a stream's disparity to that of its anchor (step-plan.ts).
// Must not know: how maps are compared, engines, pixels.

import type { MapFit } from '../native/types.js'

/** Part of the way to a frame's own fit that the running values go: time constant 8 frames. */
const rate = 1 / 8

/** Below this the frame shows something else than the anchor, and no fit of the two means anything. */
const leastCorrelation = 0.8

/** Plain data: what a snapshot keeps. */
export interface Stabilization {
  /** stabilized = scale · disparity + shift */
  readonly scale: number
  readonly shift: number
}

export const unstabilized: Stabilization = { scale: 1, shift: 0 }

/**
 * The next frame's values from the last one's.
 *
 * @param fit of the frame's own disparity to the anchor's
 */
export function stabilize(last: Stabilization, fit: MapFit): Stabilization {
  if (fit.degenerate || !(fit.correlation >= leastCorrelation)) return last
  return {
    scale: last.scale + rate * (fit.scale - last.scale),
    shift: last.shift + rate * (fit.shift - last.shift),
  }
}
