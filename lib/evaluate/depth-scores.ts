// Owns: the field's measures of depth against true depth, of a frame and of a video.
// Must not know: where depth comes from, how it was aligned.

import type { Names } from '../base/known-options.js'

/**
 * p is predicted depth, g true depth, d = ln p − ln g. Each is a mean over a frame's valid pixels, then over the frames that
 * have any, but for `log10` (over all pixels at once) and `siLog` (the root is taken after the mean over frames): that is how
 * Video Depth Anything's benchmark/eval/metric.py defines them.
 */
export interface DepthScores {
  /** |p − g| / g */
  readonly absRel: number
  /** (p − g)² / g, metres. */
  readonly sqRel: number
  /** √mean (p − g)², metres. */
  readonly rmse: number
  /** √mean d² */
  readonly rmseLog: number
  /** |log₁₀ p − log₁₀ g| */
  readonly log10: number
  /** 100 · √(mean d² − (mean d)²) */
  readonly siLog: number
  /** √mean (1/p − 1/g)², 1/metres. */
  readonly iRmse: number
  /** Part of the pixels with max(p/g, g/p) < 1.25, 1.25², 1.25³. */
  readonly delta1: number
  readonly delta2: number
  readonly delta3: number
}

const names: Names<DepthScores> = {
  absRel: true,
  sqRel: true,
  rmse: true,
  rmseLog: true,
  log10: true,
  siLog: true,
  iRmse: true,
  delta1: true,
  delta2: true,
  delta3: true,
}
export const scoreNames = Object.keys(names) as readonly (keyof DepthScores)[]

/** Scores of a frame and how many pixels they are over. All scores are NaN where that is 0. */
export interface FrameScores extends DepthScores {
  readonly pixels: number
}

const deltaBound = 1.25

/** @param depth metres, above 0; @param truth metres, above 0 where valid; @param valid 0 or 1; all of one length */
export function frameScores(depth: ArrayLike<number>, truth: ArrayLike<number>, valid: Uint8Array): FrameScores {
  const [bound2, bound3] = [deltaBound ** 2, deltaBound ** 3]
  let [pixels, within1, within2, within3] = [0, 0, 0, 0]
  let [relative, squareRelative, squares, logs, logSquares, logMagnitudes, inverse] = [0, 0, 0, 0, 0, 0, 0]
  for (let i = 0; i < valid.length; i++) {
    if (valid[i] === 0) continue
    const [p, g] = [depth[i] as number, truth[i] as number]
    const difference = p - g
    const square = difference * difference
    const log = Math.log(p) - Math.log(g)
    const inverseDifference = 1 / p - 1 / g
    const ratio = Math.max(p / g, g / p)
    pixels++
    relative += Math.abs(difference) / g
    squareRelative += square / g
    squares += square
    logs += log
    logSquares += log * log
    logMagnitudes += Math.abs(log)
    inverse += inverseDifference * inverseDifference
    if (ratio < deltaBound) within1++
    if (ratio < bound2) within2++
    if (ratio < bound3) within3++
  }
  return {
    pixels,
    absRel: relative / pixels,
    sqRel: squareRelative / pixels,
    rmse: Math.sqrt(squares / pixels),
    rmseLog: Math.sqrt(logSquares / pixels),
    log10: logMagnitudes / Math.LN10 / pixels,
    siLog: 100 * Math.sqrt(Math.max(logSquares / pixels - (logs / pixels) ** 2, 0)),
    iRmse: Math.sqrt(inverse / pixels),
    delta1: within1 / pixels,
    delta2: within2 / pixels,
    delta3: within3 / pixels,
  }
}

/** Scores of a video from those of its frames; all NaN where no frame has a valid pixel. */
export function videoScores(frames: readonly FrameScores[]): DepthScores {
  const counted = frames.filter(({ pixels }) => pixels > 0)
  const mean = (value: (frame: FrameScores) => number): number =>
    counted.reduce((sum, frame) => sum + value(frame), 0) / counted.length
  const pixels = counted.reduce((sum, frame) => sum + frame.pixels, 0)
  return {
    absRel: mean(({ absRel }) => absRel),
    sqRel: mean(({ sqRel }) => sqRel),
    rmse: mean(({ rmse }) => rmse),
    rmseLog: mean(({ rmseLog }) => rmseLog),
    log10: counted.reduce((sum, frame) => sum + frame.log10 * frame.pixels, 0) / pixels,
    siLog: Math.sqrt(mean(({ siLog }) => siLog ** 2)),
    iRmse: mean(({ iRmse }) => iRmse),
    delta1: mean(({ delta1 }) => delta1),
    delta2: mean(({ delta2 }) => delta2),
    delta3: mean(({ delta3 }) => delta3),
  }
}
