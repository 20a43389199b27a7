// Owns: how far an array is from its reference.
// Must not know: what the arrays hold.

type Numbers = ArrayLike<number>

/** Largest difference; Infinity where a value is missing, surplus or not finite in either, and for nothing at all. */
export function largestError(found: Numbers | undefined, reference: Numbers | undefined): number {
  if (found === undefined || reference === undefined) return Infinity
  if (found.length !== reference.length || reference.length === 0) return Infinity
  let largest = 0
  for (let i = 0; i < reference.length; i++) {
    const error = Math.abs((found[i] ?? Number.NaN) - (reference[i] ?? Number.NaN))
    if (!Number.isFinite(error)) return Infinity
    largest = Math.max(largest, error)
  }
  return largest
}

/** Largest value less the smallest. */
export function rangeOf(values: Numbers): number {
  let [least, most] = [Infinity, -Infinity]
  for (let i = 0; i < values.length; i++) {
    least = Math.min(least, values[i] ?? Number.NaN)
    most = Math.max(most, values[i] ?? Number.NaN)
  }
  return most - least
}

/** The largest error as a part of the reference's range. */
export function relativeError(found: Numbers | undefined, reference: Numbers | undefined): number {
  const error = largestError(found, reference)
  return error === 0 || reference === undefined || error === Infinity ? error : error / rangeOf(reference)
}
