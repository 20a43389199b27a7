// Owns: whether depth changes more where one window takes over from another than elsewhere.
// Must not know: how windows are computed, where depth comes from.

import { newStart, windowCount } from '../plan/window-plan.js'
import type { WindowStrategy } from '../plan/strategy.js'
import { checkMaps, type ComparedMaps } from './compared-maps.js'

/** Change from frame to frame that the truth does not have, where windows change and elsewhere. */
export interface SeamErrors {
  /** Mean of `perStep` where windows change; NaN where they never do. */
  readonly atSeams: number
  /** Mean of `perStep` elsewhere. */
  readonly elsewhere: number
  /** `atSeams` / `elsewhere`: 1 where seams cannot be told. */
  readonly ratio: number
  /** Change between frames i and i + 1; NaN where no pixel counts. */
  readonly perStep: readonly number[]
}

/**
 * Steps (from frame i to i + 1) in which the part of the later window grows: through the blended frames to the first that is
 * its own; without blending the one step to that frame.
 *
 * @param firstFrame of the video; steps are counted from there @param frameCount from there on
 */
export function seamSteps(strategy: WindowStrategy, frameCount: number, firstFrame = 0): Set<number> {
  const steps = new Set<number>()
  const length = strategy.blend ? strategy.overlap : 1
  for (let window = 1; window < windowCount(strategy, firstFrame + frameCount); window++) {
    const last = newStart(strategy, window) - 1 - firstFrame
    for (let step = Math.max(last - length + 1, 0); step <= Math.min(last, frameCount - 2); step++) steps.add(step)
  }
  return steps
}

/**
 * Frames one by one, in order; only the last one is kept. A step's error is the mean of |Δ ln p − Δ ln g| at the same pixel:
 * by which factor depth changes that the truth does not change by. Real motion and any constant scale drop out.
 */
export class SeamError {
  readonly #perStep: number[] = []
  #last: ComparedMaps | undefined

  /** @param frame depth, metres @throws VideoDepthError INVALID_OPTION */
  add(frame: ComparedMaps): void {
    checkMaps(frame, this.#last)
    if (this.#last !== undefined) this.#perStep.push(stepError(this.#last, frame))
    this.#last = frame
  }

  /** @param seams as `seamSteps` gives them */
  result(seams: ReadonlySet<number>): SeamErrors {
    const perStep = [...this.#perStep]
    const mean = (isSeam: boolean): number => {
      const chosen = perStep.filter((error, step) => seams.has(step) === isSeam && !Number.isNaN(error))
      return chosen.reduce((sum, error) => sum + error, 0) / chosen.length
    }
    const [atSeams, elsewhere] = [mean(true), mean(false)]
    return { atSeams, elsewhere, ratio: atSeams / elsewhere, perStep }
  }
}

function stepError(from: ComparedMaps, to: ComparedMaps): number {
  let [sum, count] = [0, 0]
  for (let i = 0; i < to.valid.length; i++) {
    if (from.valid[i] === 0 || to.valid[i] === 0) continue
    const predicted = Math.log((to.prediction[i] as number) / (from.prediction[i] as number))
    const real = Math.log((to.truth[i] as number) / (from.truth[i] as number))
    sum += Math.abs(predicted - real)
    count++
  }
  return sum / count
}
