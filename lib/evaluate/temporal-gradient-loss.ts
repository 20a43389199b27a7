// Owns: temporal gradient matching (TGM): whether depth changes from frame to frame as the truth does.
// Must not know: how a video is aligned, optical flow.

import { checkMaps, type ComparedMaps } from './compared-maps.js'
import { ResidualMean } from './residual-mean.js'

export interface TemporalGradientOptions {
  /** Changes over 1, 2, 4 … frames; default 1: only from each frame to the next. */
  readonly scales?: number
  /** Weight of each scale against the one before; default 0.5. */
  readonly decay?: number
  /** Only where the truth changes by less than this part of its range in the later frame; default 0.05. */
  readonly threshold?: number
  /** Part of the residuals that is left out, the largest; default 0. Above 0 memory grows with the video. */
  readonly trim?: number
}

interface Scale {
  readonly stride: number
  readonly residuals: ResidualMean
  last: ComparedMaps | undefined
}

/**
 * As TemporalGradientMatchingLoss in loss/loss.py of Video Depth Anything (Chen et al. 2025, equation 3): mean of
 * |(p′ − p) − (g′ − g)| at the same pixel of frames a stride apart, over pixels valid in both where the truth is steady; then
 * the mean over those scales that the video is long enough for. A truth that never changes is steady only if it has a range.
 */
export class TemporalGradientLoss {
  readonly #decay: number
  readonly #threshold: number
  readonly #scales: readonly Scale[]
  #frames = 0

  /** @throws VideoDepthError INVALID_OPTION */
  constructor({ scales = 1, decay = 0.5, threshold = 0.05, trim = 0 }: TemporalGradientOptions = {}) {
    this.#decay = decay
    this.#threshold = threshold
    this.#scales = Array.from({ length: scales }, (_, scale) => ({
      stride: 2 ** scale,
      residuals: new ResidualMean(trim),
      last: undefined,
    }))
  }

  /** @param frame disparity, aligned; kept until later ones have come @throws VideoDepthError INVALID_OPTION */
  add(frame: ComparedMaps): void {
    const index = this.#frames++
    checkMaps(frame)
    const steady = this.#threshold * range(frame)
    for (const scale of this.#scales) {
      if (index % scale.stride !== 0) continue
      if (scale.last !== undefined) addChanges(scale.residuals, scale.last, frame, steady)
      scale.last = frame
    }
  }

  /** NaN where there are fewer than two frames. */
  value(): number {
    const used = this.#scales.filter(({ stride }) => stride < this.#frames)
    return used.reduce((sum, { residuals }, scale) => sum + residuals.value() * this.#decay ** scale, 0) / used.length
  }
}

function range({ truth, valid }: ComparedMaps): number {
  let [least, most] = [Infinity, -Infinity]
  for (let i = 0; i < valid.length; i++) {
    if (valid[i] === 0) continue
    least = Math.min(least, truth[i] as number)
    most = Math.max(most, truth[i] as number)
  }
  return most - least
}

function addChanges(residuals: ResidualMean, from: ComparedMaps, to: ComparedMaps, steady: number): void {
  checkMaps(to, from)
  const found = new Float64Array(to.valid.length)
  let count = 0
  for (let i = 0; i < to.valid.length; i++) {
    if (from.valid[i] === 0 || to.valid[i] === 0) continue
    const change = (to.truth[i] as number) - (from.truth[i] as number)
    if (!(Math.abs(change) < steady)) continue
    found[count++] = Math.abs((to.prediction[i] as number) - (from.prediction[i] as number) - change)
  }
  residuals.add(found.slice(0, count), count)
}
