// Owns: the clip that int8 is compared with float32 on.
// Must not know: engines, what is compared.

import type { RgbFrame } from '../../../frame.js'
import { patchSize } from '../../../model/input-size.js'
import { renderSequence } from '../../../scene/sequence.js'

/** Raised when anything here changes: figures that are kept are of the clip that was. */
export const clipVersion = 3

/** Frames, seen as one window. */
export const clipFrames = 8

/** Small, so that the comparison takes a second or so. Patches. */
export const clipGrid = { rows: 15, cols: 20 }

/** A walk through a rendered courtyard: edges, textures, near and far, something that moves. Rendered one by one. */
export function calibrationClip(): AsyncIterable<RgbFrame> {
  const width = clipGrid.cols * patchSize
  const height = clipGrid.rows * patchSize
  return renderSequence({ seed: 1, frames: clipFrames, frameRate: 10, width, height, antialias: false })
}
