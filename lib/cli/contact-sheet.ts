// Owns: a picture that shows a few frames of several videos, one video a row.
// Must not know: what the videos show.

import sharp, { type OverlayOptions } from 'sharp'
import type { RgbFrame } from '../frame.js'
import { outputError } from '../io/output-errors.js'
import { openVideo } from '../io/video-source.js'

const columns = 4
const gap = 6
const labelHeight = 22

/**
 * Frames at equal distances from the first to the last. All videos have the first one's size.
 *
 * @param frameCount of each video
 */
export async function writeContactSheet(
  videos: readonly string[],
  labels: readonly string[],
  frameCount: number,
  file: string,
  signal: AbortSignal,
): Promise<void> {
  const rows: RgbFrame[][] = []
  for (const video of videos) rows.push(await pick(video, frameCount, signal))
  const [first] = rows[0] ?? []
  if (first === undefined) return
  const width = columns * (first.width + gap) + gap
  const rowHeight = first.height + labelHeight + gap
  const tiles = rows.flatMap((row, y) => [
    { input: label(labels[y] ?? '', width), left: gap, top: y * rowHeight },
    ...row.map((frame, x) => tile(frame, gap + x * (first.width + gap), y * rowHeight + labelHeight)),
  ])
  const background = { r: 24, g: 24, b: 28 }
  const sheet = sharp({ create: { width, height: rows.length * rowHeight, channels: 3, background } }).composite(tiles)
  await sheet
    .png()
    .toFile(file)
    .catch((error: unknown) => {
      throw outputError(file, error)
    })
}

async function pick(video: string, frameCount: number, signal: AbortSignal): Promise<RgbFrame[]> {
  const step = Math.max(1, (frameCount - 1) / (columns - 1))
  const wanted = new Set(Array.from({ length: columns }, (_, i) => Math.round(i * step)))
  const frames: RgbFrame[] = []
  let index = 0
  for await (const frame of await openVideo(video, { maxRes: -1, signal })) if (wanted.has(index++)) frames.push(frame)
  return frames
}

function tile({ data, width, height }: RgbFrame, left: number, top: number): OverlayOptions {
  return {
    input: Buffer.from(data.buffer, data.byteOffset, data.byteLength),
    raw: { width, height, channels: 3 },
    left,
    top,
  }
}

function label(text: string, width: number): Buffer {
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width - gap}" height="${labelHeight}">` +
      `<text x="0" y="${labelHeight - 6}" font-family="sans-serif" font-size="14" fill="#dddddd">${text}</text></svg>`,
  )
}
