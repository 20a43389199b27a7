// Owns: frames from image files: a list, or a folder in natural order.
// Must not know: videos, the pipeline.

import { readdir } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { VideoDepthError } from '../../base/errors.js'
import type { RgbFrame, Size } from '../../base/frame.js'
import { known, checkFrameRate, type Names } from '../../base/known-options.js'
import { openGuarded, type FrameProducer } from './guarded-source.js'
import { isImagePath, isOtherImagePath } from './image-kind.js'
import { openPicture, unreadablePicture } from './picture.js'
import { keptFrames, limitedSize, resolveSourceOptions, sourceOptionNames, strideFor } from './source-options.js'
import type { FrameSource, SourceInfo, SourceOptions } from './source.js'

/** Options of `openImages`. */
export interface ImageSourceOptions extends SourceOptions {
  /** Frames a second, for timestamps and `targetFps`; default 24. */
  readonly frameRate?: number
}

const defaultFrameRate = 24
const optionNames: Names<ImageSourceOptions> = { ...sourceOptionNames, frameRate: true }
const naturalOrder = new Intl.Collator('en', { numeric: true })

/**
 * Images as a video: files in the order given, or a folder's image files in natural order (`2.png` before `10.png`;
 * hidden files, subfolders and what is no image by its name are passed over). PNG, JPEG, WebP, TIFF, AVIF, GIF, BMP and PNM
 * are read, HEIC where it is not stored in tiles; images of other kinds are refused, not passed over. EXIF orientation is
 * applied, 16 bits become 8, grey and CMYK become RGB, embedded colour profiles become sRGB, and an alpha channel is dropped,
 * not blended, as OpenCV does. A file of several pictures is refused: an animation alone is a video, see `openVideo`.
 *
 * @throws `SOURCE_UNREADABLE` naming the folder or the first image; `SOURCE_EMPTY` no image; while iterating
 *   `SOURCE_DAMAGED` naming a later image that cannot be read, `FRAME_SIZE_CHANGED`
 */
export async function openImages(
  input: string | readonly string[],
  options: ImageSourceOptions = {},
): Promise<FrameSource> {
  known(options, 'options', optionNames)
  const resolved = resolveSourceOptions(options)
  const frameRate = checkFrameRate(options.frameRate ?? defaultFrameRate)
  const open = async (): Promise<FrameProducer> => {
    const listed = typeof input === 'string' ? await imagesIn(input) : input
    const name = typeof input === 'string' ? basename(resolve(input)) : basename(listed[0] ?? 'images')
    const first = listed[0]
    if (first === undefined)
      throw new VideoDepthError('SOURCE_EMPTY', `No images in ${typeof input === 'string' ? input : 'the list'}`)
    const stride = strideFor(frameRate, resolved)
    const paths = listed
      .filter((_, index) => index % stride === 0)
      .slice(0, keptFrames(listed.length, stride, resolved.maxLen))
    const stored = await openPicture(first)
    const size = limitedSize(stored.width, stored.height, resolved.maxRes)
    const info = { name, ...size, frameRate: frameRate / stride, frameCount: paths.length, frameCountExact: true }
    return new ImageProducer(info, paths, stored, (stride * 1000) / frameRate)
  }
  return openGuarded(open, { signal: resolved.signal, readAhead: true })
}

class ImageProducer implements FrameProducer {
  readonly info: SourceInfo
  readonly #paths: readonly string[]
  readonly #stored: Size
  readonly #intervalMs: number
  #index = 0

  constructor(info: SourceInfo, paths: readonly string[], { width, height }: Size, intervalMs: number) {
    this.info = info
    this.#paths = paths
    this.#stored = { width, height }
    this.#intervalMs = intervalMs
  }

  async next(): Promise<RgbFrame | undefined> {
    const index = this.#index++
    const path = this.#paths[index]
    if (path === undefined) return undefined
    try {
      return await this.#read(path, index)
    } catch (error) {
      throw index > 0 ? damaged(error, index) : error
    }
  }

  async #read(path: string, index: number): Promise<RgbFrame> {
    const picture = await openPicture(path)
    const { width, height } = picture
    if (width !== this.#stored.width || height !== this.#stored.height)
      throw new VideoDepthError(
        'FRAME_SIZE_CHANGED',
        `Image ${index} (${path}) is ${width}×${height}, the images before it were ${this.#stored.width}×${this.#stored.height}`,
      )
    return {
      data: await picture.pixels(this.info),
      width: this.info.width,
      height: this.info.height,
      timestampMs: index * this.#intervalMs,
    }
  }

  async close(): Promise<void> {
    // Nothing stays open between two images.
  }
}

async function imagesIn(folder: string): Promise<readonly string[]> {
  const found = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw unreadablePicture(folder, cause)
  })
  const entries = found.filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.'))
  const strangers = entries.filter(({ name }) => isOtherImagePath(name)).map(({ name }) => name)
  if (strangers.length > 0)
    throw new VideoDepthError(
      'SOURCE_UNREADABLE',
      `Cannot read ${listed(strangers)} in ${folder}: images of that kind cannot be decoded; convert them, or take them out`,
    )
  return entries
    .map(({ name }) => name)
    .filter(isImagePath)
    .sort((a, b) => naturalOrder.compare(a, b) || (a < b ? -1 : 1))
    .map((name) => join(folder, name))
}

function listed(names: readonly string[]): string {
  const [first = ''] = names
  return names.length === 1 ? first : `${first} and ${names.length - 1} more`
}

/** What cannot be read after the first image does not take the images before it away. */
function damaged(error: unknown, index: number): unknown {
  if (!(error instanceof VideoDepthError) || error.code !== 'SOURCE_UNREADABLE') return error
  return new VideoDepthError('SOURCE_DAMAGED', `Image ${index}: ${error.message}`, { cause: error })
}
