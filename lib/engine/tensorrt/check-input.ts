// Owns: the pictures and window positions of the self-check.
// Must not know: engines, plans, what is compared.

import { type NativePicture, rgbPicture } from '../../base/pixel-format.js'

/** Different pictures of a check: few, because each is encoded on the processor too. */
export const pictureCount = 4

/** Raised when anything here changes: stored references are of the pictures that were. */
export const checkVersion = 1

/** Slopes, edges, a disc that moves, and noise: the same bytes on every machine. */
export function checkPicture(
  index: number,
  width: number,
  height: number,
): NativePicture & { data: Uint8Array<ArrayBuffer> } {
  const data = new Uint8Array(width * height * 3)
  let noise = 0x9e3779b9 ^ (index + 1)
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      noise = (Math.imul(noise, 1664525) + 1013904223) >>> 0
      const grain = (noise >>> 28) - 8
      const floor = y > height * 0.6 ? 60 : 0
      const disc = Math.hypot(x - width * (0.3 + 0.1 * index), y - height * 0.45) < height * 0.2 ? 90 : 0
      data[at++] = clamped((x * 160) / width + disc + grain)
      data[at++] = clamped((y * 160) / height + floor + grain)
      data[at++] = clamped(200 - (x * 80) / width - (y * 80) / height - disc / 2 + grain)
    }
  }
  return { ...rgbPicture({ data, width, height, timestampMs: 0 }), data }
}

const clamped = (value: number): number => Math.max(0, Math.min(255, Math.round(value)))

/** Which picture each position of a window shows. */
export function windowPictures(windowLength: number): number[] {
  return Array.from({ length: windowLength }, (_, position) => position % pictureCount)
}

/** Positions whose maps are compared: one of each picture, spread over the window. */
export function comparedPositions(windowLength: number): number[] {
  return Array.from({ length: pictureCount }, (_, i) => Math.floor((i * windowLength) / pictureCount) + i)
}

/** Frames of a checked stream: a first one, one that sees it, one that sees both. */
export const streamFrames = 3
