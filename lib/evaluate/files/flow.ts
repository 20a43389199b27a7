// Owns: optical flow from a file: NPY of [height, width, 2], or Middlebury's .flo.
// Must not know: what flow is used for.

import { extname } from 'node:path'
import { checkPath } from '../../base/known-options.js'
import { readExactly, withRegular, type OpenFile } from '../../base/read-file.js'
import { checkSize, readNpy, readNumbers } from './number-file.js'
import { countOf } from './npy.js'
import { readError } from './unreadable.js'

/** Optical flow read from a file: where each pixel is in the next frame, in pixels to the right and down. */
export interface Flow {
  /** [height, width, 2] dx, dy, pixels; NaN where unknown. */
  readonly data: Float32Array
  readonly width: number
  readonly height: number
}

/** A .flo file's first bytes, how many there are before the values, and the magnitude from which on a value means unknown. */
const magic = 'PIEH'
const headerBytes = 12
const unknownFlow = 1e9

/** @throws VideoDepthError SOURCE_UNREADABLE, INVALID_OPTION */
export async function readFlow(path: string): Promise<Flow> {
  checkPath(path, 'path')
  try {
    return await withRegular(path, extname(path).toLowerCase() === '.flo' ? readFlo : readNpyFlow)
  } catch (cause) {
    throw readError(path, cause)
  }
}

async function readFlo(file: OpenFile): Promise<Flow> {
  const head = Buffer.alloc(Math.min(headerBytes, file.size))
  await readExactly(file.handle, head, 0)
  if (head.length < headerBytes || head.toString('latin1', 0, 4) !== magic)
    throw new Error('expected a .flo file, found another')
  const [width, height] = [head.readInt32LE(4), head.readInt32LE(8)]
  const count = countOf([height, width, 2])
  checkSize(file.size, headerBytes + 4 * count, [width, height, 2])
  const data = (await readNumbers(file, headerBytes, count, floats)) as Float32Array
  for (let i = 0; i < count; i++) if (!(Math.abs(data[i] as number) <= unknownFlow)) data[i] = NaN
  return { data, width, height }
}

const floats = { letter: 'f', bytes: 4, littleEndian: true } as const

async function readNpyFlow(file: OpenFile): Promise<Flow> {
  const { values, shape } = await readNpy(file)
  const [height, width, parts] = shape
  if (shape.length !== 3 || parts !== 2 || height === undefined || width === undefined)
    throw new Error(`expected an array [height, width, 2], found one of ${shape.join('×')}`)
  return { data: values instanceof Float32Array ? values : Float32Array.from(values), width, height }
}
