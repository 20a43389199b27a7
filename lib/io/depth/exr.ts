// Owns: one channel of an OpenEXR image as numbers: not compressed, RLE, ZIPS and ZIP.
// Must not know: files, what the values mean.

import { inflateSync } from 'node:zlib'
import type { Plane } from '../../evaluate/plane.js'
import { compressions, parseExrHeader, type ExrChannel, type ExrHeader } from './exr-header.js'
import { fromHalf } from './npy.js'

/** Depth's channel is the first of these that is there, or the only one; `layer.Z` counts as `Z`. */
const depthNames = ['Z', 'V', 'Depth', 'Y', 'R']

/**
 * Depth of an OpenEXR image (openexr.com, file layout; libraries for Node.js need newer releases of it or know colour
 * channels alone).
 *
 * @throws Error saying what was expected and found
 */
export function parseExr(bytes: Buffer): Plane<Float32Array> {
  const header = parseExrHeader(bytes)
  const { width, height, channels, compression, end } = header
  const channel = depthChannel(channels)
  const { name, lines } = compressions[compression] ?? { name: `number ${compression}`, lines: 0 }
  if (compression > 3) throw new Error(`expected compression none, RLE, ZIPS or ZIP, found ${name}`)
  const lineBytes = channels.reduce((sum, each) => sum + each.bytes * width, 0)
  const data = new Float32Array(width * height)
  for (let block = 0; block * lines < height; block++) {
    const at = Number(bytes.readBigUInt64LE(end + 8 * block))
    const first = bytes.readInt32LE(at) - header.top
    const stored = bytes.subarray(at + 8, at + 8 + bytes.readInt32LE(at + 4))
    const count = Math.min(lines, height - first)
    const raw = unpacked(stored, count * lineBytes, compression)
    for (let line = 0; line < count; line++)
      readLine(raw, line * lineBytes, channel, header, data, (first + line) * width)
  }
  return { data, width, height }
}

interface PlacedChannel extends ExrChannel {
  /** Bytes of a line that lie before it, for each pixel of its width. */
  readonly before: number
}

function depthChannel(channels: readonly ExrChannel[]): PlacedChannel {
  const short = ({ name }: ExrChannel): string => name.slice(name.lastIndexOf('.') + 1)
  const wanted = depthNames.find((name) => channels.some((channel) => short(channel) === name))
  const index = channels.length === 1 ? 0 : channels.findIndex((channel) => short(channel) === wanted)
  const channel = channels[index]
  if (channel === undefined)
    throw new Error(`expected a channel ${depthNames.join(', ')}, found ${channels.map(({ name }) => name).join(', ')}`)
  return { ...channel, before: channels.slice(0, index).reduce((sum, each) => sum + each.bytes, 0) }
}

function readLine(
  raw: Buffer,
  start: number,
  { type, bytes, before }: PlacedChannel,
  { width }: ExrHeader,
  data: Float32Array,
  to: number,
): void {
  const from = start + before * width
  for (let x = 0; x < width; x++) {
    const at = from + x * bytes
    data[to + x] =
      type === 'half' ? fromHalf(raw.readUInt16LE(at)) : type === 'float' ? raw.readFloatLE(at) : raw.readUInt32LE(at)
  }
}

/** A block that would not get smaller is stored as it is. */
function unpacked(stored: Buffer, size: number, compression: number): Buffer {
  if (stored.length === size || compression === 0) return sized(stored, size)
  const packed = compression === 1 ? runs(stored, size) : inflateSync(stored)
  return restored(sized(packed, size))
}

function sized(bytes: Buffer, size: number): Buffer {
  if (bytes.length === size) return bytes
  throw new Error(`expected ${size} bytes in a block, found ${bytes.length}`)
}

/** A count n below 0 is followed by −n bytes as they are, otherwise by one byte that stands for n + 1. */
function runs(stored: Buffer, size: number): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < stored.length;) {
    const count = stored.readInt8(at)
    const isLiteral = count < 0
    parts.push(isLiteral ? stored.subarray(at + 1, at + 1 - count) : Buffer.alloc(count + 1, stored.readUInt8(at + 1)))
    at += isLiteral ? 1 - count : 2
  }
  return sized(Buffer.concat(parts), size)
}

/** Undoes the differences of neighbours, then puts the two halves back into even and odd places. */
function restored(packed: Buffer): Buffer {
  for (let i = 1; i < packed.length; i++) packed[i] = ((packed[i - 1] as number) + (packed[i] as number) - 128) & 0xff
  const half = (packed.length + 1) >> 1
  const bytes = Buffer.alloc(packed.length)
  for (let i = 0; i < packed.length; i++) bytes[i] = packed[(i >> 1) + (i & 1 ? half : 0)] as number
  return bytes
}
