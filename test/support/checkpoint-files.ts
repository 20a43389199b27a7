// Owns: checkpoint files of both formats, intact and damaged, for tests, and the error that reading one ends with.
// Must not know: how they are read.

import { createWriteStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import yazl from 'yazl'
import { VideoDepthError } from '../../dist/esm/base/errors.js'
import { openCheckpoint } from '../../dist/esm/prepare/checkpoint/checkpoint.js'
import { toFloat16 } from '../../dist/esm/prepare/checkpoint/float-formats.js'
import { pickleStateDict, type PickledTensor } from './pickle-writer.js'

export const fixtures = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../test/fixtures')
export const tinyPth = path.join(fixtures, 'tiny.pth')

export interface TestTensor {
  readonly shape: readonly number[]
  readonly values: Float32Array
}

export type TestTensors = Map<string, TestTensor>

export async function tinyTensors(): Promise<TestTensors> {
  const checkpoint = await openCheckpoint(tinyPth)
  try {
    const tensors: TestTensors = new Map()
    for (const { name, shape } of checkpoint.tensors.values())
      tensors.set(name, { shape, values: await checkpoint.read(name) })
    return tensors
  } finally {
    await checkpoint.close()
  }
}

export type Storage = 'float32' | 'float16' | 'bfloat16'

const torchNames = { float32: 'FloatStorage', float16: 'HalfStorage', bfloat16: 'BFloat16Storage' } as const
const safeNames = { float32: 'F32', float16: 'F16', bfloat16: 'BF16' } as const

export function encode(values: Float32Array, type: Storage): Uint8Array {
  if (type === 'float32') return new Uint8Array(values.slice().buffer)
  if (type === 'float16') return new Uint8Array(toFloat16(values).buffer)
  const bits = new Uint32Array(values.slice().buffer)
  return new Uint8Array(Uint16Array.from(bits, (b) => b >>> 16).buffer) // truncated, so exactly representable
}

export interface ZipOptions {
  readonly folder?: string
  readonly zip64?: boolean
  readonly compress?: boolean
}

export async function writeZip(
  file: string,
  records: ReadonlyMap<string, Uint8Array>,
  options: ZipOptions = {},
): Promise<void> {
  const { folder = 'archive', zip64 = false, compress = false } = options
  const zip = new yazl.ZipFile()
  for (const [name, data] of records) {
    zip.addBuffer(Buffer.from(data), `${folder}/${name}`, { compress, forceZip64Format: zip64 })
  }
  zip.end({ forceZip64Format: zip64, comment: '' })
  await pipeline(zip.outputStream, createWriteStream(file))
}

/** The records that torch.save would write. */
export function pthRecords(
  tensors: TestTensors,
  type: Storage = 'float32',
  below: readonly string[] = [],
): Map<string, Uint8Array> {
  const pickled = new Map<string, PickledTensor>()
  const records = new Map<string, Uint8Array>()
  for (const [name, { shape, values }] of tensors) {
    const key = String(pickled.size)
    pickled.set(name, { storage: torchNames[type], key, elements: values.length, shape })
    records.set(`data/${key}`, encode(values, type))
  }
  return new Map([
    ['data.pkl', pickleStateDict(pickled, below)],
    ['byteorder', new TextEncoder().encode('little')],
    ...records,
    ['version', new TextEncoder().encode('3\n')],
  ])
}

export async function writeSafetensors(file: string, tensors: TestTensors, type: Storage = 'float32'): Promise<void> {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } }
  const parts: Uint8Array[] = []
  let offset = 0
  for (const [name, { shape, values }] of tensors) {
    const data = encode(values, type)
    header[name] = { dtype: safeNames[type], shape, data_offsets: [offset, offset + data.length] }
    offset += data.length
    parts.push(data)
  }
  await writeFile(file, safetensorsBytes(header, Buffer.concat(parts)))
}

export function safetensorsBytes(header: unknown, data: Uint8Array): Buffer {
  const json = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  return Buffer.concat([length, json, data])
}

export const small = (): TestTensors => new Map([['a', { shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) }]])

/** Why a checkpoint, or one of its tensors, cannot be read. */
export async function failure(file: string): Promise<VideoDepthError> {
  try {
    const checkpoint = await openCheckpoint(file)
    try {
      for (const name of checkpoint.tensors.keys()) await checkpoint.read(name)
    } finally {
      await checkpoint.close()
    }
  } catch (error) {
    if (error instanceof VideoDepthError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
