// Owns: depth maps one after another in an uncompressed file: NPY of [frames, height, width], and our raw float32.
// Must not know: other formats, what a value means.

import type { Plane } from '../plane.js'
import type { DepthKind } from '../../base/frame.js'
import { openRegular, withRegular } from '../../base/read-file.js'
import type { DepthSequence } from './depth-sequence.js'
import { checkSize, readNpyHeader, readNumbers } from './number-file.js'
import { countOf, numberType, type NpyHeader } from './npy.js'
import { checkedKind, parseObject, readText } from './side-file.js'
import { readError } from './unreadable.js'

/** @throws VideoDepthError SOURCE_UNREADABLE */
export async function openNpyStack(path: string): Promise<DepthSequence> {
  try {
    return await stack(path, await withRegular(path, readNpyHeader), undefined)
  } catch (cause) {
    throw readError(path, cause)
  }
}

/** A file that our raw output wrote, with its description beside it. @throws VideoDepthError SOURCE_UNREADABLE */
export async function openRawStack(path: string): Promise<DepthSequence> {
  const beside = `${path}.json`
  let header: NpyHeader
  let kind: DepthKind | undefined
  try {
    const { dtype, order = 'C', shape, kind: said } = parseObject(await readText(beside))
    if (typeof dtype !== 'string' || !Array.isArray(shape) || order !== 'C')
      throw new Error('expected dtype, order "C" and shape, found something else')
    numberType(dtype)
    stackShape(shape)
    header = { descr: dtype, shape: shape as number[], start: 0 }
    kind = checkedKind(said)
  } catch (cause) {
    throw readError(beside, cause)
  }
  try {
    return await stack(path, header, kind)
  } catch (cause) {
    throw readError(path, cause)
  }
}

async function stack(path: string, header: NpyHeader, kind: DepthKind | undefined): Promise<DepthSequence> {
  const { descr, shape, start } = header
  const type = numberType(descr)
  const [frames, height, width] = stackShape(shape)
  const frameBytes = height * width * type.bytes
  await withRegular(path, ({ size }) => {
    checkSize(size, start + frames * frameBytes, [frames, height, width])
    return Promise.resolve()
  })
  async function* planes(from: number, to: number): AsyncGenerator<Plane> {
    try {
      const file = await openRegular(path)
      try {
        for (let i = from; i < to; i++)
          yield { data: await readNumbers(file, start + i * frameBytes, height * width, type), width, height }
      } finally {
        await file.handle.close()
      }
    } catch (cause) {
      throw readError(path, cause)
    }
  }
  return { name: path, length: frames, kind, frames: planes }
}

/** @throws Error */
export function stackShape(shape: readonly unknown[]): [frames: number, height: number, width: number] {
  countOf(shape)
  const sides = (shape as number[]).filter((side, i) => shape.length !== 4 || i === 0 || side !== 1)
  const [frames, height, width] = sides
  if (sides.length === 3 && frames !== undefined && height !== undefined && width !== undefined)
    return [frames, height, width]
  throw new Error(`expected an array [frames, height, width], found one of ${shape.slice(0, 8).join('×')}`)
}
