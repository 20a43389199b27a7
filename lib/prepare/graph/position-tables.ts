// Owns: the two position tables: the encoder's for other grids, the temporal one for longer windows.
// Must not know: graphs, files.

import { VideoDepthError } from '../../base/errors.js'

/** Coefficient of PyTorch's and OpenCV's bicubic kernel. */
const a = -0.75
/** DINOv2's offset against rounding; it also moves the sampling coordinates. */
const interpolationOffset = 0.1

interface Sample {
  readonly indices: readonly [number, number, number, number]
  readonly weights: readonly [number, number, number, number]
}

/**
 * Bicubic resampling as torch.nn.functional.interpolate does it when given scale factors
 * (rows + 0.1)/side and (cols + 0.1)/side: coordinates follow the given factors, in float32, not the sizes' ratio.
 *
 * @param table [side, side, width] float32
 * @returns [rows, cols, width] float32
 */
export function resamplePositions(
  table: Float32Array,
  side: number,
  width: number,
  rows: number,
  cols: number,
): Float32Array {
  const across = axisSamples(side, cols)
  const narrow = new Float32Array(side * cols * width)
  for (let row = 0; row < side; row++) {
    for (const [col, sample] of across.entries()) {
      blend(narrow, (row * cols + col) * width, width, table, sample, (index) => (row * side + index) * width)
    }
  }
  const out = new Float32Array(rows * cols * width)
  for (const [row, sample] of axisSamples(side, rows).entries()) {
    for (let col = 0; col < cols; col++) {
      blend(out, (row * cols + col) * width, width, narrow, sample, (index) => (index * cols + col) * width)
    }
  }
  return out
}

function blend(
  out: Float32Array,
  to: number,
  width: number,
  from: Float32Array,
  { indices, weights }: Sample,
  start: (index: number) => number,
): void {
  const [s0, s1, s2, s3] = [start(indices[0]), start(indices[1]), start(indices[2]), start(indices[3])]
  const [w0, w1, w2, w3] = weights
  for (let c = 0; c < width; c++) {
    out[to + c] =
      w0 * (from[s0 + c] ?? 0) + w1 * (from[s1 + c] ?? 0) + w2 * (from[s2 + c] ?? 0) + w3 * (from[s3 + c] ?? 0)
  }
}

function axisSamples(side: number, length: number): Sample[] {
  const step = Math.fround(1 / ((length + interpolationOffset) / side))
  const clamp = (index: number): number => Math.min(side - 1, Math.max(0, index))
  return Array.from({ length }, (_, i) => {
    const source = Math.fround(Math.fround(step * (i + 0.5)) - 0.5)
    const first = Math.floor(source)
    const t = Math.fround(source - first)
    return {
      indices: [clamp(first - 1), clamp(first), clamp(first + 1), clamp(first + 2)],
      weights: [far(t + 1), near(t), near(1 - t), far(2 - t)],
    }
  })
}

/** The kernel within one sample of the centre. */
function near(x: number): number {
  return ((a + 2) * x - (a + 3)) * x * x + 1
}

/** The kernel between one and two samples from the centre. */
function far(x: number): number {
  return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
}

/** The formula's own float32 rounding differs between machines by a few units in the last place. */
const tolerance = 1e-4

/**
 * Rows of the sinusoidal table for a window longer than the stored one.
 *
 * @param stored [storedLength, width] float32
 * @returns [length, width] float32, the stored rows first
 * @throws VideoDepthError CHECKPOINT_MISMATCH where the stored table is not the formula's (it was trained further)
 */
export function extendTemporalTable(stored: Float32Array, width: number, length: number): Float32Array {
  const table = sinusoids(width, length)
  const differs = stored.some((value, i) => !(Math.abs(value - (table[i] ?? Number.NaN)) <= tolerance))
  if (differs) {
    throw new VideoDepthError(
      'CHECKPOINT_MISMATCH',
      `The checkpoint's temporal position table is not the sinusoidal one, so it cannot be extended from ` +
        `${stored.length / width} to ${length} frames; use windows of at most ${stored.length / width}`,
    )
  }
  table.set(stored)
  return table
}

/** sin and cos alternate along the width, frequencies from 1 down to 1/10000; rounded to float32 where PyTorch rounds. */
function sinusoids(width: number, length: number): Float32Array {
  const table = new Float32Array(length * width)
  const exponent = Math.fround(-Math.log(10000) / width)
  for (let i = 0; i < width; i += 2) {
    const frequency = Math.fround(Math.exp(Math.fround(i * exponent)))
    for (let position = 0; position < length; position++) {
      const angle = Math.fround(position * frequency)
      table[position * width + i] = Math.sin(angle)
      if (i + 1 < width) table[position * width + i + 1] = Math.cos(angle)
    }
  }
  return table
}
