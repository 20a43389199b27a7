// Owns: how much memory and work a picture's file may cause, by what its header claims and how large it is.
// Must not know: how pictures are decoded.

import type { Metadata } from 'sharp'
import { mostPixels } from '../../base/pixel-format.js'
import type { ImageFormat } from './image-kind.js'
import type { Size } from '../../base/frame.js'

/**
 * Decoded bytes that any file may claim: 8K with alpha, for a black frame compresses to nearly nothing. Beyond that so many
 * for each byte of the file, which is more than a picture of anything needs; what claims more is made to fill memory.
 */
const anyoneMay = 2 ** 27
const eachByteMay = 128
/** Pixels that all passes of a progressive JPEG together may visit, for each decoded byte allowed: 32 passes of 8K. */
const visitsOfByte = 8
/** What decoding takes beside the picture; libheif and libaom hold several copies (measured: 18 bytes a pixel). */
const heifWeight = 3

/** @param fileBytes size of the picture's file */
export function mostDecoded(fileBytes: number): number {
  return Math.max(anyoneMay, eachByteMay * fileBytes)
}

/** @throws Error saying what is beyond the limits */
export function checkSides({ width, height }: Size): void {
  if ([width, height].every((side) => side >= 1 && side <= mostPixels)) return
  throw new Error(`expected 1 to ${mostPixels} pixels a side, found ${width}×${height}`)
}

/** Before anything is decoded. @param file all of it @throws Error saying what is beyond the limits */
export function checkClaims(metadata: Metadata, format: ImageFormat, file: Buffer): void {
  checkSides(metadata)
  const { width, height, channels, depth } = metadata
  const decoded = width * height * channels * bytesOfDepth(depth) * (format === 'heif' ? heifWeight : 1)
  if (decoded > mostDecoded(file.length))
    throw new Error(`it claims ${width}×${height} pixels of ${channels} channels in ${file.length} bytes`)
  const passes = format === 'jpeg' ? jpegPasses(file) : 1
  if (passes * width * height > visitsOfByte * mostDecoded(file.length))
    throw new Error(`it claims ${passes} passes over ${width}×${height} pixels in ${file.length} bytes`)
}

/** Other numbers have no black and white that all programs agree on. @throws Error */
export function checkNumbers({ depth, space }: Metadata): void {
  if (['uchar', 'ushort'].includes(depth) || ['scrgb', 'lab', 'labs'].includes(space)) return
  throw new Error(`expected levels of 8 or 16 bits, found ${depth} (${space})`)
}

function bytesOfDepth(depth: string): number {
  if (depth === 'char' || depth === 'uchar') return 1
  return depth === 'short' || depth === 'ushort' ? 2 : depth === 'dpcomplex' ? 16 : 8
}

/** Starts of scans; those of a thumbnail count too. */
function jpegPasses(file: Buffer): number {
  const startOfScan = Buffer.of(0xff, 0xda)
  let passes = 0
  for (let at = file.indexOf(startOfScan); at >= 0; at = file.indexOf(startOfScan, at + 2)) passes++
  return passes
}
