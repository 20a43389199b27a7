// Owns: how unlike two sets of maps are, and how unlike they may be.
// Must not know: where the maps come from.

import { counted } from '../../base/counted.js'
import { setImmediate as breathe } from 'node:timers/promises'
import type { CheckFigures } from '../engine-info.js'

const leastCosine = 0.999
const mostRelativeError = 1e-2

/** The worst map decides. The event loop goes on between two maps. */
export async function compareMaps(
  found: readonly Float32Array[],
  reference: readonly Float32Array[],
): Promise<CheckFigures> {
  if (found.length !== reference.length || found.length === 0) throw new Error('maps of another check')
  const all: CheckFigures[] = []
  for (const [i, map] of found.entries()) {
    if (i > 0) await breathe()
    all.push(compareMap(map, reference[i] ?? new Float32Array(0)))
  }
  return {
    cosine: Math.min(...all.map(({ cosine }) => cosine)),
    relativeError: Math.max(...all.map(({ relativeError }) => relativeError)),
    largestError: Math.max(...all.map(({ largestError }) => largestError)),
    nonFinite: all.reduce((sum, { nonFinite }) => sum + nonFinite, 0),
  }
}

/** Empty where the figures are good enough. NaN is never. */
export function whyWrong({ cosine, relativeError, nonFinite }: CheckFigures): string {
  if (nonFinite > 0) return `${counted(nonFinite, 'value is', 'values are')} not finite`
  const faults = [
    ...(cosine >= leastCosine ? [] : [`cosine ${cosine.toFixed(5)}, at least ${leastCosine} wanted`]),
    ...(relativeError <= mostRelativeError
      ? []
      : [`relative error ${relativeError.toExponential(1)}, at most ${mostRelativeError} wanted`]),
  ]
  return faults.join('; ')
}

function compareMap(found: Float32Array, reference: Float32Array): CheckFigures {
  if (found.length !== reference.length) throw new Error('a map of another size')
  let [dot, foundSquares, squares, errorSquares] = [0, 0, 0, 0]
  let [least, most, largest, nonFinite] = [Infinity, -Infinity, 0, 0]
  for (let i = 0; i < reference.length; i++) {
    const a = found[i] as number
    const b = reference[i] as number
    if (Number.isFinite(a)) largest = Math.max(largest, Math.abs(a - b))
    else nonFinite++
    dot += a * b
    foundSquares += a * a
    squares += b * b
    errorSquares += (a - b) ** 2
    least = Math.min(least, b)
    most = Math.max(most, b)
  }
  const isSame = errorSquares === 0 // also where the reference is zero or flat
  return {
    cosine: isSame ? 1 : dot / Math.sqrt(foundSquares * squares),
    relativeError: isSame ? 0 : Math.sqrt(errorSquares / squares),
    largestError: most > least ? largest / (most - least) : largest,
    nonFinite,
  }
}
