// Owns: which kind of picture a file is, by its first bytes, whatever it is called.
// Must not know: how pictures are decoded, files.

import { extname } from 'node:path'

/** Formats that are read; `heif` is AVIF and HEIC. */
export type ImageFormat = 'png' | 'jpeg' | 'webp' | 'tiff' | 'gif' | 'heif' | 'bmp' | 'pnm'

export interface ImageKind {
  readonly format: ImageFormat
  /** It says that it is a film: of PNG, WebP and HEIF. For GIF and TIFF this takes a decoder. */
  readonly isAnimated: boolean
}

/** So many first bytes suffice, except for a PNG whose animation is announced behind long texts. */
export const headBytes = 4096

const readExtensions: readonly string[] = [
  ...['.png', '.apng', '.jpg', '.jpeg', '.jpe', '.jfif', '.webp', '.tif', '.tiff', '.gif', '.bmp', '.dib'],
  ...['.avif', '.avifs', '.heic', '.heif', '.hif', '.ppm', '.pgm', '.pbm', '.pnm', '.pam'],
]

/** Pictures by their name that nothing here reads: among others they are refused, not passed over. */
const otherExtensions: readonly string[] = [
  ...['.jxl', '.jp2', '.j2k', '.jpf', '.jpx', '.jxr', '.tga', '.qoi', '.exr', '.hdr', '.pfm', '.dpx', '.cin', '.dds'],
  ...['.psd', '.pcx', '.sgi', '.rgb', '.xpm', '.xbm', '.ico', '.svg', '.svgz', '.dng', '.cr2', '.cr3', '.nef', '.arw'],
  ...['.orf', '.rw2', '.raf', '.raw', '.heics', '.fits', '.ras', '.xwd', '.wbmp', '.eps', '.bpg'],
]

export function isImagePath(path: string): boolean {
  return readExtensions.includes(extname(path).toLowerCase())
}

export function isOtherImagePath(path: string): boolean {
  return otherExtensions.includes(extname(path).toLowerCase())
}

/** Undefined for anything else than a picture that is read. @param head the file's first bytes, or all of them */
export function imageKind(head: Buffer): ImageKind | undefined {
  const text = (from: number, to: number): string => head.toString('latin1', from, to)
  const still = (format: ImageFormat): ImageKind => ({ format, isAnimated: false })
  if (text(0, 8) === '\x89PNG\r\n\x1a\n') return { format: 'png', isAnimated: isAnimatedPng(head) }
  if (text(0, 3) === '\xff\xd8\xff') return still('jpeg')
  if (text(0, 4) === 'RIFF' && text(8, 12) === 'WEBP')
    return { format: 'webp', isAnimated: text(12, 16) === 'VP8X' && ((head[20] ?? 0) & 2) !== 0 }
  if (['II*\0', 'MM\0*', 'II+\0', 'MM\0+'].includes(text(0, 4))) return still('tiff')
  if (['GIF87a', 'GIF89a'].includes(text(0, 6))) return still('gif')
  if (text(0, 2) === 'BM' && head.length >= 18 && bmpHeaders.includes(head.readUInt32LE(14))) return still('bmp')
  if (/^P[1-7]\s/.test(text(0, 3))) return still('pnm')
  return text(4, 8) === 'ftyp' ? heifKind(text(8, 12)) : undefined
}

/** Bytes of the headers that Windows and OS/2 have written. */
const bmpHeaders: readonly number[] = [12, 16, 40, 52, 56, 64, 108, 124]

/** By the brand that the file puts first: films in the same container (MP4 and so on) put others there. */
function heifKind(brand: string): ImageKind | undefined {
  if (['avis', 'msf1', 'hevc', 'hevx'].includes(brand)) return { format: 'heif', isAnimated: true }
  if (['avif', 'mif1', 'mif2', 'miaf', 'heic', 'heix', 'heim', 'heis'].includes(brand))
    return { format: 'heif', isAnimated: false }
  return undefined
}

/** An animation control chunk stands before the first picture's data. */
function isAnimatedPng(bytes: Buffer): boolean {
  for (let at = 8; at + 12 <= bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    const type = bytes.toString('latin1', at + 4, at + 8)
    if (type === 'acTL') return bytes.readUInt32BE(at + 8) > 1
    if (type === 'IDAT') return false
  }
  return false
}
