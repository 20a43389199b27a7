// Owns: errors of depth along optical flow: warping error (OPW) and stable error (SE).
// Must not know: where flow comes from, how depth was aligned.

import { invalidOption } from '../base/errors.js'
import { checkMaps, type ComparedMaps } from './compared-maps.js'

export interface FlowedFrame extends ComparedMaps {
  /**
   * [height, width, 2] where each pixel goes until the next frame: dx, dy, pixels. NaN where that is unknown or hidden.
   * Undefined for the last frame.
   */
  readonly flow: Float32Array | undefined
}

/** Errors of depth that is carried along given flow. */
export interface FlowErrors {
  /** Mean over pairs of frames of the mean |p̂ᵢ − pᵢ|, in the unit of the maps; NaN where no pair has a pixel that counts. */
  readonly opw: number
  /** Mean over pairs of the mean ||p̂ᵢ − pᵢ| − |ĝᵢ − gᵢ||. */
  readonly stableError: number
  /** Errors of frames i and i + 1; NaN where no pixel counts. */
  readonly perPair: readonly { readonly opw: number; readonly stableError: number }[]
}

/**
 * Frames one by one, in order. p̂ᵢ is frame i + 1's prediction at the places that frame i's pixels go to, bilinear between its
 * pixels, ĝᵢ the same of the truth (Video Depth Anything, Chen et al. 2025, equations 1 and 2; OPW after NVDS, Wang et al.
 * 2023, without its weight by colour). A pixel counts where it is valid, its flow is finite, and the pixels that it lands
 * between are in the picture and valid.
 */
export class FlowError {
  readonly #perPair: { opw: number; stableError: number }[] = []
  #last: FlowedFrame | undefined

  /** @throws VideoDepthError INVALID_OPTION */
  add(frame: FlowedFrame): void {
    const last = this.#last
    checkMaps(frame, last)
    const size = 2 * frame.width * frame.height
    if (frame.flow !== undefined && frame.flow.length !== size)
      throw invalidOption(`${size} values (${frame.width}×${frame.height}×2)`, 'flow', `${frame.flow.length} values`)
    if (last !== undefined) {
      if (last.flow === undefined) throw invalidOption('flow for every frame but the last', 'flow', last.flow)
      this.#perPair.push(pairErrors(last, frame, last.flow))
    }
    this.#last = frame
  }

  result(): FlowErrors {
    const counted = this.#perPair.filter(({ opw }) => !Number.isNaN(opw))
    const mean = (name: 'opw' | 'stableError'): number =>
      counted.reduce((sum, pair) => sum + pair[name], 0) / counted.length
    return { opw: mean('opw'), stableError: mean('stableError'), perPair: [...this.#perPair] }
  }
}

function pairErrors(from: FlowedFrame, to: FlowedFrame, flow: Float32Array): { opw: number; stableError: number } {
  const { width, height } = from
  let [opw, stableError, count] = [0, 0, 0]
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x
      const place =
        from.valid[i] === 1 ? landing(to, x + (flow[2 * i] as number), y + (flow[2 * i + 1] as number)) : undefined
      if (place === undefined) continue
      const predicted = Math.abs(sampled(to.prediction, place) - (from.prediction[i] as number))
      const real = Math.abs(sampled(to.truth, place) - (from.truth[i] as number))
      opw += predicted
      stableError += Math.abs(predicted - real)
      count++
    }
  }
  return { opw: opw / count, stableError: stableError / count }
}

type Place = readonly (readonly [index: number, weight: number])[]

/** The pixels around a point, with their weights; undefined where one that has a weight is outside or not valid. */
function landing({ valid, width, height }: ComparedMaps, x: number, y: number): Place | undefined {
  const [left, top] = [Math.floor(x), Math.floor(y)]
  const [across, down] = [x - left, y - top]
  const place: [number, number][] = []
  for (const [dx, dy] of corners) {
    const weight = (dx === 1 ? across : 1 - across) * (dy === 1 ? down : 1 - down)
    if (weight === 0) continue
    const [column, row] = [left + dx, top + dy]
    const isInside = column >= 0 && column < width && row >= 0 && row < height // false for NaN
    if (!isInside || valid[row * width + column] === 0) return undefined
    place.push([row * width + column, weight])
  }
  return place
}

const corners = [
  [0, 0],
  [1, 0],
  [0, 1],
  [1, 1],
] as const

const sampled = (values: ArrayLike<number>, place: Place): number =>
  place.reduce((sum, [index, weight]) => sum + (values[index] as number) * weight, 0)
