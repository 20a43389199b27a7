// Owns: what depth scores without looking at the picture: the best constant, and the best plane over the picture.
// Must not know: networks, files.

import { evaluateFrames, type EvaluationResult } from './depth-evaluation.js'
import type { Plane } from './plane.js'

/** Every so-many-th pixel of the truth is enough to fit a baseline: not the same columns in each row. */
const strideOf = (width: number): number => (width % 37 === 0 ? 38 : 37)

interface Sample {
  /** Position as parts of the picture's width and height. */
  readonly u: number
  readonly v: number
  /** Metres. */
  readonly z: number
}

/**
 * The one depth for all pixels of all frames that has the least AbsRel: the median, weighted with 1/depth.
 *
 * @param truth depth of each frame, metres, all of one size
 * @param maxDepth metres; what is farther does not count
 * @returns its scores; undefined where nothing counts
 */
export function constantBaseline(truth: readonly Plane[], maxDepth: number): EvaluationResult | undefined {
  const depths = samples(truth, maxDepth).map(({ z }) => z)
  depths.sort((a, b) => a - b)
  let left = depths.reduce((sum, z) => sum + 1 / z, 0) / 2
  const best = depths.find((z) => (left -= 1 / z) <= 0)
  return best === undefined ? undefined : scores(truth, () => best, maxDepth)
}

/**
 * The plane over the picture, disparity = a + b·u + c·v, nearest to the whole video's by least squares.
 *
 * @returns its scores; undefined where what counts does not span a plane; else as above
 */
export function rampBaseline(truth: readonly Plane[], maxDepth: number): EvaluationResult | undefined {
  const found = plane(samples(truth, maxDepth))
  if (found === undefined) return undefined
  const [a, b, c] = found
  return scores(truth, (u, v) => 1 / Math.max(a + b * u + c * v, 1 / maxDepth), maxDepth)
}

function samples(truth: readonly Plane[], maxDepth: number): Sample[] {
  return truth.flatMap(({ data, width, height }) => {
    const found: Sample[] = []
    for (let p = 0; p < data.length; p += strideOf(width)) {
      const z = data[p] as number
      if (z > 0 && z < maxDepth) found.push({ u: (p % width) / width, v: Math.floor(p / width) / height, z })
    }
    return found
  })
}

function scores(
  truth: readonly Plane[],
  depthAt: (u: number, v: number) => number,
  maxDepth: number,
): EvaluationResult {
  const [first] = truth
  const { width, height } = first ?? { width: 0, height: 0 }
  const data = Float32Array.from({ length: width * height }, (_, p) =>
    depthAt((p % width) / width, Math.floor(p / width) / height),
  )
  const pairs = truth.map((frame) => ({ prediction: { data, width, height }, truth: frame }))
  return evaluateFrames(pairs, { kind: 'metric', alignment: 'none', maxDepth })
}

/** By the normal equations, around the means. Undefined where the points do not span a plane. */
function plane(points: readonly Sample[]): readonly [number, number, number] | undefined {
  const mean = (of: (point: Sample) => number): number => points.reduce((sum, p) => sum + of(p), 0) / points.length
  const [u0, v0, y0] = [mean(({ u }) => u), mean(({ v }) => v), mean(({ z }) => 1 / z)]
  const [uu, uv, vv] = [
    mean(({ u }) => (u - u0) ** 2),
    mean(({ u, v }) => (u - u0) * (v - v0)),
    mean(({ v }) => (v - v0) ** 2),
  ]
  const [uy, vy] = [mean(({ u, z }) => (u - u0) * (1 / z - y0)), mean(({ v, z }) => (v - v0) * (1 / z - y0))]
  const determinant = uu * vv - uv * uv
  if (!(determinant > 1e-12)) return undefined
  const b = (uy * vv - vy * uv) / determinant
  const c = (vy * uu - uy * uv) / determinant
  return [y0 - b * u0 - c * v0, b, c]
}
