// Owns: what a prediction of a rendered sequence is worth: scores, steadiness, and two baselines.
// Must not know: how the prediction came about.

import { constantBaseline, rampBaseline } from '#lib/evaluate/baselines.js'
import { evaluateFrames } from '#lib/evaluate/depth-evaluation.js'
import { temporalAlignmentError } from '#lib/evaluate/temporal-alignment.js'

/** Metres; KITTI's cap. What is farther away, and the sky, does not count. */
const maxDepth = 80

const planeOf = ({ width, height }, data) => ({ data, width, height })
const pairsOf = (frames, maps) =>
  maps.map((map, i) => ({ prediction: planeOf(frames[i], map), truth: planeOf(frames[i], frames[i].depth) }))

/**
 * AbsRel and δ1 after one scale and shift in disparity for the whole video; TAE (per cent) of the aligned depth over points
 * at rest; `perFrame` AbsRel.
 */
export function score(frames, maps) {
  const pairs = pairsOf(frames, maps)
  const result = evaluateFrames(pairs, { maxDepth })
  const { scale, shift } = result.fit
  const depth = maps.map((map) => Float32Array.from(map, (v) => 1 / Math.max(scale * v + shift, 1 / maxDepth)))
  return {
    absRel: result.absRel,
    delta1: result.delta1,
    rmse: result.rmse,
    tae: tae(frames, depth),
    perFrame: result.perFrame.map((frame) => frame.absRel),
    fit: { scale, shift },
  }
}

function tae(frames, depth) {
  const posed = frames.map((frame, i) => ({
    depth: depth[i],
    width: frame.width,
    height: frame.height,
    pose: [0, 4, 8, 12].map((row) => [...frame.pose.subarray(row, row + 4)]),
    intrinsics: frame.intrinsics,
    mask: Uint8Array.from(frame.depth, (z, p) => (z < maxDepth && frame.moving[p] === 0 ? 1 : 0)),
  }))
  return temporalAlignmentError(posed).tae
}

/** What the truth itself scores: pixels are compared with the nearest one, and moving things hide others. */
export const truthTae = (frames) =>
  tae(
    frames,
    frames.map(({ depth }) => Float32Array.from(depth, (z) => Math.min(z, maxDepth))),
  )

/** What is known without looking at the picture. */
export function baselines(frames) {
  const truth = frames.map((frame) => planeOf(frame, frame.depth))
  return { constant: figures(constantBaseline(truth, maxDepth)), ramp: figures(rampBaseline(truth, maxDepth)) }
}

const figures = ({ absRel, delta1 }) => ({ absRel, delta1 })

export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length
