// Owns: one channel of an OpenEXR image as numbers.
// Must not know: files, how a block is packed, what the values mean.

import type { Plane } from '../plane.js'
import { checkUnpacked } from './claims.js'
import { depthChannel, type PlacedChannel } from './exr-channel.js'
import { compressions, parseExrHeader, type ExrHeader } from './exr-header.js'
import { unpackerOf } from './exr-unpack.js'
import { fromHalf } from './npy.js'

/**
 * Depth of an OpenEXR image (openexr.com, file layout; libraries for Node.js need newer releases of it or know colour
 * channels alone): its display window, with NaN where the data window does not reach.
 *
 * @throws Error saying what was expected and found
 */
export function parseExr(bytes: Buffer): Plane<Float32Array> {
  const header = parseExrHeader(bytes)
  const { data, display, channels } = header
  const channel = depthChannel(channels)
  checkUnpacked(channels.reduce((sum, each) => sum + each.bytes, 0) * data.width * data.height, bytes.length)
  checkUnpacked(display.width * display.height * Float32Array.BYTES_PER_ELEMENT, bytes.length)
  const { width, height } = display
  const plane = { data: new Float32Array(width * height).fill(NaN), width, height }
  for (const [line, values] of storedLines(bytes, header, channel)) place(values, line, header, plane)
  return plane
}

/** Each line exactly once, with its number. The array is the generator's own. */
function* storedLines(
  bytes: Buffer,
  { channels, compression, data: { width, height, top }, end }: ExrHeader,
  channel: PlacedChannel,
): Generator<[line: number, values: Float32Array]> {
  const unpack = unpackerOf(compression)
  const lines = compressions[compression]?.lines ?? 1
  const lineBytes = channels.reduce((sum, each) => sum + each.bytes * width, 0)
  const count = Math.ceil(height / lines)
  if (end + 8 * count > bytes.length) throw new RangeError('it is cut short in its table of blocks')
  const seen = new Uint8Array(count)
  const values = new Float32Array(width)
  let stored = end + 8 * count
  for (let entry = 0; entry < count; entry++) {
    const at = Number(bytes.readBigUInt64LE(end + 8 * entry))
    if (at < end + 8 * count || at + 8 > bytes.length) throw new RangeError(`block ${entry} lies outside the file`)
    const [first, size] = [bytes.readInt32LE(at) - top, bytes.readInt32LE(at + 4)]
    stored += 8 + size
    if (size < 0 || at + 8 + size > bytes.length || stored > bytes.length)
      throw new RangeError(`block ${entry} ends outside the file, or blocks overlap`)
    const block = first / lines
    if (!Number.isInteger(block) || block < 0 || block >= count || seen[block] === 1)
      throw new Error(`expected every line once, found line ${first + top} ${seen[block] === 1 ? 'twice' : 'too'}`)
    seen[block] = 1
    const inBlock = Math.min(lines, height - first)
    const raw = unpack(bytes.subarray(at + 8, at + 8 + size), { channels, width, lines: inBlock })
    for (let line = 0; line < inBlock; line++) {
      readLine(raw, line * lineBytes + channel.before * width, channel, values)
      yield [first + line + top, values]
    }
  }
}

function readLine(raw: Buffer, from: number, { type, bytes }: PlacedChannel, values: Float32Array): void {
  const view = new DataView(raw.buffer, raw.byteOffset + from, values.length * bytes)
  for (let x = 0; x < values.length; x++) {
    const at = x * bytes
    if (type === 'float') values[x] = view.getFloat32(at, true)
    else values[x] = type === 'half' ? fromHalf(view.getUint16(at, true)) : view.getUint32(at, true)
  }
}

/** The part of a stored line that the display window shows. */
function place(values: Float32Array, line: number, { data, display }: ExrHeader, plane: Plane<Float32Array>): void {
  const y = line - display.top
  const from = Math.max(data.left, display.left)
  const to = Math.min(data.left + data.width, display.left + display.width)
  if (y < 0 || y >= display.height || from >= to) return
  plane.data.set(values.subarray(from - data.left, to - data.left), y * display.width + from - display.left)
}
