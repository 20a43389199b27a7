// Owns: how far one disparity video is from another one of the same frames, once fitted to it by one scale and shift.
// Must not know: where the maps come from, what computed them.

import { invalidOption } from '../errors.js'

/** Disparity of one frame from both sides, of the same length. */
export interface DisparityPair {
  readonly reference: Float32Array
  readonly test: Float32Array
}

export interface DepthError {
  /** Test disparity · scale + shift is nearest to the reference over all frames, by least squares. */
  readonly scale: number
  readonly shift: number
  /** Mean of |depth − reference depth| / reference depth. */
  readonly absRel: number
  /** Part of the pixels whose depths differ by a factor below 1.25. */
  readonly delta1: number
  /** The largest difference of disparity as a part of the reference's range; over all pixels. */
  readonly largest: number
  /** That absRel and delta1 are taken over. */
  readonly pixels: number
}

/** Of the reference's maximum: what is farther away has a depth that means nothing, and is left out. */
const leastDisparity = 0.01
/** The field's usual bound for δ1. */
const delta1Bound = 1.25

/**
 * Depth is 1 / disparity. Only pixels count whose reference disparity is at least 1 % of the reference's maximum; the
 * test's, once fitted, is taken as at least that much.
 *
 * @param pairs gives all frames from the first on; called twice
 * @throws VideoDepthError INVALID_OPTION where there is no pixel, maps differ in size, a value is not finite, or the
 *   reference is flat or has no positive value
 */
export async function depthError(pairs: () => AsyncIterable<DisparityPair>): Promise<DepthError> {
  const fit = new Fit()
  for await (const pair of pairs()) fit.add(pair)
  const { scale, shift } = fit.result()
  const { least, most } = fit
  const floor = leastDisparity * most
  let [pixels, absRel, within, largest] = [0, 0, 0, 0]
  for await (const { reference, test } of pairs()) {
    for (let i = 0; i < reference.length; i++) {
      const wanted = reference[i] as number
      const fitted = (test[i] as number) * scale + shift
      largest = Math.max(largest, Math.abs(fitted - wanted))
      if (wanted < floor) continue
      const ratio = wanted / Math.max(fitted, floor) // of the depths: test to reference
      absRel += Math.abs(ratio - 1)
      if (Math.max(ratio, 1 / ratio) < delta1Bound) within++
      pixels++
    }
  }
  return { scale, shift, absRel: absRel / pixels, delta1: within / pixels, largest: largest / (most - least), pixels }
}

/** Running sums of a least-squares line. */
class Fit {
  #count = 0
  #test = 0
  #reference = 0
  #testTest = 0
  #testReference = 0
  least = Infinity
  most = -Infinity

  add({ reference, test }: DisparityPair): void {
    if (reference.length !== test.length) throw invalidOption(`${reference.length} values`, 'test', test)
    let [sumTest, sumReference, sumTestTest, sumTestReference] = [0, 0, 0, 0]
    for (let i = 0; i < reference.length; i++) {
      const [r, t] = [reference[i] as number, test[i] as number]
      sumTest += t
      sumReference += r
      sumTestTest += t * t
      sumTestReference += t * r
      this.least = Math.min(this.least, r)
      this.most = Math.max(this.most, r)
    }
    if (!Number.isFinite(sumReference)) throw invalidOption('finite values', 'reference', sumReference)
    if (!Number.isFinite(sumTestTest)) throw invalidOption('finite values', 'test', sumTestTest)
    this.#count += reference.length
    this.#test += sumTest
    this.#reference += sumReference
    this.#testTest += sumTestTest
    this.#testReference += sumTestReference
  }

  /** A flat test has scale 0 and the reference's mean. */
  result(): { scale: number; shift: number } {
    if (this.#count === 0) throw invalidOption('at least one pixel', 'pairs', 0)
    if (!(this.most > this.least)) throw invalidOption('two different values', 'reference', this.least)
    if (!(this.most > 0)) throw invalidOption('a positive value', 'reference', this.most)
    const meanTest = this.#test / this.#count
    const meanReference = this.#reference / this.#count
    const variance = this.#testTest / this.#count - meanTest * meanTest
    const covariance = this.#testReference / this.#count - meanTest * meanReference
    const isFlat = !(variance > 1e-12 * (this.#testTest / this.#count)) // below what float32 values and these sums tell
    const scale = isFlat ? 0 : covariance / variance
    return { scale, shift: meanReference - scale * meanTest }
  }
}
