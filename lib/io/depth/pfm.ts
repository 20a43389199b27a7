// Owns: the Portable Float Map format of one channel.
// Must not know: files, what the values mean.

import type { Plane } from '../../evaluate/plane.js'

/** `Pf`, width, height, scale (below 0: little-endian) as text, then float32 from the bottom row up. Top row first here. */
export function parsePfm(bytes: Uint8Array): Plane<Float32Array> {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 200)).toString('latin1')
  const found = /^Pf\s+(\d+)\s+(\d+)\s+([-+.\deE]+)\s/.exec(head)
  if (found === null) {
    if (head.startsWith('PF')) throw new Error('expected one channel (Pf), found colour (PF)')
    throw new Error(`expected a PFM header (Pf, width, height, scale), found ${JSON.stringify(head.slice(0, 24))}`)
  }
  const [width, height] = [Number(found[1]), Number(found[2])]
  const start = found[0].length
  const expected = width * height * Float32Array.BYTES_PER_ELEMENT
  if (bytes.byteLength - start !== expected)
    throw new Error(`expected ${expected} bytes of ${width}×${height} values, found ${bytes.byteLength - start}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, expected)
  const isLittleEndian = Number(found[3]) < 0
  const data = new Float32Array(width * height)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      data[y * width + x] = view.getFloat32(4 * ((height - 1 - y) * width + x), isLittleEndian)
  return { data, width, height }
}
