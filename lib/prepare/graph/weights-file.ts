// Owns: the weights file: where each tensor lies in it, writing it, reading one tensor of it.
// Must not know: where the file is kept, what graphs do with it.

import { createHash, type Hash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { VideoDepthError } from '../../base/errors.js'
import type { Checkpoint } from '../checkpoint/checkpoint.js'
import { FileReader } from '../../cache/file-reader.js'
import { float16Max, toFloat16 } from '../checkpoint/float-formats.js'
import type { NetworkDimensions } from '../checkpoint/layout.js'
import { bytesPerElement } from './onnx-proto.js'
import { weightGroups, type Precision, type WeightSpec } from './weights.js'

export interface PlacedWeight {
  readonly type: 'float32' | 'float16'
  readonly shape: readonly number[]
  /** Bytes from the file's start, a multiple of 4096. */
  readonly offset: number
  readonly bytes: number
}

export interface WeightsIndex {
  /** Plain name; graphs lie in the same folder. */
  readonly file: string
  readonly bytes: number
  readonly tensors: ReadonlyMap<string, PlacedWeight>
}

/** A page: lets ONNX Runtime map tensors instead of reading them. */
const alignment = 4096

export function weightsFileName(precision: Precision): string {
  return `weights.${precision}.bin`
}

/** Follows from dimensions and precision alone, so nothing has to be read to know it. */
export function weightsIndex(dimensions: NetworkDimensions, precision: Precision): WeightsIndex {
  const tensors = new Map<string, PlacedWeight>()
  let offset = 0
  for (const { name, type, shape } of weightGroups(dimensions, precision).flatMap((group) => group.tensors)) {
    const bytes = shape.reduce((a, b) => a * b, bytesPerElement[type])
    tensors.set(name, { type, shape, offset, bytes })
    offset += Math.ceil(bytes / alignment) * alignment
  }
  return { file: weightsFileName(precision), bytes: offset, tensors }
}

export interface WriteOptions {
  readonly signal?: AbortSignal | undefined
  /** @param fraction 0…1 */
  readonly onProgress?: ((fraction: number) => void) | undefined
}

/**
 * Writes the whole file. In memory at any time: the sources and one result of one group.
 *
 * @returns SHA-256 of what was written, hex
 */
export async function writeWeights(
  file: FileHandle,
  checkpoint: Checkpoint,
  dimensions: NetworkDimensions,
  precision: Precision,
  { signal, onProgress }: WriteOptions,
): Promise<string> {
  const index = weightsIndex(dimensions, precision)
  await file.truncate(index.bytes)
  const groups = weightGroups(dimensions, precision)
  const hash = createHash('sha256')
  let hashed = 0
  for (const [i, { sources, tensors }] of groups.entries()) {
    signal?.throwIfAborted()
    const values: Float32Array[] = []
    for (const source of sources) values.push(await checkpoint.read(source))
    for (const spec of tensors) {
      const { offset, bytes } = placed(index, spec.name)
      const data = encode(spec, spec.make(values))
      if (data.length !== bytes) throw new Error(`${spec.name} has ${data.length} bytes instead of ${bytes}`)
      await writeAll(file, data, offset)
      hashGap(hash, offset - hashed) // tensors are placed in the order in which they are written
      hash.update(data)
      hashed = offset + bytes
    }
    onProgress?.((i + 1) / groups.length)
  }
  hashGap(hash, index.bytes - hashed)
  return hash.digest('hex')
}

/** What lies between tensors reads as zeros. */
function hashGap(hash: Hash, bytes: number): void {
  hash.update(new Uint8Array(bytes))
}

function placed(index: WeightsIndex, name: string): PlacedWeight {
  const found = index.tensors.get(name)
  if (found === undefined) throw new Error(`the weights file holds no ${name}`)
  return found
}

function encode({ name, type }: WeightSpec, values: Float32Array): Uint8Array {
  if (type === 'float32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  for (const value of values) {
    if (Math.abs(value) > float16Max) {
      throw new VideoDepthError(
        'WEIGHTS_NOT_FINITE',
        `Weight ${value} of ${name} does not fit float16; use precision fp32`,
      )
    }
  }
  return new Uint8Array(toFloat16(values).buffer)
}

async function writeAll(file: FileHandle, data: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < data.length;) {
    const { bytesWritten } = await file.write(data, done, data.length - done, position + done)
    done += bytesWritten
  }
}

/** Reads one float32 tensor. */
export async function readWeight(path: string, index: WeightsIndex, name: string): Promise<Float32Array> {
  const { type, offset, bytes } = placed(index, name)
  if (type !== 'float32') throw new Error(`${name} is ${type}`)
  const file = await FileReader.open(path)
  try {
    return new Float32Array((await file.read(offset, bytes)).buffer)
  } finally {
    await file.close()
  }
}
