// Owns: the scale- and shift-invariant loss of single frames: trimmed absolute error and gradients at several scales.
// Must not know: other frames' content, how a video is aligned.

import { checkMaps, type ComparedMaps } from './compared-maps.js'
import { ResidualMean } from './residual-mean.js'

export interface SpatialLossOptions {
  /** Weight of the gradient term; default 0.5. */
  readonly alpha?: number
  /** Scales of the gradient term, each of half the size; default 4. */
  readonly scales?: number
  /** Part of the residuals that is left out, the largest, over all frames; default 0. Above 0 memory grows with the video. */
  readonly trim?: number
}

/** Maps whose mean deviation is smaller are divided by this. */
const leastDeviation = 1e-6

/**
 * As TrimmedProcrustesLoss in loss/loss.py of Video Depth Anything (after MiDaS, Ranftl et al. 2020), with its reduction over
 * all frames. Each frame's prediction and truth, both disparity, are moved by their median and divided by their mean absolute
 * deviation from it; the value is the mean absolute difference plus alpha times the gradient term: for each scale the sum of
 * |∂ₓ| + |∂ᵧ| of the difference, taken at every 2^scale-th pixel, over the number of valid pixels there. As in that code the
 * median is the lower one of all pixels, of which those that are not valid count as 0.
 */
export class SpatialLoss {
  readonly #alpha: number
  readonly #residuals: ResidualMean
  readonly #gradients: ResidualMean[]

  /** @throws VideoDepthError INVALID_OPTION */
  constructor({ alpha = 0.5, scales = 4, trim = 0 }: SpatialLossOptions = {}) {
    this.#alpha = alpha
    this.#residuals = new ResidualMean(trim)
    this.#gradients = Array.from({ length: scales }, () => new ResidualMean(0))
  }

  /** @param frame disparity @throws VideoDepthError INVALID_OPTION */
  add(frame: ComparedMaps): void {
    checkMaps(frame)
    const { valid } = frame
    const [prediction, truth] = [normalized(frame.prediction, valid), normalized(frame.truth, valid)]
    const difference = new Float64Array(valid.length)
    let count = 0
    for (let i = 0; i < valid.length; i++) {
      if (valid[i] === 0) continue
      difference[i] = (prediction[i] as number) - (truth[i] as number)
      count++
    }
    const residuals = new Float64Array(count)
    for (let i = 0, next = 0; i < valid.length; i++)
      if (valid[i] === 1) residuals[next++] = Math.abs(difference[i] as number)
    this.#residuals.add(residuals, count)
    this.#gradients.forEach((mean, scale) => addGradient(mean, difference, frame, 2 ** scale))
  }

  value(): number {
    const gradient = this.#gradients.reduce((sum, mean) => sum + mean.value(), 0)
    return this.#residuals.value() + this.#alpha * gradient
  }
}

function normalized(values: ArrayLike<number>, valid: Uint8Array): Float64Array {
  const masked = new Float64Array(valid.length)
  let count = 0
  for (let i = 0; i < valid.length; i++) {
    if (valid[i] === 0) continue
    masked[i] = values[i] as number
    count++
  }
  if (count === 0) return masked
  const middle = masked.slice().sort()[(masked.length - 1) >> 1] as number
  let deviation = 0
  for (let i = 0; i < masked.length; i++) if (valid[i] === 1) deviation += Math.abs((masked[i] as number) - middle)
  const divisor = Math.max(deviation / count, leastDeviation)
  return masked.map((value) => (value - middle) / divisor)
}

function addGradient(
  mean: ResidualMean,
  difference: Float64Array,
  { valid, width, height }: ComparedMaps,
  step: number,
): void {
  let [sum, count] = [0, 0]
  const between = (a: number, b: number): number =>
    valid[a] === 1 && valid[b] === 1 ? Math.abs((difference[b] as number) - (difference[a] as number)) : 0
  for (let y = 0; y < height; y += step) {
    for (let x = 0; x < width; x += step) {
      const at = y * width + x
      count += valid[at] as number
      if (x + step < width) sum += between(at, at + step)
      if (y + step < height) sum += between(at, at + step * width)
    }
  }
  mean.add(Float64Array.of(sum), count)
}
