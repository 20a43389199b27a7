// Owns: the bytes of a block of scan lines, however they are packed: by runs, by zlib, as 24 bits, by wavelets.
// Must not know: channels' names, what values mean.

import { inflateSync } from 'node:zlib'
import { compressions, type ExrBlock } from './exr-header.js'
import { unpackPiz } from './exr-piz.js'

type Unpack = (stored: Buffer, block: ExrBlock, size: number) => Buffer

const unpackers: ReadonlyMap<string, Unpack> = new Map<string, Unpack>([
  ['none', (stored) => stored],
  ['RLE', (stored, _block, size) => restored(runs(stored, size))],
  ['ZIPS', (stored, _block, size) => restored(inflated(stored, size))],
  ['ZIP', (stored, _block, size) => restored(inflated(stored, size))],
  ['PIZ', unpackPiz],
  ['PXR24', unpackPxr24],
])

/** Gives the lines of a block, each channel's values in turn. A block that would not get smaller is stored as it is. */
export function unpackerOf(compression: number): (stored: Buffer, block: ExrBlock) => Buffer {
  const name = compressions[compression]?.name ?? `number ${compression}`
  const unpack = unpackers.get(name)
  if (unpack === undefined) throw new Error(`expected compression ${[...unpackers.keys()].join(', ')}, found ${name}`)
  return (stored, block) => {
    const size = block.channels.reduce((sum, { bytes }) => sum + bytes, 0) * block.width * block.lines
    return sized(stored.length === size ? stored : unpack(stored, block, size), size)
  }
}

function sized(bytes: Buffer, size: number): Buffer {
  if (bytes.length === size) return bytes
  throw new Error(`expected ${size} bytes in a block, found ${bytes.length}`)
}

/** @throws Error where it is of another size; no more than that is unpacked */
function inflated(stored: Buffer, size: number): Buffer {
  try {
    return sized(inflateSync(stored, { maxOutputLength: size }), size)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new Error(`expected ${size} bytes in a block, found more`, { cause: error })
  }
}

/** A count n below 0 is followed by −n bytes as they are, otherwise by one byte that stands for n + 1. */
function runs(stored: Buffer, size: number): Buffer {
  const bytes = Buffer.alloc(size)
  let to = 0
  for (let at = 0; at < stored.length;) {
    const count = stored.readInt8(at)
    const [isLiteral, length] = [count < 0, count < 0 ? -count : count + 1]
    const from = at + 1
    at = from + (isLiteral ? length : 1)
    if (at > stored.length) throw new RangeError('it is cut short in a block')
    if (to + length > size) throw new Error(`expected ${size} bytes in a block, found more`)
    if (isLiteral) stored.copy(bytes, to, from, at)
    else bytes.fill(stored[from] as number, to, to + length)
    to += length
  }
  return sized(bytes.subarray(0, to), size)
}

/** Undoes the differences of neighbours, then puts the two halves back into even and odd places. */
function restored(packed: Buffer): Buffer {
  for (let i = 1; i < packed.length; i++) packed[i] = ((packed[i - 1] as number) + (packed[i] as number) - 128) & 0xff
  const half = (packed.length + 1) >> 1
  const bytes = Buffer.alloc(packed.length)
  for (let i = 0; i < packed.length; i++) bytes[i] = packed[(i >> 1) + (i & 1 ? half : 0)] as number
  return bytes
}

/** Floats without their last eight bits. For each line and channel the highest bytes, the next, and so on, as differences. */
function unpackPxr24(stored: Buffer, { channels, width, lines }: ExrBlock, size: number): Buffer {
  const planes = channels.map(({ type, bytes }) => (type === 'float' ? 3 : bytes))
  const packed = inflated(stored, planes.reduce((sum, count) => sum + count, 0) * width * lines)
  const raw = Buffer.alloc(size)
  let from = 0
  let to = 0
  for (let line = 0; line < lines; line++) {
    channels.forEach(({ bytes }, c) => {
      const count = planes[c] as number
      let value = 0
      for (let x = 0; x < width; x++) {
        let difference = 0
        for (let i = 0; i < count; i++) difference = (difference << 8) | (packed[from + i * width + x] as number)
        value = (value + (difference << (8 * (bytes - count)))) >>> 0
        for (let i = 0; i < bytes; i++) raw[to++] = value >>> (8 * i)
      }
      from += count * width
    })
  }
  return raw
}
