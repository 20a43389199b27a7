// Owns: the clip that int8 is compared with float32 on.
// Must not know: engines, what is compared.

import { sampleVideo } from '../../../evaluate/bundled-sample.js'
import type { RgbFrame } from '../../../base/frame.js'
import { openVideo } from '../../../io/sources/video-source.js'

/** Raised when anything here changes: figures that are kept are of the clip that was. */
export const clipVersion = 4

/** Frames, seen as one window. */
export const clipFrames = 8

/** Small, so that the comparison takes a second or so; the shape is the clip's. Patches. */
export const clipGrid = { rows: 15, cols: 20 }

/** Frames of the video from one that is taken to the next. */
const stride = 5

/** The bundled sample's first second and a half: people that walk, near and far things, edges, textures. */
export async function* calibrationClip(): AsyncGenerator<RgbFrame, void> {
  let index = 0
  for await (const frame of await openVideo(sampleVideo, { maxLen: (clipFrames - 1) * stride + 1 }))
    if (index++ % stride === 0) yield frame
}
