// Owns: rectangles of numbers: cut out of larger ones, and scaled to another size.
// Must not know: what the numbers mean.

import { invalidOption } from '../base/errors.js'
import type { Crop, Slice } from './evaluation-options.js'

/** Row-major, [height, width]. */
export interface Plane<A extends Float32Array | Float64Array | Uint8Array = Float32Array | Float64Array> {
  readonly data: A
  /** Pixels. */
  readonly width: number
  readonly height: number
}

/** @throws VideoDepthError INVALID_OPTION where the data is not of the size that it says */
export function checkPlane(
  { data, width, height }: Plane<Float32Array | Float64Array | Uint8Array>,
  name: string,
): void {
  if (!(Number.isInteger(width) && width > 0)) throw invalidOption('a positive whole number', `${name}.width`, width)
  if (!(Number.isInteger(height) && height > 0))
    throw invalidOption('a positive whole number', `${name}.height`, height)
  if (data.length !== width * height)
    throw invalidOption(`${width * height} values (${width}×${height})`, `${name}.data`, `${data.length} values`)
}

/** The same plane where there is no crop. @throws VideoDepthError INVALID_OPTION where nothing is left */
export function cropped<A extends Float32Array | Float64Array | Uint8Array>(
  plane: Plane<A>,
  crop: Crop | undefined,
): Plane<A> {
  if (crop === undefined) return plane
  const [top, bottom] = resolved(crop.rows, plane.height)
  const [left, right] = resolved(crop.columns, plane.width)
  const [width, height] = [right - left, bottom - top]
  if (width <= 0 || height <= 0)
    throw invalidOption(`a crop that leaves something of ${plane.width}×${plane.height}`, 'crop', JSON.stringify(crop))
  if (width === plane.width && height === plane.height) return plane
  const data = new (plane.data.constructor as new (length: number) => A)(width * height)
  for (let y = 0; y < height; y++) {
    const from = (top + y) * plane.width + left
    data.set(plane.data.subarray(from, from + width), y * width)
  }
  return { data, width, height }
}

function resolved([from, to]: Slice, length: number): [from: number, to: number] {
  const index = (at: number): number => Math.min(Math.max(at < 0 ? at + length : at, 0), length)
  return [index(from), index(to)]
}

/**
 * Bilinear between pixel centres without smoothing before, as OpenCV 5's `resize` (INTER_LINEAR); older versions round
 * positions to float32, which moves scores by about 1e-6 of their value. The same plane where the size is the same.
 */
export function resized(plane: Plane<Float32Array>, width: number, height: number): Plane<Float32Array> {
  if (plane.width === width && plane.height === height) return plane
  const columns = taps(plane.width, width)
  const rows = taps(plane.height, height)
  const data = new Float32Array(width * height)
  for (let y = 0; y < height; y++) {
    const [upper, lower] = [(rows.first[y] as number) * plane.width, (rows.second[y] as number) * plane.width]
    const down = rows.weight[y] as number
    for (let x = 0; x < width; x++) {
      const [left, right] = [columns.first[x] as number, columns.second[x] as number]
      const across = columns.weight[x] as number
      const above = mixed(plane.data[upper + left] as number, plane.data[upper + right] as number, across)
      const below = mixed(plane.data[lower + left] as number, plane.data[lower + right] as number, across)
      data[y * width + x] = mixed(above, below, down)
    }
  }
  return { data, width, height }
}

/** A weight of 0 leaves out its value, which may be infinite. */
const mixed = (a: number, b: number, weight: number): number => (weight === 0 ? a : a * (1 - weight) + b * weight)

interface Taps {
  readonly first: Int32Array
  readonly second: Int32Array
  /** The second one's weight. */
  readonly weight: Float64Array
}

function taps(from: number, to: number): Taps {
  const [first, second, weight] = [new Int32Array(to), new Int32Array(to), new Float64Array(to)]
  for (let i = 0; i < to; i++) {
    const at = (i + 0.5) * (from / to) - 0.5
    const whole = Math.floor(at)
    first[i] = Math.min(Math.max(whole, 0), from - 1)
    second[i] = Math.min((first[i] as number) + 1, from - 1)
    weight[i] = whole < 0 || whole >= from - 1 ? 0 : at - whole
  }
  return { first, second, weight }
}
