// Owns: one depth map from a file of its own: PNG, NPY, EXR or PFM.
// Must not know: sequences of them, what a value means.

import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import type { Plane } from '../../evaluate/plane.js'
import { loadSharp } from '../../libraries.js'
import { parseExr } from './exr.js'
import { decodedNumbers, npyHeaderBytes, parseNpyHeader } from './npy.js'
import { parsePfm } from './pfm.js'
import { readError } from './unreadable.js'

type Parser = (bytes: Buffer) => Plane | Promise<Plane>

const parsers: ReadonlyMap<string, Parser> = new Map<string, Parser>([
  ['.png', parsePng],
  ['.npy', parseNpy],
  ['.exr', parseExr],
  ['.pfm', parsePfm],
])

export const depthExtensions: readonly string[] = [...parsers.keys()]

export function isDepthImage(path: string): boolean {
  return parsers.has(extname(path).toLowerCase())
}

/**
 * The values as they are stored: of PNG the grey levels. NPY: [height, width], or with one further side of length 1, first or last.
 *
 * @throws VideoDepthError SOURCE_UNREADABLE
 */
export async function readDepthImage(path: string): Promise<Plane> {
  try {
    const parse = parsers.get(extname(path).toLowerCase())
    if (parse === undefined) throw new Error(`expected a file that ends in ${depthExtensions.join(', ')}`)
    return await parse(await readFile(path))
  } catch (cause) {
    throw readError(path, cause)
  }
}

/**
 * A matting mask, 0…1: of PNG the grey levels over the largest one that its bits can hold, of the others the values as they are.
 *
 * @throws VideoDepthError SOURCE_UNREADABLE
 */
export async function readOpacity(path: string): Promise<Plane<Float32Array>> {
  const { data, width, height } = await readDepthImage(path)
  const full = extname(path).toLowerCase() === '.png' ? await largestLevel(path) : 1
  return { data: Float32Array.from(data, (value) => value / full), width, height }
}

async function largestLevel(path: string): Promise<number> {
  const sharp = await loadSharp()
  return (await sharp(path).metadata()).depth === 'ushort' ? 65535 : 255
}

async function parsePng(bytes: Buffer): Promise<Plane<Float32Array>> {
  const sharp = await loadSharp()
  const image = sharp(bytes)
  const { channels, depth } = await image.metadata()
  if (channels !== 1) throw new Error(`expected one grey channel, found ${channels} channels`)
  const isWide = depth === 'ushort'
  const { data, info } = await image
    .toColourspace(isWide ? 'grey16' : 'b-w')
    .raw({ depth: isWide ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true })
  const values = decodedNumbers(data, { letter: 'u', bytes: isWide ? 2 : 1, littleEndian: true }) as Float32Array
  return { data: values, width: info.width, height: info.height }
}

function parseNpy(bytes: Buffer): Plane {
  const { type, shape, start } = parseNpyHeader(bytes.subarray(0, npyHeaderBytes(bytes)))
  const sides =
    shape.length !== 3 ? shape : shape[0] === 1 ? shape.slice(1) : shape[2] === 1 ? shape.slice(0, 2) : shape
  const [height, width] = sides
  if (sides.length !== 2 || height === undefined || width === undefined)
    throw new Error(`expected an array [height, width], found one of ${shape.join('×')}`)
  const data = decodedNumbers(bytes.subarray(start), type)
  if (data.length !== width * height) throw new Error(`expected ${width * height} values, found ${data.length}`)
  return { data, width, height }
}
