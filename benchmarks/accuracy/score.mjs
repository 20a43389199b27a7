// Owns: what a prediction of a rendered sequence is worth: scores, steadiness, and two baselines.
// Must not know: how the prediction came about.

import { constantBaseline, rampBaseline } from '../../dist/esm/evaluate/baselines.js'
import { evaluateVideo } from '../../dist/esm/evaluate/video-evaluation.js'
import { farthest, scoredFrame, trueDepth } from '../../dist-tools/scenes/scored-frame.js'

/**
 * AbsRel and δ1 after one scale and shift in disparity for the whole video, or for each frame (`alignment: 'frame'`); TAE (per
 * cent) of the aligned depth over points at rest; `perFrame` AbsRel.
 */
export async function score(frames, maps, { kind = 'disparity', alignment = 'video', measures = ['tae'] } = {}) {
  const scored = () => maps.map((data, i) => scoredFrame(frames[i], { ...trueDepth(frames[i]), data }))
  const options = { depth: { kind, alignment, maxDepth: farthest }, measures }
  const { depth, tae } = await evaluateVideo(scored, options)
  const { absRel, delta1, rmse, fit, perFrame } = depth
  return { absRel, delta1, rmse, tae: tae?.tae, fit, perFrame: perFrame.map((frame) => frame.absRel) }
}

/** What the truth itself scores: pixels are compared with the nearest one, and moving things hide others. */
export async function truthTae(frames) {
  const maps = frames.map(({ depth }) => depth.map((z) => Math.min(z, farthest)))
  return (await score(frames, maps, { kind: 'metric' })).tae
}

const figures = ({ absRel, delta1 }) => ({ absRel, delta1 })

/** What is known without looking at the picture. */
export function baselines(frames) {
  const truth = frames.map(trueDepth)
  return { constant: figures(constantBaseline(truth, farthest)), ramp: figures(rampBaseline(truth, farthest)) }
}

export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length
