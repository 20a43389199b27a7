// Owns: one picture from a file that may be hostile: its size first, then its pixels as RGB.
// Must not know: lists of pictures, what they are for.

import type { Sharp } from 'sharp'
import { VideoDepthError } from '../../base/errors.js'
import { readWhole } from '../../base/read-file.js'
import { imageKind } from './image-kind.js'
import { checkClaims, checkNumbers, checkSides, mostDecoded } from './image-limits.js'
import { decodePacketImage } from './packet-image.js'
import type { Size } from '../../base/frame.js'
import { openVideo } from './video-source.js'
import { loadSharp } from '../../base/libraries.js'

/** Largest file of one picture. */
const mostBytes = 2 ** 30
const rgbaBytes = 4

const asVideo = 'an animation by itself can be opened as a video'
const noHeifFilms = 'convert it to another format of video'
export interface Picture extends Size {
  /** [height, width, 3] of this size. @throws VideoDepthError SOURCE_UNREADABLE */
  pixels(size: Size): Promise<Uint8Array>
}

/**
 * Reads a picture's file and its header; the sizes are those after EXIF's orientation.
 *
 * @throws VideoDepthError SOURCE_UNREADABLE: no regular file, no picture, several pictures, a size beyond the limits
 */
export async function openPicture(path: string): Promise<Picture> {
  const guarded = async <T>(action: () => Promise<T>): Promise<T> => {
    try {
      return await action()
    } catch (cause) {
      throw unreadablePicture(path, cause)
    }
  }
  const picture = await guarded(() => opened(path))
  return { ...picture, pixels: (size) => guarded(() => picture.pixels(size)) }
}

export function unreadablePicture(path: string, cause: unknown): VideoDepthError {
  if (cause instanceof VideoDepthError) return cause
  return new VideoDepthError('SOURCE_UNREADABLE', `Cannot read ${path}: ${reasonOf(cause)}`, { cause })
}

/** The image library tells every step down to the last, which is what went wrong. */
function reasonOf(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause)
  return message.trim().split('\n').at(-1) ?? ''
}

async function opened(path: string): Promise<Picture> {
  const bytes = await readWhole(path, mostBytes)
  const kind = imageKind(bytes)
  if (kind === undefined) throw new Error('it is no picture of a kind that can be read')
  if (kind.isAnimated)
    throw new Error(`it is a film, expected a picture; ${kind.format === 'heif' ? noHeifFilms : asVideo}`)
  const { format } = kind
  if (format === 'bmp' || format === 'pnm') {
    const decoded = await decodePacketImage(bytes, format, Math.floor(mostDecoded(bytes.length) / rgbaBytes))
    checkSides(decoded)
    return { ...decoded, pixels: (size) => rawPixels(decoded, size) }
  }
  const metadata = await (await sharpOf(bytes)).metadata()
  checkClaims(metadata, format, bytes)
  checkNumbers(metadata)
  const { pages = 1 } = metadata
  // HEIF has one primary picture, and others beside it that are not frames.
  if (pages > 1 && format !== 'heif') throw new Error(`it holds ${pages} pictures, expected one; ${asVideo}`)
  const { width, height } = metadata.autoOrient
  if (metadata.compression === 'hevc')
    return { width, height, pixels: (size) => hevcPixels(path, { width, height }, size) }
  return { width, height, pixels: async (size) => rgb(await sharpOf(bytes), size) }
}

/** From memory, so that nothing in the file can name another one. Its size is checked by `checkClaims`. */
async function sharpOf(bytes: Buffer): Promise<Sharp> {
  const sharp = await loadSharp()
  return sharp(bytes, { limitInputPixels: false })
}

/** Whole pictures only: FFmpeg gives the tiles of a tiled one, and not how they lie. */
async function hevcPixels(path: string, whole: Size, size: Size): Promise<Uint8Array> {
  const video = await openVideo(path, { maxRes: -1, maxLen: 1 })
  try {
    const { width, height } = video.info
    if (width !== whole.width || height !== whole.height)
      throw new Error(
        'it is an HEIC picture in tiles, or cropped, of which only a part can be decoded; convert it to AVIF, JPEG or PNG',
      )
    for await (const frame of video) return await rawPixels(frame, size)
    throw new Error('it holds no picture')
  } finally {
    await video.close()
  }
}

async function rawPixels(
  { data, width, height }: Size & { readonly data: Uint8Array },
  size: Size,
): Promise<Uint8Array> {
  if (width === size.width && height === size.height) return data
  const sharp = await loadSharp()
  return rgb(sharp(data, { raw: { width, height, channels: 3 } }), size)
}

async function rgb(image: Sharp, { width, height }: Size): Promise<Uint8Array> {
  const { data, info } = await image
    .autoOrient()
    .resize({ width, height, fit: 'fill', kernel: 'cubic' })
    .removeAlpha()
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
  if (info.channels !== 3 || data.length !== width * height * 3)
    throw new Error(`it came out with ${info.channels} channels instead of RGB`)
  return data
}
