// Owns: numbers at a place in a file, and arrays of NPY files: nothing is allocated for what the file does not hold.
// Must not know: what the numbers mean.

import { readExactly, type OpenFile } from '../../base/read-file.js'
import {
  countOf,
  npyHeaderBytes,
  npyPrefixBytes,
  Numbers,
  numberType,
  parseNpyHeader,
  type NpyHeader,
  type NumberType,
} from './npy.js'

/** A multiple of every number's. */
const pieceBytes = 2 ** 20

/** @param position bytes @throws Error where the file ends before */
export async function readNumbers(
  { handle, size }: OpenFile,
  position: number,
  count: number,
  type: NumberType,
): Promise<Numbers['values']> {
  const end = position + count * type.bytes
  if (end > size) throw new Error(`expected ${end} bytes, found ${size}`)
  const numbers = new Numbers(count, type)
  const piece = new Uint8Array(Math.min(pieceBytes, end - position))
  for (let at = position; at < end; at += piece.length) {
    const part = piece.subarray(0, end - at)
    await readExactly(handle, part, at)
    numbers.add(part)
  }
  return numbers.values
}

/** @throws Error saying what was expected and found */
export async function readNpyHeader({ handle, size }: OpenFile): Promise<NpyHeader> {
  const prefix = new Uint8Array(Math.min(npyPrefixBytes, size))
  await readExactly(handle, prefix, 0)
  const length = npyHeaderBytes(prefix)
  if (length > size) throw new Error(`expected a header of ${length} bytes, found ${size}`)
  const header = new Uint8Array(length)
  await readExactly(handle, header, 0)
  return parseNpyHeader(header)
}

/** A whole NPY file. @throws Error saying what was expected and found */
export async function readNpy(file: OpenFile): Promise<{ values: Numbers['values']; shape: readonly number[] }> {
  const { descr, shape, start } = await readNpyHeader(file)
  const type = numberType(descr)
  const count = countOf(shape)
  checkSize(file.size, start + count * type.bytes, shape)
  return { values: await readNumbers(file, start, count, type), shape }
}

/** @throws Error where a file is not of the size that its header tells */
export function checkSize(found: number, expected: number, shape: readonly number[]): void {
  if (found !== expected) throw new Error(`expected ${expected} bytes of ${shape.join('×')} values, found ${found}`)
}
