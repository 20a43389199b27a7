// Owns: depth frames in fewer bytes, bit for bit the same again.
// Must not know: files, what depth means.

import { promisify } from 'node:util'
import { deflateRaw, inflateRaw } from 'node:zlib'
import { inSlices } from '../slices.js'

const deflate = promisify(deflateRaw)
const inflate = promisify(inflateRaw)

/** The lowest byte of a value is noise and stays as it is. */
const bytesPerValue = 4

/** Four planes, one byte of each value in each: the lowest as it is, then three that are deflated. */
export type PackedDepth = readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array]

/** No frame takes less, whatever it shows. Bytes a pixel. */
export const leastBytesPerPixel = 1

/**
 * Nothing coarser would do: which depths share one of the picture's 256 levels is known when the video's least and greatest
 * value are, and then any two neighbouring floats may belong to two levels. So what is kept are the floats, as the
 * difference between their bits and what left, upper and upper left neighbour let expect (exact where depth was scaled up
 * linearly): about 1.3 to 1.9 bytes a pixel.
 *
 * @param data [height, width]
 */
export async function packDepth(data: Float32Array, width: number): Promise<PackedDepth> {
  const bits = paddedBits(data.length, width)
  const first = width + 1
  bits.set(new Int32Array(data.buffer, data.byteOffset, data.length), first)
  const planes = Array.from({ length: bytesPerValue }, () => new Uint8Array(data.length))
  const [a, b, c, d] = planes as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
  await inSlices(data.length, (from, to) => {
    for (let i = from; i < to; i++) {
      const at = i + first
      const expected = (bits[at - 1] as number) + (bits[at - width] as number) - (bits[at - first] as number)
      const difference = ((bits[at] as number) - expected) | 0
      const small = (difference << 1) ^ (difference >> 31) // near 0 on either side gives zeros in the upper bytes
      a[i] = small
      b[i] = small >>> 8
      c[i] = small >>> 16
      d[i] = small >>> 24
    }
  })
  const deflated = (plane: Uint8Array): Promise<Uint8Array> => deflate(plane, { level: 1 })
  return [a, ...(await Promise.all([deflated(b), deflated(c), deflated(d)]))]
}

/** @returns [height, width] of `length` values, owned by the caller */
export async function unpackDepth(packed: PackedDepth, length: number, width: number): Promise<Float32Array> {
  const inflated = (plane: Uint8Array): Promise<Uint8Array> => inflate(plane, { maxOutputLength: length })
  const [lowest, ...upper] = packed
  const [b, c, d] = await Promise.all([inflated(upper[0]), inflated(upper[1]), inflated(upper[2])])
  const bits = paddedBits(length, width)
  const first = width + 1
  await inSlices(length, (from, to) => {
    for (let i = from; i < to; i++) {
      const at = i + first
      const small =
        (lowest[i] as number) | ((b[i] as number) << 8) | ((c[i] as number) << 16) | ((d[i] as number) << 24)
      const difference = (small >>> 1) ^ -(small & 1)
      bits[at] = difference + (bits[at - 1] as number) + (bits[at - width] as number) - (bits[at - first] as number)
    }
  })
  return new Float32Array(bits.buffer, first * bytesPerValue, length)
}

/** With zeros in front for what the first row's neighbours would be. A row's left neighbour is the end of the row above. */
function paddedBits(length: number, width: number): Int32Array<ArrayBuffer> {
  return new Int32Array(length + width + 1)
}
