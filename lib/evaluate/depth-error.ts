// Owns: how far depth is from reference depth over a clip, and the line that fits one disparity to another.
// Must not know: where the maps come from, how much error is too much.

/** Maps of all frames of a clip, in order. */
export type Maps = readonly Float32Array[]

/** reference ≈ scale · test + shift */
export interface LineFit {
  readonly scale: number
  readonly shift: number
}

export interface DepthError {
  /** Mean of |depth − reference| over the reference; 0 where no pixel counts. */
  readonly absRel: number
  /** Part of the pixels whose depth is within a factor of 1.25 of the reference; 1 where no pixel counts. */
  readonly delta1: number
  /** The largest difference of the values, the test's fitted, as a part of the reference's range; over all pixels. */
  readonly largest: number
  /** That absRel and delta1 are taken over. */
  readonly pixels: number
  /** Values of either side that are NaN or infinite; their pixels are left out. */
  readonly nonFinite: number
}

/** Part of the reference's maximum: what is below is too far away, or too near to a camera, to be compared by ratio. */
const leastPart = 0.01
/** The field's usual bound for δ1. */
const delta1Bound = 1.25
/** Part of the mean square: a smaller variance is rounding. */
const flatPart = 1e-12

/** By least squares over all pixels that are finite on both sides; a flat test has scale 0 and the reference's mean. */
export function alignment(test: Maps, reference: Maps): LineFit {
  let [count, sumTest, sumReference, squares, products] = [0, 0, 0, 0, 0]
  eachPixel(test, reference, (t, r) => {
    if (!Number.isFinite(t) || !Number.isFinite(r)) return
    count++
    sumTest += t
    sumReference += r
    squares += t * t
    products += t * r
  })
  if (count === 0) return { scale: 1, shift: 0 }
  const [meanTest, meanReference, meanSquare] = [sumTest / count, sumReference / count, squares / count]
  const variance = meanSquare - meanTest * meanTest
  const isFlat = !(variance > flatPart * meanSquare)
  const scale = isFlat ? 0 : (products / count - meanTest * meanReference) / variance
  return { scale, shift: meanReference - scale * meanTest }
}

/**
 * With a fit both are disparities: depth is 1 / (scale · test + shift) and 1 / reference. Without one both are depths, and
 * are compared as they are. Pixels count whose reference value is above 0 and at least 1 % of the reference's maximum; the
 * test's is taken as at least that much.
 */
export function depthError(test: Maps, reference: Maps, fit: LineFit | undefined): DepthError {
  const { scale, shift } = fit ?? { scale: 1, shift: 0 }
  const [least, most] = rangeOf(reference)
  const floor = leastPart * most
  let [absRel, within, pixels, nonFinite, largest] = [0, 0, 0, 0, 0]
  eachPixel(test, reference, (t, r) => {
    const fitted = scale * t + shift
    const value = Math.max(fitted, floor)
    if (!Number.isFinite(value) || !Number.isFinite(r) || !Number.isFinite(t)) {
      nonFinite++
      return
    }
    largest = Math.max(largest, Math.abs(fitted - r))
    if (!(r > 0 && r >= floor)) return
    const ratio = fit === undefined ? value / r : r / value // of the depths: test over reference
    absRel += Math.abs(ratio - 1)
    if (Math.max(ratio, 1 / ratio) < delta1Bound) within++
    pixels++
  })
  const part = largest === 0 ? 0 : largest / (most - least)
  if (pixels === 0) return { absRel: 0, delta1: 1, largest: part, pixels, nonFinite }
  return { absRel: absRel / pixels, delta1: within / pixels, largest: part, pixels, nonFinite }
}

/** The least and the most of the finite values; the most is 0 where there is nothing above. */
function rangeOf(maps: Maps): [least: number, most: number] {
  let [least, most] = [Infinity, 0]
  for (const map of maps) {
    for (const value of map) {
      if (!Number.isFinite(value)) continue
      if (value < least) least = value
      if (value > most) most = value
    }
  }
  return [least, most]
}

function eachPixel(test: Maps, reference: Maps, visit: (test: number, reference: number) => void): void {
  if (test.length !== reference.length) throw new Error(`${test.length} maps against ${reference.length}`)
  for (const [i, map] of test.entries()) {
    const other = reference[i]
    if (other?.length !== map.length) throw new Error(`map ${i} is of another size`)
    for (let p = 0; p < map.length; p++) visit(map[p] as number, other[p] as number)
  }
}
