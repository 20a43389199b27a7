// Owns: pictures of labelled pictures, with a heading: rows of them, and an animation.
// Must not know: what the pictures show.

import type { OverlayOptions } from 'sharp'
import { writeFileAtomically } from '../../io/sinks/atomic-output.js'
import { loadSharp } from '../../base/libraries.js'

export interface Tile {
  /** [height, width, 3] RGB, 8 bits a channel. */
  readonly data: Uint8Array
  /** Pixels. */
  readonly width: number
  readonly height: number
}

export interface SheetRow {
  readonly label: string
  /** As many in each row, all of one size. */
  readonly tiles: readonly Tile[]
}

export interface Animation {
  readonly labels: readonly string[]
  /** One a frame: as many tiles side by side as labels, all of one size. */
  readonly frames: readonly (readonly Tile[])[]
  readonly delayMs: number
}

const background = { r: 24, g: 24, b: 28 }
const gap = 6
const labelHeight = 22
const headingLine = 24

/** @param heading lines above everything */
export async function writeContactSheet(
  heading: readonly string[],
  rows: readonly SheetRow[],
  file: string,
): Promise<void> {
  const first = rows[0]?.tiles[0]
  if (first === undefined) return
  const columns = Math.max(...rows.map(({ tiles }) => tiles.length))
  const width = columns * (first.width + gap) + gap
  const rowHeight = first.height + labelHeight + gap
  const top = heading.length * headingLine + gap
  const overlays = rows.flatMap(({ label, tiles }, y) => [
    text([label], width - gap, labelHeight, 14, gap, top + y * rowHeight),
    ...tiles.map((tile, x) => placed(tile, gap + x * (first.width + gap), top + y * rowHeight + labelHeight)),
  ])
  const title = heading.length === 0 ? [] : [text(heading, width - gap, headingLine, 15, gap, gap)]
  const sharp = await loadSharp()
  const sheet = sharp({ create: { width, height: top + rows.length * rowHeight, channels: 3, background } })
  await writeFileAtomically(file, (temporary) =>
    sheet
      .composite([...title, ...overlays])
      .png()
      .toFile(temporary),
  )
}

/** An animated WebP. @param heading lines above everything */
export async function writeAnimation(heading: readonly string[], animation: Animation, file: string): Promise<void> {
  const { labels, frames, delayMs } = animation
  const first = frames[0]?.[0]
  if (first === undefined) return
  const width = labels.length * (first.width + gap) + gap
  const top = heading.length * headingLine + gap
  const height = top + labelHeight + first.height + gap
  const left = (column: number): number => gap + column * (first.width + gap)
  const sharp = await loadSharp()
  const frame = await sharp({ create: { width, height, channels: 3, background } })
    .composite([
      text(heading, width - gap, headingLine, 15, gap, gap),
      ...labels.map((label, column) => text([label], first.width, labelHeight, 14, left(column), top)),
    ])
    .removeAlpha()
    .raw()
    .toBuffer()
  const pages = Buffer.alloc(frames.length * frame.length)
  for (const [i, tiles] of frames.entries()) {
    const page = pages.subarray(i * frame.length, (i + 1) * frame.length)
    frame.copy(page)
    for (const [column, tile] of tiles.entries()) copyTile(tile, page, width, left(column), top + labelHeight)
  }
  const stack = sharp(pages, { raw: { width, height: frames.length * height, channels: 3, pageHeight: height } })
  await writeFileAtomically(file, (temporary) => stack.webp({ quality: 80, delay: delayMs, loop: 0 }).toFile(temporary))
}

function copyTile(tile: Tile, page: Buffer, pageWidth: number, left: number, top: number): void {
  const row = 3 * tile.width
  for (let y = 0; y < tile.height; y++)
    page.set(tile.data.subarray(y * row, (y + 1) * row), 3 * ((top + y) * pageWidth + left))
}

function placed({ data, width, height }: Tile, left: number, top: number): OverlayOptions {
  const input = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  return { input, raw: { width, height, channels: 3 }, left, top }
}

function text(
  lines: readonly string[],
  width: number,
  lineHeight: number,
  size: number,
  left: number,
  top: number,
): OverlayOptions {
  const spans = lines.map((line, i) => `<text x="0" y="${(i + 1) * lineHeight - 6}">${escaped(line)}</text>`)
  const input = Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${lines.length * lineHeight}" ` +
      `font-family="sans-serif" font-size="${size}" fill="#dddddd">${spans.join('')}</svg>`,
  )
  return { input, left, top }
}

function escaped(line: string): string {
  return line.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
