// Owns: frames from image files: a list, or a folder in natural order.
// Must not know: videos, the pipeline.

import { readdir, stat } from 'node:fs/promises'
import { basename, extname, join, resolve } from 'node:path'
import type { Sharp } from 'sharp'
import { VideoDepthError } from '../errors.js'
import type { RgbFrame } from '../frame.js'
import { known } from '../known-options.js'
import { loadSharp } from '../libraries.js'
import { openGuarded, type FrameProducer } from './guarded-source.js'
import {
  checkFrameRate,
  keptFrames,
  limitedSize,
  resolveSourceOptions,
  sourceOptionNames,
  strideFor,
  type Size,
} from './source-options.js'
import type { FrameSource, SourceInfo, SourceOptions } from './source.js'

export interface ImageSourceOptions extends SourceOptions {
  /** Frames a second, for timestamps and `targetFps`; default 24. */
  readonly frameRate?: number
}

/** What the image library decodes everywhere; a folder's other files are passed over. */
const extensions: ReadonlySet<string> = new Set(['.png', '.jpg', '.jpeg', '.webp', '.tif', '.tiff', '.avif'])
const defaultFrameRate = 24
const optionNames: readonly (keyof ImageSourceOptions)[] = [...sourceOptionNames, 'frameRate']
const naturalOrder = new Intl.Collator('en', { numeric: true })

export function isImagePath(path: string): boolean {
  return extensions.has(extname(path).toLowerCase())
}

/**
 * Images as a video: files in the order given, or a folder's image files in natural order (`2.png` before `10.png`;
 * hidden files and subfolders are passed over). EXIF orientation is applied, 16 bits become 8, grey becomes RGB,
 * embedded colour profiles become sRGB, and an alpha channel is dropped, not blended, as OpenCV does. Of animations and
 * multi-page files the first picture counts.
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
    const stored = await orientedSize(first)
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

  constructor(info: SourceInfo, paths: readonly string[], stored: Size, intervalMs: number) {
    this.info = info
    this.#paths = paths
    this.#stored = stored
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
    const { width, height } = await orientedSize(path)
    if (width !== this.#stored.width || height !== this.#stored.height)
      throw new VideoDepthError(
        'FRAME_SIZE_CHANGED',
        `Image ${index} (${path}) is ${width}×${height}, the images before it were ${this.#stored.width}×${this.#stored.height}`,
      )
    return {
      data: await pixels(path, this.info),
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
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => unreadable(folder, cause))
  return entries
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.') && isImagePath(entry.name))
    .map((entry) => entry.name)
    .sort((a, b) => naturalOrder.compare(a, b) || (a < b ? -1 : 1))
    .map((name) => join(folder, name))
}

async function orientedSize(path: string): Promise<Size> {
  await stat(path).catch((cause: unknown) => unreadable(path, cause))
  const image = await openImage(path)
  const { autoOrient } = await image.metadata().catch((cause: unknown) => unreadable(path, cause))
  return { width: autoOrient.width, height: autoOrient.height }
}

async function pixels(path: string, size: Size): Promise<Uint8Array> {
  const image = (await openImage(path))
    .autoOrient()
    .resize({ width: size.width, height: size.height, fit: 'fill', kernel: 'cubic' })
    .removeAlpha()
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
  const { data, info } = await image
    .toBuffer({ resolveWithObject: true })
    .catch((cause: unknown) => unreadable(path, cause))
  if (info.channels !== 3 || data.length !== size.width * size.height * 3)
    throw new VideoDepthError(
      'SOURCE_UNREADABLE',
      `Cannot read ${path} as RGB: it came out with ${info.channels} channels`,
    )
  return data
}

async function openImage(path: string): Promise<Sharp> {
  const sharp = await loadSharp()
  return sharp(path)
}

/** What cannot be read after the first image does not take the images before it away. */
function damaged(error: unknown, index: number): unknown {
  if (!(error instanceof VideoDepthError) || error.code !== 'SOURCE_UNREADABLE') return error
  return new VideoDepthError('SOURCE_DAMAGED', `Image ${index}: ${error.message}`, { cause: error })
}

function unreadable(path: string, cause: unknown): never {
  const reason = cause instanceof Error ? cause.message : String(cause)
  throw new VideoDepthError('SOURCE_UNREADABLE', `Cannot read ${path}: ${reason}`, { cause })
}
