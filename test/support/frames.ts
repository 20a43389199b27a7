// Owns: small helpers around frames and sources, for tests.
// Must not know: files, decoders.

import type { DepthMap, DepthKind, RgbFrame } from '../../dist/esm/base/frame.js'
import type { FrameSource } from '../../dist/esm/io/sources/source.js'

/** What came out before the source ended or failed. */
export interface Collected {
  readonly frames: RgbFrame[]
  readonly error: unknown
}

export async function collect(source: FrameSource): Promise<Collected> {
  const frames: RgbFrame[] = []
  try {
    for await (const frame of source) frames.push(frame)
  } catch (error) {
    return { frames, error }
  }
  return { frames, error: undefined }
}

export function worstDifference(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return Infinity
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - (b[i] ?? Infinity))), 0)
}

/** Depth `value(index, x, y)`, at 40 ms a frame. */
export function depthFrame(
  index: number,
  width: number,
  height: number,
  value: (index: number, x: number, y: number) => number,
  kind: DepthKind = 'disparity',
): DepthMap {
  const data = Float32Array.from({ length: width * height }, (_, i) => value(index, i % width, Math.floor(i / width)))
  return { index, timestampMs: index * 40, width, height, data, kind }
}
