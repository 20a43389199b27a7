// Owns: writing small depth maps in the formats that depth is read from.
// Must not know: what reads them, what the values mean.

import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { deflateSync } from 'node:zlib'
import { ZipFile } from 'yazl'
import { encodedPng } from '../../dist/esm/io/sinks/grey16.js'

export interface Map2d {
  readonly data: ArrayLike<number>
  readonly width: number
  readonly height: number
}

export type DepthFormat = 'png' | 'npy' | 'exr' | 'pfm'

/** A file for each map in `folder`, `0.png` and so on; PNG levels are the values times `factor`. */
export async function writeDepthFolder(
  folder: string,
  maps: readonly Map2d[],
  format: DepthFormat,
  factor = 1,
): Promise<string> {
  for (const [i, map] of maps.entries()) await writeDepth(path.join(folder, `${i}.${format}`), map, format, factor)
  return folder
}

export async function writeDepth(file: string, map: Map2d, format: DepthFormat, factor = 1): Promise<void> {
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, await encoded(map, format, factor))
}

async function encoded(map: Map2d, format: DepthFormat, factor: number): Promise<Buffer> {
  const { data, width, height } = map
  if (format === 'png')
    return encodedPng(
      Uint16Array.from(data, (value) => Math.round(value * factor)),
      width,
      height,
    )
  if (format === 'npy') return npy(floats(data), [height, width])
  return format === 'exr' ? exr(map) : pfm(map)
}

/** Little-endian, as this machine's own. */
const floats = (data: ArrayLike<number>): Buffer => {
  const values = Float32Array.from(data)
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength)
}

export function npy(values: Buffer, shape: readonly number[], descr = '<f4', order = 'False'): Buffer {
  const literal = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${shape.map((side) => `${side},`).join(' ')}), }`
  const header = Buffer.alloc(Math.ceil((10 + literal.length + 1) / 64) * 64, ' ')
  header.write('\x93NUMPY\x01\x00', 'latin1')
  header.writeUInt16LE(header.length - 10, 8)
  header.write(literal, 10, 'latin1')
  header[header.length - 1] = 0x0a
  return Buffer.concat([header, values])
}

export function pfm({ data, width, height }: Map2d, bigEndian = false): Buffer {
  const body = Buffer.alloc(4 * width * height)
  for (let i = 0; i < width * height; i++) {
    const at = 4 * ((height - 1 - Math.floor(i / width)) * width + (i % width))
    if (bigEndian) body.writeFloatBE(data[i]!, at)
    else body.writeFloatLE(data[i]!, at)
  }
  return Buffer.concat([Buffer.from(`Pf\n${width} ${height}\n${bigEndian ? '1.0' : '-1.0'}\n`), body])
}

export interface ExrOptions {
  /** In alphabetical order; each holds the map plus its position in this list. */
  readonly channels?: readonly string[]
  readonly half?: boolean
  readonly compression?: 'none' | 'rle' | 'zips' | 'zip'
  /** Numbers of the first column and line. */
  readonly left?: number
  readonly top?: number
  /** First column and line, last column and line; default: no such attribute. */
  readonly display?: readonly [left: number, top: number, right: number, bottom: number]
}

/** One part with scan lines. */
export function exr({ data, width, height }: Map2d, options: ExrOptions = {}): Buffer {
  const { channels = ['Z'], half = false, compression = 'zip', left = 0, top = 0, display } = options
  const kind = ['none', 'rle', 'zips', 'zip'].indexOf(compression)
  const text = (value: string): Buffer => Buffer.from(`${value}\0`, 'latin1')
  const ints = (...values: readonly number[]): Buffer => Buffer.from(Int32Array.from(values).buffer)
  const attribute = (name: string, type: string, value: Buffer): Buffer =>
    Buffer.concat([text(name), text(type), ints(value.length), value])
  const channelList = Buffer.concat([
    ...channels.map((name) => Buffer.concat([text(name), ints(half ? 1 : 2, 0, 1, 1)])),
    Buffer.alloc(1),
  ])
  const head = Buffer.concat([
    ints(20000630, 2),
    attribute('channels', 'chlist', channelList),
    attribute('compression', 'compression', Buffer.of(kind)),
    ...(display === undefined ? [] : [attribute('displayWindow', 'box2i', ints(...display))]),
    attribute('dataWindow', 'box2i', ints(left, top, left + width - 1, top + height - 1)),
    Buffer.alloc(1),
  ])
  const lines = kind === 3 ? 16 : 1
  const blocks: Buffer[] = []
  for (let from = 0; from < height; from += lines) {
    const rows = Array.from({ length: Math.min(lines, height - from) }, (_, i) =>
      Buffer.concat(channels.map((_name, c) => lineBytes(data, (from + i) * width, width, c, half))),
    )
    const raw = Buffer.concat(rows)
    const packed = kind === 0 ? raw : kind === 1 ? runLengths(shuffled(raw)) : deflateSync(shuffled(raw))
    const body = packed.length < raw.length ? packed : raw
    blocks.push(Buffer.concat([ints(top + from, body.length), body]))
  }
  const offsets = Buffer.alloc(8 * blocks.length)
  let at = head.length + offsets.length
  blocks.forEach((block, i) => {
    offsets.writeBigUInt64LE(BigInt(at), 8 * i)
    at += block.length
  })
  return Buffer.concat([head, offsets, ...blocks])
}

function lineBytes(data: ArrayLike<number>, from: number, width: number, add: number, half: boolean): Buffer {
  const line = Buffer.alloc(width * (half ? 2 : 4))
  for (let x = 0; x < width; x++) {
    const value = data[from + x]! + add
    if (half) line.writeUInt16LE(toHalf(value), 2 * x)
    else line.writeFloatLE(value, 4 * x)
  }
  return line
}

/** Bits of a number that binary16 holds exactly, not subnormal. */
export function toHalf(value: number): number {
  if (value === 0) return 0
  const exponent = Math.floor(Math.log2(Math.abs(value)))
  const fraction = (Math.abs(value) / 2 ** exponent - 1) * 1024
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | fraction
}

/** Even bytes, then odd ones, then each as its difference from the one before. */
function shuffled(raw: Buffer): Buffer {
  const half = (raw.length + 1) >> 1
  const parted = Buffer.alloc(raw.length)
  raw.forEach((byte, i) => (parted[(i >> 1) + (i % 2) * half] = byte))
  return Buffer.from(parted.map((byte, i) => (i === 0 ? byte : (byte - parted[i - 1]! + 128) & 0xff)))
}

function runLengths(bytes: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    let run = 1
    while (run < 128 && bytes[at + run] === bytes[at]) run++
    parts.push(run > 1 ? Buffer.of(run - 1, bytes[at]!) : Buffer.of(255, bytes[at]!)) // 255 is −1: one literal byte
    at += run
  }
  return Buffer.concat(parts)
}

/** Arrays by name, without the `.npy` of the member. */
export async function npz(arrays: Readonly<Record<string, Buffer>>, compress = true): Promise<Buffer> {
  const zip = new ZipFile()
  for (const [name, bytes] of Object.entries(arrays)) zip.addBuffer(bytes, `${name}.npy`, { compress })
  zip.end()
  const chunks: Buffer[] = []
  for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
