// Owns: optical flow from a file: NPY of [height, width, 2], or Middlebury's .flo.
// Must not know: what flow is used for.

import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { decodedNumbers, npyHeaderBytes, parseNpyHeader } from './npy.js'
import { readError } from './unreadable.js'

export interface Flow {
  /** [height, width, 2] dx, dy, pixels; NaN where unknown. */
  readonly data: Float32Array
  readonly width: number
  readonly height: number
}

/** Of .flo: the first bytes, and from which magnitude on a value means that it is unknown. */
const magic = 'PIEH'
const unknownFlow = 1e9

/** @throws VideoDepthError SOURCE_UNREADABLE */
export async function readFlow(path: string): Promise<Flow> {
  try {
    const bytes = await readFile(path)
    return extname(path).toLowerCase() === '.flo' ? parseFlo(bytes) : parseNpyFlow(bytes)
  } catch (cause) {
    throw readError(path, cause)
  }
}

function parseFlo(bytes: Buffer): Flow {
  if (bytes.length < 12 || bytes.toString('latin1', 0, 4) !== magic)
    throw new Error('expected a .flo file, found another')
  const [width, height] = [bytes.readInt32LE(4), bytes.readInt32LE(8)]
  const values = decodedNumbers(bytes.subarray(12), { letter: 'f', bytes: 4, littleEndian: true })
  const data = Float32Array.from(values, (value) => (Math.abs(value) > unknownFlow ? NaN : value))
  return checked(data, width, height)
}

function parseNpyFlow(bytes: Buffer): Flow {
  const { type, shape, start } = parseNpyHeader(bytes.subarray(0, npyHeaderBytes(bytes)))
  const [height, width, parts] = shape
  if (shape.length !== 3 || parts !== 2 || height === undefined || width === undefined)
    throw new Error(`expected an array [height, width, 2], found one of ${shape.join('×')}`)
  return checked(Float32Array.from(decodedNumbers(bytes.subarray(start), type)), width, height)
}

function checked(data: Float32Array, width: number, height: number): Flow {
  if (data.length === 2 * width * height) return { data, width, height }
  throw new Error(`expected ${2 * width * height} values of ${width}×${height}×2, found ${data.length}`)
}
