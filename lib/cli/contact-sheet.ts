// Owns: a picture of labelled rows of pictures, with a heading.
// Must not know: what the pictures show.

import type { OverlayOptions } from 'sharp'
import { AtomicFile } from '../io/atomic-output.js'
import { outputError } from '../io/output-errors.js'
import { loadSharp } from '../libraries.js'

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
  const background = { r: 24, g: 24, b: 28 }
  const sharp = await loadSharp()
  const output = await AtomicFile.create(file)
  try {
    await sharp({ create: { width, height: top + rows.length * rowHeight, channels: 3, background } })
      .composite([...title, ...overlays])
      .png()
      .toFile(output.temporary)
    await output.commit()
  } catch (error) {
    await output.discard()
    throw outputError(file, error)
  }
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
