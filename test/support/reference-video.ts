// Owns: upstream's whole pipeline for a video in its plainest form: every window encoded anew, everything kept.
// Must not know: how lib/ plans windows, stitches or resizes.

import type { PreparedGraphs } from '../../dist/esm/prepare/graph/prepare-graphs.js'
import { referencePreprocess } from './reference-preprocess.js'
import { runWindow } from './run-graphs.js'

/** From upstream's video_depth.py: INFER_LEN, OVERLAP, KEYFRAMES, INTERP_LEN. */
const inferLength = 32
const overlap = 10
const keyframes = [0, 12, 24, 25, 26, 27, 28, 29, 30, 31]
const blended = 8

export interface Picture {
  readonly data: Uint8Array
  readonly width: number
  readonly height: number
}

/** What upstream's infer_video_depth gives. @param graphs for windows of 32, with batches of 1 */
export async function referenceVideo(graphs: PreparedGraphs, frames: readonly Picture[]): Promise<Float32Array[]> {
  const [, , inputHeight = 0, inputWidth = 0] = graphs.ports.encoder.inputs['pixels'] ?? []
  const step = inferLength - overlap
  const list = frames.map(({ data, width, height }) =>
    referencePreprocess(data, width, height, inputWidth, inputHeight),
  )
  const padding = ((step - (frames.length % step)) % step) + overlap
  for (let i = 0; i < padding; i++) list.push(at(list, frames.length - 1))
  const windows: Float32Array[][] = []
  let previous: Float32Array[] | undefined
  for (let first = 0; first < frames.length; first += step) {
    const current = list.slice(first, first + inferLength)
    if (previous !== undefined) for (const [i, key] of keyframes.entries()) current[i] = at(previous, key)
    const { depth } = await runWindow(graphs, current)
    const { width, height } = at(frames, 0)
    windows.push(depth.map((map) => upsample(map, inputWidth, inputHeight, width, height)))
    previous = current
  }
  return stitch(windows).slice(0, frames.length)
}

function stitch(windows: readonly (readonly Float32Array[])[]): Float32Array[] {
  const aligned = [...at(windows, 0)]
  const kept = keyframes.slice(0, overlap - blended)
  let reference = kept.map((key) => at(aligned, key))
  for (const window of windows.slice(1)) {
    const [scale, shift] = scaleAndShift(window.slice(0, kept.length), reference)
    const moved = window.map((map) => map.map((value) => Math.max(0, value * scale + shift)))
    for (let i = 0; i < blended; i++) {
      const place = aligned.length - blended + i
      const [before, after, weight] = [at(aligned, place), at(moved, kept.length + i), i / (blended - 1)]
      aligned[place] = before.map((value, p) => value * (1 - weight) + (after[p] ?? Number.NaN) * weight)
    }
    aligned.push(...moved.slice(overlap))
    reference = [at(reference, 0), ...kept.slice(1).map((key) => at(moved, key))]
  }
  return aligned
}

/** Least squares over all pixels of all maps. */
function scaleAndShift(from: readonly Float32Array[], to: readonly Float32Array[]): [number, number] {
  let [a00, a01, a11, b0, b1] = [0, 0, 0, 0, 0]
  for (const [i, map] of from.entries()) {
    for (const [p, value] of map.entries()) {
      const target = to[i]?.[p] ?? Number.NaN
      a00 += value * value
      a01 += value
      a11 += 1
      b0 += value * target
      b1 += target
    }
  }
  const determinant = a00 * a11 - a01 * a01
  if (determinant === 0) return [1, 0]
  return [(a11 * b0 - a01 * b1) / determinant, (a00 * b1 - a01 * b0) / determinant]
}

/** Bilinear, corners on corners. */
function upsample(map: Float32Array, width: number, height: number, outWidth: number, outHeight: number): Float32Array {
  const out = new Float32Array(outWidth * outHeight)
  for (let y = 0; y < outHeight; y++) {
    const row = (y * (height - 1)) / (outHeight - 1)
    const [top, bottom] = [Math.floor(row), Math.min(height - 1, Math.floor(row) + 1)]
    for (let x = 0; x < outWidth; x++) {
      const column = (x * (width - 1)) / (outWidth - 1)
      const [left, right] = [Math.floor(column), Math.min(width - 1, Math.floor(column) + 1)]
      const mix = (line: number): number => {
        const [a = Number.NaN, b = Number.NaN] = [map[line * width + left], map[line * width + right]]
        return a + (b - a) * (column - left)
      }
      out[y * outWidth + x] = mix(top) + (mix(bottom) - mix(top)) * (row - top)
    }
  }
  return out
}

function at<T>(list: readonly T[], index: number): T {
  const found = list[index]
  if (found === undefined) throw new Error(`nothing at ${index}`)
  return found
}
