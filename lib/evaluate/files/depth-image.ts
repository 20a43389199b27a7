// Owns: one depth map from a file of its own: PNG, NPY, EXR or PFM.
// Must not know: sequences of them, what a value means.

import { extname } from 'node:path'
import type { Plane } from '../plane.js'
import { checkPath } from '../../base/known-options.js'
import { readWhole, withRegular } from '../../base/read-file.js'
import { parseExr } from './exr.js'
import { readNpy } from './number-file.js'
import { readPfm } from './pfm.js'
import { parsePng } from './png.js'
import { readError } from './unreadable.js'

/** Largest file that is read into memory and unpacked there. */
const mostPackedBytes = 2 ** 30

interface DepthImage extends Plane {
  /** What stands for 1 where the values are read as a part of a whole. */
  readonly full?: number
}

type Reader = (path: string) => Promise<DepthImage>

const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['.png', async (path) => parsePng(await readWhole(path, mostPackedBytes))],
  ['.npy', readNpyMap],
  ['.exr', async (path) => parseExr(await readWhole(path, mostPackedBytes))],
  ['.pfm', (path) => withRegular(path, readPfm)],
])

export const depthExtensions: readonly string[] = [...readers.keys()]

export function isDepthImage(path: string): boolean {
  return readers.has(extname(path).toLowerCase())
}

/**
 * The values as they are stored: of PNG the grey levels, of PFM times its scale; NaN where an EXR's data window leaves its display
 * window empty. NPY: [height, width], or with one further side of length 1, first or last.
 *
 * @throws VideoDepthError SOURCE_UNREADABLE, INVALID_OPTION
 */
export async function readDepthImage(path: string): Promise<Plane> {
  const { data, width, height } = await readImage(path)
  return { data, width, height }
}

/**
 * A matting mask, 0…1: of PNG the grey levels over the largest one that its bits can hold, of the others the values as they are.
 *
 * @throws VideoDepthError SOURCE_UNREADABLE, INVALID_OPTION
 */
export async function readOpacity(path: string): Promise<Plane<Float32Array>> {
  const { data, width, height, full = 1 } = await readImage(path)
  return { data: Float32Array.from(data, (value) => value / full), width, height }
}

async function readImage(path: string): Promise<DepthImage> {
  checkPath(path, 'path')
  try {
    const read = readers.get(extname(path).toLowerCase())
    if (read === undefined) throw new Error(`expected a file that ends in ${depthExtensions.join(', ')}`)
    return await read(path)
  } catch (cause) {
    throw readError(path, cause)
  }
}

async function readNpyMap(path: string): Promise<Plane> {
  const { values, shape } = await withRegular(path, readNpy)
  const sides =
    shape.length !== 3 ? shape : shape[0] === 1 ? shape.slice(1) : shape[2] === 1 ? shape.slice(0, 2) : shape
  const [height, width] = sides
  if (sides.length !== 2 || height === undefined || width === undefined)
    throw new Error(`expected an array [height, width], found one of ${shape.join('×')}`)
  return { data: values, width, height }
}
