// Owns: PIZ, OpenEXR's wavelet compression, without loss: Huffman codes, wavelets, a table of the values that occur.
// Must not know: the file around a block, other compressions.

import type { ExrBlock } from './exr-header.js'

/** Bytes of a block's bitmap of 65536 values. */
const bitmapBytes = 8192
/** Where the Huffman codes' table begins, behind five numbers. */
const tableStart = 20
const longestCode = 52

/** @returns lines, each channel's values in turn. @throws Error saying what was expected and found; RangeError where it is cut short */
export function unpackPiz(stored: Buffer, { channels, width, lines }: ExrBlock): Buffer {
  const { values, largest, end } = occurringValues(stored)
  const size = stored.readInt32LE(end)
  if (size < 0 || end + 4 + size > stored.length) throw new RangeError('it is cut short in a block')
  const perPixel = channels.reduce((sum, { bytes }) => sum + bytes / 2, 0)
  const words = decodeHuffman(stored.subarray(end + 4, end + 4 + size), perPixel * width * lines)
  const raw = Buffer.alloc(2 * words.length)
  let from = 0
  let before = 0
  for (const { bytes } of channels) {
    const step = bytes / 2
    const line = step * width
    for (let i = 0; i < step; i++) undoWavelet(words, { from: from + i, step, line, width, lines }, largest < 1 << 14)
    for (let y = 0; y < lines; y++) {
      let to = 2 * width * (y * perPixel + before)
      for (let i = 0; i < line; i++) {
        const value = values[words[from + y * line + i] as number] as number
        raw[to++] = value
        raw[to++] = value >> 8
      }
    }
    from += line * lines
    before += step
  }
  return raw
}

/** What a number stands for: 0, and the values whose bits are set, in order. */
function occurringValues(stored: Buffer): { values: Uint16Array; largest: number; end: number } {
  const [first, last] = [stored.readUInt16LE(0), stored.readUInt16LE(2)]
  if (last >= bitmapBytes) throw new Error(`expected a bitmap of ${bitmapBytes} bytes, found one to byte ${last}`)
  const values = new Uint16Array(1 << 16)
  const end = 4 + Math.max(0, last - first + 1)
  let count = 1
  for (let value = Math.max(1, 8 * first); value < 8 * (last + 1); value++)
    if (((stored.readUInt8(4 + (value >> 3) - first) >> (value & 7)) & 1) === 1) values[count++] = value
  return { values, largest: count - 1, end }
}

class Bits {
  constructor(
    private readonly bytes: Buffer,
    private at: number,
  ) {}

  next(): number {
    const byte = this.bytes[this.at >> 3]
    if (byte === undefined) throw new RangeError('it is cut short in a block')
    return (byte >> (7 - (this.at++ & 7))) & 1
  }

  number(length: number): number {
    let value = 0
    for (let i = 0; i < length; i++) value = 2 * value + this.next()
    return value
  }

  toNextByte(): void {
    this.at = (this.at + 7) & ~7
  }
}

/** Canonical codes, the longest first from 0; the last symbol stands for a repetition of what came before. */
function decodeHuffman(bytes: Buffer, count: number): Uint16Array {
  const words = new Uint16Array(count)
  if (count === 0) return words
  const [lowest, repeat] = [bytes.readUInt32LE(0), bytes.readUInt32LE(4)]
  if (lowest > repeat || repeat > 1 << 16) throw new Error(`expected symbols up to 65536, found ${lowest} to ${repeat}`)
  const bits = new Bits(bytes, 8 * tableStart)
  const byLength = symbolsByLength(bits, lowest, repeat)
  bits.toNextByte()
  const first = firstCodes(byLength)
  for (let at = 0; at < count;) {
    let symbol: number | undefined
    for (let length = 1, code = 0; symbol === undefined; length++) {
      if (length > longestCode) throw new Error('expected a Huffman code, found none')
      code = 2 * code + bits.next()
      const index = code - (first[length] as number)
      if (index >= 0) symbol = byLength[length]?.[index]
    }
    if (symbol !== repeat) {
      words[at++] = symbol
      continue
    }
    const run = bits.number(8)
    if (at === 0 || at + run > count) throw new Error(`expected ${count} values in a block, found more`)
    words.fill(words[at - 1] as number, at, at + run)
    at += run
  }
  return words
}

/** Six bits say a symbol's length; 59 to 62 stand for two to five symbols that do not occur, 63 for six and more. */
function symbolsByLength(bits: Bits, lowest: number, highest: number): number[][] {
  const byLength: number[][] = Array.from({ length: longestCode + 1 }, () => [])
  for (let symbol = lowest; symbol <= highest;) {
    const length = bits.number(6)
    if (length === 63) symbol += bits.number(8) + 6
    else if (length >= 59) symbol += length - 57
    else if (length > longestCode) throw new Error(`expected codes of at most ${longestCode} bits, found ${length}`)
    else byLength[length]?.push(symbol++)
  }
  byLength[0] = []
  return byLength
}

function firstCodes(byLength: readonly (readonly number[])[]): number[] {
  const first: number[] = []
  let code = 0
  for (let length = byLength.length - 1; length > 0; length--) {
    first[length] = code
    code = Math.floor((code + (byLength[length]?.length ?? 0)) / 2)
  }
  return first
}

interface WordGrid {
  readonly from: number
  /** Words from a value to the next, and from a line to the next. */
  readonly step: number
  readonly line: number
  readonly width: number
  readonly lines: number
}

/** Two-dimensional Haar wavelet, coarse to fine, in place: sums stand at even places, differences at odd ones. */
function undoWavelet(words: Uint16Array, { from, step, line, width, lines }: WordGrid, isNarrow: boolean): void {
  const undo = isNarrow ? undoPair14 : undoPair16
  let distance = 1
  while (2 * distance <= Math.min(width, lines)) distance *= 2
  for (distance /= 2; distance >= 1; distance /= 2) {
    const [right, below] = [distance * step, distance * line]
    let y = 0
    for (; y + 2 * distance <= lines; y += 2 * distance) {
      let at = from + y * line
      let x = 0
      for (; x + 2 * distance <= width; x += 2 * distance, at += 2 * right) {
        undo(words, at, at + below)
        undo(words, at + right, at + right + below)
        undo(words, at, at + right)
        undo(words, at + below, at + right + below)
      }
      if ((width & distance) !== 0) undo(words, at, at + below)
    }
    if ((lines & distance) === 0) continue
    for (let x = 0, at = from + y * line; x + 2 * distance <= width; x += 2 * distance, at += 2 * right)
      undo(words, at, at + right)
  }
}

/** For values below 2¹⁴: signed arithmetic. */
function undoPair14(words: Uint16Array, low: number, high: number): void {
  const difference = ((words[high] as number) << 16) >> 16
  const sum = (((words[low] as number) << 16) >> 16) + (difference & 1) + (difference >> 1)
  words[low] = sum
  words[high] = sum - difference
}

/** For all others: modulo 2¹⁶. */
function undoPair16(words: Uint16Array, low: number, high: number): void {
  const difference = words[high] as number
  const second = ((words[low] as number) - (difference >> 1)) & 0xffff
  words[low] = difference + second - 0x8000
  words[high] = second
}
