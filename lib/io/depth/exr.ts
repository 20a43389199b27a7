// Owns: one channel of an OpenEXR image as numbers.
// Must not know: files, how a block is packed, what the values mean.

import type { Plane } from '../../evaluate/plane.js'
import { compressions, parseExrHeader, type ExrChannel, type ExrHeader } from './exr-header.js'
import { unpackerOf } from './exr-unpack.js'
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
  const unpack = unpackerOf(compression)
  const lines = compressions[compression]?.lines ?? 1
  const lineBytes = channels.reduce((sum, each) => sum + each.bytes * width, 0)
  const data = new Float32Array(width * height)
  for (let block = 0; block * lines < height; block++) {
    const at = Number(bytes.readBigUInt64LE(end + 8 * block))
    const first = bytes.readInt32LE(at) - header.top
    const stored = bytes.subarray(at + 8, at + 8 + bytes.readInt32LE(at + 4))
    const count = Math.min(lines, height - first)
    const raw = unpack(stored, { channels, width, lines: count })
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
