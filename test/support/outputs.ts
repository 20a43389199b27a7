// Owns: what the tests of depth sinks write.
// Must not know: file formats.

import { join } from 'node:path'
import type { DepthKind } from '../../dist/esm/base/frame.js'
import type { DepthSink } from '../../dist/esm/io/sinks/sink.js'
import type { OutputSpec } from '../../dist/esm/io/sinks/sinks.js'
import { depthFrame } from './frames.js'

export const width = 34
export const height = 18
export const count = 7
export const value = (index: number, x: number, y: number): number => 0.5 + index + x / 10 + y / 100

/** Writes `count` frames and ends. */
export async function fill(
  sink: DepthSink,
  kind: DepthKind = 'disparity',
  size = { width, height },
): Promise<readonly string[]> {
  for (let index = 0; index < count; index++) await sink.write(depthFrame(index, size.width, size.height, value, kind))
  return sink.finish()
}

/** One of every kind. */
export function allOutputs(folder: string): OutputSpec[] {
  return [
    { format: 'raw', path: join(folder, 'd.f32') },
    { format: 'npz', path: join(folder, 'd.npz') },
    { format: 'png16', path: join(folder, 'png') },
    { format: 'video', path: join(folder, 'd.mp4') },
    { format: 'video', path: join(folder, 'live.mp4'), range: 'running', crf: 0 },
  ]
}
