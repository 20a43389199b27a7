// Owns: bytes of small pictures that no library here writes: BMP, PNM, PNG with odd claims or an animation, JPEG of many passes.
// Must not know: the readers under test.

import { crc32, deflateSync } from 'node:zlib'

/** @param rgb [height, width, 3] @param claimed height in the header */
export function bmp(rgb: Uint8Array, width: number, height: number, claimed = height): Buffer {
  const rowBytes = Math.ceil((width * 3) / 4) * 4
  const bytes = Buffer.alloc(54 + rowBytes * height)
  bytes.write('BM', 'latin1')
  bytes.writeUInt32LE(bytes.length, 2)
  bytes.writeUInt32LE(54, 10)
  bytes.writeUInt32LE(40, 14)
  bytes.writeInt32LE(width, 18)
  bytes.writeInt32LE(claimed, 22)
  bytes.writeUInt16LE(1, 26)
  bytes.writeUInt16LE(24, 28)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++)
        bytes[54 + (height - 1 - y) * rowBytes + 3 * x + c] = rgb[3 * (y * width + x) + 2 - c] ?? 0
  return bytes
}

export function pnm(type: 'P5' | 'P6', width: number, height: number, white: number, data: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${type}\n${width} ${height}\n${white}\n`), data])
}

interface PngOptions {
  readonly width: number
  readonly height: number
  /** Deflated; default: black. */
  readonly data?: Buffer
  /** Above 1: an animation of so many black frames. */
  readonly frames?: number
}

/** RGB, 8 bits. */
export function png({ width, height, data, frames = 1 }: PngOptions): Buffer {
  const head = Buffer.from([...uint32(width), ...uint32(height), 8, 2, 0, 0, 0])
  const pixels = data ?? deflateSync(Buffer.alloc(height * (1 + 3 * width)))
  const control = (sequence: number): Buffer => {
    const sides = [...uint32(width), ...uint32(height), ...uint32(0), ...uint32(0)]
    return chunk('fcTL', Buffer.from([...uint32(sequence), ...sides, 0, 1, 0, 20, 0, 0]))
  }
  const later = Array.from({ length: frames - 1 }, (_, i) => [
    control(1 + 2 * i),
    chunk('fdAT', Buffer.concat([Buffer.from(uint32(2 + 2 * i)), pixels])),
  ]).flat()
  const animation = frames === 1 ? [] : [chunk('acTL', Buffer.from([...uint32(frames), ...uint32(0)])), control(0)]
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', head),
    ...animation,
    chunk('IDAT', pixels),
    ...later,
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  return Buffer.concat([Buffer.from(uint32(data.length)), body, Buffer.from(uint32(crc32(body)))])
}

function uint32(value: number): number[] {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255)
}

/** Progressive and valid, black, each pass of a few bytes: the work is in visiting every block again. */
export function jpegOfPasses(width: number, height: number, passes: number): Buffer {
  const segment = (marker: number, data: readonly number[]): Buffer =>
    Buffer.from([0xff, marker, (data.length + 2) >> 8, (data.length + 2) & 255, ...data])
  const sides = [height >> 8, height & 255, width >> 8, width & 255]
  const blocks = Math.ceil(width / 8) * Math.ceil(height / 8)
  const oneBitCode = [1, ...new Array<number>(15).fill(0)]
  const first = [segment(0xda, [1, 1, 0, 0, 0, 0]), Buffer.alloc(Math.ceil(blocks / 8))] // one bit a block
  const endOfBand = Buffer.alloc(2 * Math.ceil(blocks / 2 ** 14)) // a run of 2¹⁴ blocks: code 0 and 14 bits, stuffed to 16
  const others = Array.from({ length: passes - 1 }, (_, i) => {
    const [coefficient, bit] = [1 + (i % 63), 13 - Math.floor(i / 63)]
    return [segment(0xda, [1, 1, 0, coefficient, coefficient, ((bit === 13 ? 0 : bit + 1) << 4) | bit]), endOfBand]
  })
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    segment(0xdb, [0, ...new Array<number>(64).fill(1)]),
    segment(0xc2, [8, ...sides, 1, 1, 0x11, 0]),
    segment(0xc4, [0x00, ...oneBitCode, 0]),
    segment(0xc4, [0x10, ...oneBitCode, 0xe0]),
    ...first,
    ...others.flat(),
    Buffer.from([0xff, 0xd9]),
  ])
}

/** The same chunks with their checksums put right, as far as they can be told apart. */
export function repairedPng(bytes: Uint8Array): Buffer {
  const repaired = Buffer.from(bytes)
  for (let at = 8; at + 12 <= repaired.length;) {
    const end = at + 8 + repaired.readUInt32BE(at)
    if (end + 4 > repaired.length) break
    repaired.writeUInt32BE(crc32(repaired.subarray(at + 4, end)), end)
    at = end + 4
  }
  return repaired
}
