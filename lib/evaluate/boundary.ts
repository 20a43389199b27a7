// Owns: how well depth's occluding boundaries agree with those of true depth, or with the outline of a mask.
// Must not know: how depth was aligned; a scale does not matter here, a shift of disparity does.

import { invalidOption } from '../base/errors.js'
import { checkMaps, type ComparedMaps } from './compared-maps.js'

/** Depth Pro's ten ratios from 1.05 to 1.25, each of which weighs what it is. */
const thresholds = Array.from({ length: 10 }, (_, i) => 1.05 + i * ((1.25 - 1.05) / 9))
const weightSum = thresholds.reduce((sum, threshold) => sum + threshold, 0)
/** Nearer depth counts as this. Metres. */
const leastDepth = 1e-6
/** A mask is foreground above this part of its full value. */
const opaque = 0.1

/**
 * Boundary F1 of Depth Pro (Bochkovskii et al. 2024, section 4): two neighbours have a boundary between them where their
 * depths' ratio exceeds a threshold, apart for each of the four directions (which neighbour is in front). Precision and
 * recall are means over the directions, F1 is made of both, and the result is F1's mean over the thresholds, weighted by
 * them. Neighbours of which one is not valid are left out (Depth Pro has dense truth only).
 *
 * @param maps metres @returns 0…1; 0 where neither has boundaries @throws VideoDepthError INVALID_OPTION
 */
export function boundaryF1(maps: ComparedMaps): number {
  checkMaps(maps)
  const counts = directions.map(() => new DirectionCounts())
  eachNeighbour(maps, (direction, a, b) => {
    if (maps.valid[a] === 0 || maps.valid[b] === 0) return
    const predicted = level(bounded(maps.prediction[a]) / bounded(maps.prediction[b]))
    const real = level(bounded(maps.truth[a]) / bounded(maps.truth[b]))
    counts[direction]?.add(predicted, real)
  })
  return thresholds.reduce((sum, threshold, i) => {
    const parts = counts.map((count) => count.at(i))
    const precision = mean(parts.map(({ both, predicted }) => both / Math.max(predicted, 1)))
    const recall = mean(parts.map(({ both, real }) => both / Math.max(real, 1)))
    const f1 = precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall)
    return sum + (f1 * threshold) / weightSum
  }, 0)
}

/** A depth map and the matte that it is compared with, of the same size in pixels. */
export interface MaskedDepth {
  /** [height, width] metres. */
  readonly prediction: ArrayLike<number>
  /** [height, width] opacity of what is in front, 0…1. */
  readonly mask: ArrayLike<number>
  readonly width: number
  readonly height: number
}

/**
 * Boundary recall of Depth Pro for matting masks: which part of the mask's outline is a boundary of depth with the mask in
 * front; the mean over directions and, weighted, over thresholds as `boundaryF1`. Boundaries of depth are thinned first: of
 * neighbours in a row (or column) that all exceed the threshold the largest ratio alone stays.
 *
 * @returns 0…1; a direction without outline counts as 0 @throws VideoDepthError INVALID_OPTION
 */
export function boundaryRecall(masked: MaskedDepth): number {
  if (typeof masked !== 'object' || (masked as unknown) === null) throw invalidOption('an object', 'depth', masked)
  const { prediction, mask, width, height } = masked
  const size = width * height
  for (const [name, values] of [['prediction', prediction] as const, ['mask', mask] as const])
    if (typeof values !== 'object' || (values as unknown) === null) throw invalidOption('values', name, values)
    else if (values.length !== size)
      throw invalidOption(`${size} values (${width}×${height})`, name, `${values.length} values`)
  const isFront = (i: number): boolean => (mask[i] as number) > opaque
  const recalls = directions.map(({ step, back }) => {
    const hits = new Float64Array(thresholds.length)
    let outline = 0
    for (const line of lines(step, width, height)) {
      const edges = line.map((a) => pairAt(a, step, width, back))
      const ratios = edges.map(([front, behind]) => bounded(prediction[behind]) / bounded(prediction[front]))
      const isOutline = edges.map(([front, behind]) => isFront(front) && !isFront(behind))
      outline += isOutline.filter(Boolean).length
      thresholds.forEach((threshold, i) => {
        for (const peak of peaks(ratios, threshold)) if (isOutline[peak] === true) hits[i] = (hits[i] as number) + 1
      })
    }
    return hits.map((hit) => hit / Math.max(outline, 1))
  })
  return thresholds.reduce(
    (sum, threshold, i) => sum + (mean(recalls.map((recall) => recall[i] as number)) * threshold) / weightSum,
    0,
  )
}

/** Right, left, down, up: the neighbour, and whether it is the one in front. */
const directions = [
  { step: 'x', back: false },
  { step: 'x', back: true },
  { step: 'y', back: false },
  { step: 'y', back: true },
] as const

type Step = 'x' | 'y'

/** The pixel in front and the one behind it, of pixel `a` and its next one. */
function pairAt(a: number, step: Step, width: number, back: boolean): [front: number, behind: number] {
  const b = a + (step === 'x' ? 1 : width)
  return back ? [b, a] : [a, b]
}

/** Calls `visit` with every pixel behind, and the pixel in front of it, for each direction. */
function eachNeighbour(
  { width, height }: ComparedMaps,
  visit: (direction: number, behind: number, front: number) => void,
): void {
  for (const [index, { step, back }] of directions.entries()) {
    const [columns, rows] = step === 'x' ? [width - 1, height] : [width, height - 1]
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        const [front, behind] = pairAt(y * width + x, step, width, back)
        visit(index, behind, front)
      }
    }
  }
}

/** First pixels of neighbours, row by row or column by column. */
function* lines(step: Step, width: number, height: number): Generator<number[]> {
  const [count, length] = step === 'x' ? [height, width - 1] : [width, height - 1]
  for (let line = 0; line < count; line++)
    yield Array.from({ length }, (_, i) => (step === 'x' ? line * width + i : i * width + line))
}

/** Where each run of values above the threshold has its (first) largest. */
function* peaks(values: readonly number[], threshold: number): Generator<number> {
  let peak: number | undefined
  for (const [i, value] of values.entries()) {
    if (!(value > threshold)) {
      if (peak !== undefined) yield peak
      peak = undefined
    } else if (peak === undefined || value > (values[peak] as number)) {
      peak = i
    }
  }
  if (peak !== undefined) yield peak
}

const bounded = (depth: number | undefined): number => Math.max(depth as number, leastDepth)

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** How many thresholds a ratio exceeds. */
function level(ratio: number): number {
  let exceeded = 0
  while (exceeded < thresholds.length && ratio > (thresholds[exceeded] as number)) exceeded++
  return exceeded
}

/** Neighbours by how many thresholds the prediction, the truth and both of them exceed. */
class DirectionCounts {
  readonly #predicted = new Float64Array(thresholds.length + 1)
  readonly #real = new Float64Array(thresholds.length + 1)
  readonly #both = new Float64Array(thresholds.length + 1)

  add(predicted: number, real: number): void {
    increment(this.#predicted, predicted)
    increment(this.#real, real)
    increment(this.#both, Math.min(predicted, real))
  }

  /** Those that exceed threshold `i`. */
  at(i: number): { predicted: number; real: number; both: number } {
    const above = (counts: Float64Array): number => counts.subarray(i + 1).reduce((sum, count) => sum + count, 0)
    return { predicted: above(this.#predicted), real: above(this.#real), both: above(this.#both) }
  }
}

function increment(counts: Float64Array, at: number): void {
  counts[at] = (counts[at] as number) + 1
}
