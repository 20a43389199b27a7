// Owns: the fixture's 60 frames, and endless variations of them.
// Must not know: what is computed from them.

import path from 'node:path'
import { fixtures } from './checkpoint-files.js'
import { readNpz } from './npz.js'

export interface TinyFrame {
  /** [height, width, 3] */
  readonly data: Uint8Array<ArrayBuffer>
  readonly width: number
  readonly height: number
}

const stored = (await readNpz(path.join(fixtures, 'tiny_frames.npz'))).get('frames')
if (!(stored?.data instanceof Uint8Array)) throw new Error('the fixture has no frames')
const pixels = stored.data
const [count = 0, height = 0, width = 0] = stored.shape
const bytes = width * height * 3

/** @param index 0…59 */
export function tinyFrame(index: number): TinyFrame {
  return { data: pixels.slice(bytes * index, bytes * (index + 1)), width, height }
}

/** The clip forwards and backwards without end, each frame made brighter or darker by another amount. */
export function endlessFrame(index: number, seed = 0): TinyFrame {
  const position = (index + 7 * seed) % (2 * count - 2)
  const frame = tinyFrame(position < count ? position : 2 * count - 2 - position)
  const gain = 0.75 + 0.25 * Math.sin(0.37 * index + seed)
  for (let i = 0; i < bytes; i++) frame.data[i] = Math.round((frame.data[i] ?? 0) * gain)
  return frame
}
