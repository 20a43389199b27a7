// Owns: the loss that Video Depth Anything is trained with, as a measure of a video.
// Must not know: files, how other measures align.

import { checkMaps, type ComparedMaps } from './compared-maps.js'
import type { LineFit } from './depth-error.js'
import { SpatialLoss, type SpatialLossOptions } from './spatial-loss.js'
import { TemporalGradientLoss } from './temporal-gradient-loss.js'

export interface TrainingLossOptions extends SpatialLossOptions {
  /** Weight of the stable term; default 10. */
  readonly stableScale?: number
}

/** The losses that the network is trained with. */
export interface TrainingLosses {
  /** Scale- and shift-invariant, frame by frame (`SpatialLoss`). */
  readonly spatial: number
  /** Temporal gradient matching of the video aligned by one scale and shift, times `stableScale`; NaN of fewer than two frames. */
  readonly stable: number
  /** Their sum. */
  readonly total: number
}

/** In the divisor of the fit, as loss/loss.py has it. */
const guard = 1e-6

/**
 * As VideoDepthLoss in loss/loss.py of Video Depth Anything. All frames, as disparity, go to `observe`, then again, in the
 * same order, to `add`. Lower is better; values of videos with another unit of truth are not comparable in `stable`.
 */
export class TrainingLoss {
  readonly #stableScale: number
  readonly #spatial: SpatialLoss
  readonly #temporal: TemporalGradientLoss
  #squares = 0
  #predictions = 0
  #products = 0
  #truths = 0
  #count = 0

  /** @throws VideoDepthError INVALID_OPTION */
  constructor({ stableScale = 10, ...options }: TrainingLossOptions = {}) {
    this.#stableScale = stableScale
    this.#spatial = new SpatialLoss(options)
    this.#temporal = new TemporalGradientLoss({ trim: options.trim ?? 0 })
  }

  /** First pass. @throws VideoDepthError INVALID_OPTION */
  observe(frame: ComparedMaps): void {
    checkMaps(frame)
    const { prediction, truth, valid } = frame
    for (let i = 0; i < valid.length; i++) {
      if (valid[i] === 0) continue
      const [p, g] = [prediction[i] as number, truth[i] as number]
      this.#squares += p * p
      this.#predictions += p
      this.#products += p * g
      this.#truths += g
      this.#count++
    }
  }

  /** Second pass. @throws VideoDepthError INVALID_OPTION */
  add(frame: ComparedMaps): void {
    this.#spatial.add(frame)
    const { scale, shift } = this.#fit()
    const prediction = new Float64Array(frame.prediction.length)
    for (let i = 0; i < prediction.length; i++) prediction[i] = scale * (frame.prediction[i] as number) + shift
    this.#temporal.add({ ...frame, prediction })
  }

  result(): TrainingLosses {
    const spatial = this.#spatial.value()
    const stable = this.#stableScale * this.#temporal.value()
    return { spatial, stable, total: spatial + stable }
  }

  #fit(): LineFit {
    const determinant = this.#squares * this.#count - this.#predictions * this.#predictions
    if (determinant === 0) return { scale: 0, shift: 0 }
    return {
      scale: (this.#count * this.#products - this.#predictions * this.#truths) / (determinant + guard),
      shift: (this.#squares * this.#truths - this.#predictions * this.#products) / (determinant + guard),
    }
  }
}
