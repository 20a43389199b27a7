// Owns: `.safetensors` files: a JSON header with offsets, then bytes.
// Must not know: which tensors a network needs, float conversion.

import type { FileReader } from '../../cache/file-reader.js'
import type { StoredTensor, TensorFile } from './stored-tensor.js'

/** Tens of thousands of tensors. The format itself allows 100 MB, of which a parser makes gigabytes. */
const maxHeaderBytes = 8 * 1024 * 1024

/** Only the first four can be read; the others are there to be named in messages. */
const types: ReadonlyMap<string, { type: string; bytes: number }> = new Map([
  ['F32', { type: 'float32', bytes: 4 }],
  ['F16', { type: 'float16', bytes: 2 }],
  ['BF16', { type: 'bfloat16', bytes: 2 }],
  ['F64', { type: 'float64', bytes: 8 }],
  ['I64', { type: 'int64', bytes: 8 }],
  ['U64', { type: 'uint64', bytes: 8 }],
  ['I32', { type: 'int32', bytes: 4 }],
  ['U32', { type: 'uint32', bytes: 4 }],
  ['I16', { type: 'int16', bytes: 2 }],
  ['U16', { type: 'uint16', bytes: 2 }],
  ['I8', { type: 'int8', bytes: 1 }],
  ['U8', { type: 'uint8', bytes: 1 }],
  ['BOOL', { type: 'bool', bytes: 1 }],
  ['F8_E4M3', { type: 'float8', bytes: 1 }],
  ['F8_E5M2', { type: 'float8', bytes: 1 }],
])

interface Placed {
  readonly tensor: StoredTensor
  readonly start: number
  readonly end: number
}

export async function openSafetensors(file: FileReader): Promise<TensorFile> {
  const prefix = await file.read(0, 8)
  const length = Number(new DataView(prefix.buffer).getBigUint64(0, true))
  if (length > maxHeaderBytes) throw file.error(`its header of ${length} bytes exceeds ${maxHeaderBytes}`)
  const header = parseHeader(file, await file.read(8, length))
  const dataStart = 8 + length
  const placed: Placed[] = []
  for (const [name, value] of Object.entries(header)) {
    if (name !== '__metadata__') placed.push(place(file, name, value, dataStart))
  }
  checkOverlap(file, placed)
  return { format: 'safetensors', tensors: placed.map(({ tensor }) => tensor), others: new Map() }
}

function parseHeader(file: FileReader, bytes: Uint8Array): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (isRecord(header)) return header
  } catch (cause) {
    throw file.error('its header is not JSON', cause)
  }
  throw file.error('its header is not a JSON object')
}

function place(file: FileReader, name: string, value: unknown, dataStart: number): Placed {
  const { dtype, shape, data_offsets: offsets } = isRecord(value) ? value : {}
  const known = typeof dtype === 'string' ? types.get(dtype) : undefined
  if (known === undefined) throw file.error(`tensor ${name} is of unknown type ${JSON.stringify(dtype)}`)
  if (!isCounts(shape) || shape.length > 8) throw file.error(`tensor ${name} has no proper shape`)
  if (!isCounts(offsets) || offsets.length !== 2) throw file.error(`tensor ${name} has no proper offsets`)
  const [start = 0, end = 0] = offsets
  const bytes = shape.reduce((a, b) => a * b, known.bytes)
  if (end - start !== bytes) throw file.error(`tensor ${name} has ${end - start} bytes instead of ${bytes}`)
  if (dataStart + end > file.size) {
    throw file.error(`it ends at byte ${file.size}, but tensor ${name} ends at ${dataStart + end}; download it again`)
  }
  return { tensor: { name, type: known.type, shape, read: () => file.read(dataStart + start, bytes) }, start, end }
}

function checkOverlap(file: FileReader, placed: readonly Placed[]): void {
  const sorted = placed.filter(({ start, end }) => end > start).sort((a, b) => a.start - b.start)
  for (const [i, current] of sorted.entries()) {
    const next = sorted[i + 1]
    if (next !== undefined && next.start < current.end) {
      throw file.error(`tensors ${current.tensor.name} and ${next.tensor.name} overlap`)
    }
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0)
}
