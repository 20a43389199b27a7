// Owns: what a picture's layout comes to: defaults, strides, byte counts, and the checks of all of them.
// Must not know: where pictures come from, how pixels are converted.

import { expected, VideoDepthError } from './errors.js'
import {
  colorMatrices,
  colorRanges,
  pixelFormats,
  type ColorMatrix,
  type ColorRange,
  type PixelFormat,
  type PixelLayout,
  type RgbFrame,
} from './frame.js'
import type { Names } from './known-options.js'

export const pictureNames: Names<LaidOutPicture> = {
  data: true,
  width: true,
  height: true,
  pixelFormat: true,
  strideBytes: true,
  colorMatrix: true,
  colorRange: true,
}

/** Widest picture that the core takes, pixels a side. */
export const mostPixels = 32_768

/** A picture whose layout may be left to the defaults. */
export interface LaidOutPicture extends PixelLayout {
  readonly data: Uint8Array | Uint8ClampedArray
  /** Pixels. */
  readonly width: number
  readonly height: number
}

/** A picture with all of its layout said; see PixelFormat for the order of its bytes. Borrowed for the call: what works on
 * it off the JS thread copies it first, as nothing could keep its owner from transferring or resizing it. */
export interface NativePicture {
  /** At least as many bytes as the rows up to the last pixel take. */
  readonly data: Uint8Array
  /** Pixels, 1…32768. */
  readonly width: number
  readonly height: number
  readonly pixelFormat: PixelFormat
  /** From one row to the next; for `nv12` in both planes, and chroma begins at strideBytes · height. */
  readonly strideBytes: number
  readonly colorMatrix: ColorMatrix
  readonly colorRange: ColorRange
}

/** Tightly packed RGB. @throws VideoDepthError FRAME_INVALID as somebody else's source may give anything */
export function rgbPicture({ data, width, height }: RgbFrame): NativePicture {
  const bytes = width * height * 3
  if (!(data instanceof Uint8Array) || data.byteLength !== bytes)
    throw invalid('A frame', `a Uint8Array of ${bytes} bytes (${width}×${height} rgb24)`, 'data', data)
  const strideBytes = rowBytes('rgb24', width)
  return { data, width, height, pixelFormat: 'rgb24', strideBytes, colorMatrix: 'bt601', colorRange: 'full' }
}

/** Bytes of a row's pixels. */
export function rowBytes(format: PixelFormat, width: number): number {
  switch (format) {
    case 'rgb24':
    case 'bgr24':
      return width * 3
    case 'rgba':
    case 'bgra':
      return width * 4
    case 'gray8':
      return width
    case 'nv12':
      return width + (width % 2) // the chroma rows' length
    case 'yuyv422':
      return (width + (width % 2)) * 2
  }
}

/** Rows of `strideBytes` that a picture's bytes have, chroma rows included. */
function rowCount(format: PixelFormat, height: number): number {
  return format === 'nv12' ? height + Math.ceil(height / 2) : height
}

/** Bytes of a picture whose last row ends with its last pixel. */
export function pictureBytes(
  format: PixelFormat,
  width: number,
  height: number,
  strideBytes: number = rowBytes(format, width),
): number {
  return strideBytes * (rowCount(format, height) - 1) + rowBytes(format, width)
}

/**
 * All of a picture's layout, checked.
 *
 * @param what names the picture in messages
 * @throws VideoDepthError FRAME_INVALID
 */
export function resolvePicture(picture: LaidOutPicture, what: string): NativePicture {
  if (typeof picture !== 'object' || (picture as unknown) === null)
    throw invalid(what, 'an object with data, width and height', 'frame', picture)
  const { data, width, height, pixelFormat = 'rgb24', colorMatrix = 'bt601' } = picture
  const { colorRange = pixelFormat === 'gray8' ? 'full' : 'limited' } = picture
  oneOf(what, pixelFormats, 'pixelFormat', pixelFormat)
  oneOf(what, colorMatrices, 'colorMatrix', colorMatrix)
  oneOf(what, colorRanges, 'colorRange', colorRange)
  whole(what, 'width', width, 1, mostPixels)
  whole(what, 'height', height, 1, mostPixels)
  const least = rowBytes(pixelFormat, width)
  const { strideBytes = least } = picture
  whole(what, 'strideBytes', strideBytes, least, 2 ** 31 - 1)
  const bytes = pictureBytes(pixelFormat, width, height, strideBytes)
  if (!(data instanceof Uint8Array || data instanceof Uint8ClampedArray))
    throw invalid(what, `a Uint8Array of ${bytes} bytes`, 'data', data)
  const exact = picture.strideBytes === undefined // a camera's buffers may go on behind the picture
  if (exact ? data.byteLength !== bytes : data.byteLength < bytes)
    throw invalid(what, `${exact ? '' : 'at least '}${bytes} bytes (${width}×${height} ${pixelFormat})`, 'data', data)
  const view = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return { data: view, width, height, pixelFormat, strideBytes, colorMatrix, colorRange }
}

/** A key that nobody reads is refused, not ignored. @throws VideoDepthError FRAME_INVALID */
export function knownKeys<T extends object>(frame: T, what: string, names: Names<NoInfer<T>>): void {
  const stranger = Object.keys(frame).find((name) => !Object.hasOwn(names, name))
  if (stranger !== undefined) throw invalid(what, `only ${Object.keys(names).join(', ')}`, 'frame', stranger)
}

function oneOf(what: string, choices: readonly string[], parameter: string, value: unknown): void {
  if (!choices.includes(value as string)) throw invalid(what, `one of ${choices.join(', ')}`, parameter, value)
}

function whole(what: string, parameter: string, value: unknown, least: number, most: number): void {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return
  throw invalid(what, `a whole number from ${least} to ${most}`, parameter, value)
}

function invalid(what: string, wanted: string, parameter: string, received: unknown): VideoDepthError {
  return new VideoDepthError('FRAME_INVALID', `${what}: ${expected(wanted, parameter, received)}`)
}
