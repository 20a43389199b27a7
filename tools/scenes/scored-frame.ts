// Owns: a rendered frame and a prediction of its depth, as the evaluator takes them.
// Must not know: how depth is predicted, what is measured.

import type { Plane } from '../../dist/esm/evaluate/plane.js'
import type { EvaluationFrame } from '../../dist/esm/evaluate/video-evaluation.js'
import type { RenderedFrame } from './rendered-frame.js'

/** Metres, KITTI's cap: what is farther away, and the sky, does not count in figures of rendered scenes. */
export const farthest = 80

export function trueDepth({ depth, width, height }: RenderedFrame): Plane<Float32Array> {
  return { data: depth, width, height }
}

/** Between frames only points at rest are compared. @param prediction disparity or metres, of any size */
export function scoredFrame(frame: RenderedFrame, prediction: Plane<Float32Array>): EvaluationFrame {
  const { pose, depth, moving, intrinsics } = frame
  return {
    prediction,
    truth: trueDepth(frame),
    pose: [0, 4, 8, 12].map((row) => Array.from(pose.subarray(row, row + 4))),
    intrinsics,
    staticMask: Uint8Array.from(depth, (z, p) => (z < farthest && moving[p] === 0 ? 1 : 0)),
  }
}
