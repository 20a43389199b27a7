// Owns: depth maps one after another in an uncompressed file: NPY of [frames, height, width], and our raw float32.
// Must not know: other formats, what a value means.

import { open, readFile, type FileHandle } from 'node:fs/promises'
import type { Plane } from '../../evaluate/plane.js'
import type { DepthKind } from '../../frame.js'
import type { DepthSequence } from './depth-sequence.js'
import { decodedNumbers, npyHeaderBytes, npyPrefixBytes, numberType, parseNpyHeader, type NpyHeader } from './npy.js'
import { readError, unreadable } from './unreadable.js'

/** @throws VideoDepthError SOURCE_UNREADABLE */
export async function openNpyStack(path: string): Promise<DepthSequence> {
  const header = await withFile(path, async (file) => {
    const prefix = await bytesAt(file, 0, npyPrefixBytes)
    return parseNpyHeader(await bytesAt(file, 0, npyHeaderBytes(prefix)))
  })
  return stack(path, header, undefined)
}

/** What `rawSink` writes beside the numbers. */
interface RawDescription {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly kind: DepthKind
}

/** A file that our raw output wrote, with its description beside it. @throws VideoDepthError SOURCE_UNREADABLE */
export async function openRawStack(path: string): Promise<DepthSequence> {
  const beside = `${path}.json`
  try {
    const { dtype, shape, kind } = JSON.parse(await readFile(beside, 'utf8')) as RawDescription
    return await stack(path, { type: numberType(dtype), shape, start: 0 }, kind)
  } catch (cause) {
    throw readError(beside, cause)
  }
}

async function stack(path: string, header: NpyHeader, kind: DepthKind | undefined): Promise<DepthSequence> {
  const { type, shape, start } = header
  const [frames, height, width] = stackShape(path, shape)
  const frameBytes = height * width * type.bytes
  await withFile(path, async (file) => {
    const { size } = await file.stat()
    const expected = start + frames * frameBytes
    if (size !== expected)
      throw new Error(`expected ${expected} bytes of ${frames} frames of ${width}×${height}, found ${size}`)
  })
  async function* planes(from: number, to: number): AsyncGenerator<Plane> {
    const file = await open(path).catch((cause: unknown) => {
      throw readError(path, cause)
    })
    try {
      for (let i = from; i < to; i++) {
        const bytes = await bytesAt(file, start + i * frameBytes, frameBytes)
        yield { data: decodedNumbers(bytes, type), width, height }
      }
    } catch (cause) {
      throw readError(path, cause)
    } finally {
      await file.close()
    }
  }
  return { name: path, length: frames, kind, frames: planes }
}

/** @throws VideoDepthError SOURCE_UNREADABLE */
export function stackShape(path: string, shape: readonly number[]): [frames: number, height: number, width: number] {
  const sides = shape.length === 4 ? shape.filter((side, i) => i === 0 || side !== 1) : shape
  const [frames, height, width] = sides
  if (sides.length === 3 && frames !== undefined && height !== undefined && width !== undefined)
    return [frames, height, width]
  throw unreadable(path, `expected an array [frames, height, width], found one of ${shape.join('×')}`)
}

async function bytesAt(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  for (let done = 0; done < length;) {
    const { bytesRead } = await file.read(bytes, done, length - done, position + done)
    if (bytesRead === 0) throw new Error(`expected ${position + length} bytes, found ${position + done}`)
    done += bytesRead
  }
  return bytes
}

async function withFile<T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  try {
    const file = await open(path)
    try {
      return await use(file)
    } finally {
      await file.close()
    }
  } catch (cause) {
    throw readError(path, cause)
  }
}
