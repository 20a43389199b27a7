// Owns: the Portable Float Map format of one channel.
// Must not know: what the values mean.

import type { Plane } from '../plane.js'
import { readExactly, type OpenFile } from '../../base/read-file.js'
import { checkSize, readNumbers } from './number-file.js'
import { countOf } from './npy.js'

const mostHeaderBytes = 200

/**
 * `Pf`, width, height, scale as text, then float32 from the bottom row up; top row first here. A scale below 0 means
 * little-endian; values are multiplied by its magnitude (netpbm's definition of the format).
 *
 * @throws Error saying what was expected and found
 */
export async function readPfm(file: OpenFile): Promise<Plane<Float32Array>> {
  const prefix = Buffer.alloc(Math.min(mostHeaderBytes, file.size))
  await readExactly(file.handle, prefix, 0)
  const head = prefix.toString('latin1')
  const found = /^Pf\s+(\d{1,9})\s+(\d{1,9})\s+([-+.\deE]+)\s/.exec(head)
  if (found === null) {
    if (head.startsWith('PF')) throw new Error('expected one channel (Pf), found colour (PF)')
    throw new Error(`expected a PFM header (Pf, width, height, scale), found ${JSON.stringify(head.slice(0, 24))}`)
  }
  const [width, height, scale] = [Number(found[1]), Number(found[2]), Number(found[3])]
  if (!Number.isFinite(scale) || scale === 0) throw new Error(`expected a scale other than 0, found ${found[3]}`)
  const count = countOf([height, width])
  const start = found[0].length
  checkSize(file.size, start + count * Float32Array.BYTES_PER_ELEMENT, [width, height])
  const data = (await readNumbers(file, start, count, {
    letter: 'f',
    bytes: 4,
    littleEndian: scale < 0,
  })) as Float32Array
  const factor = Math.abs(scale)
  if (factor !== 1) for (let i = 0; i < count; i++) data[i] = (data[i] as number) * factor
  return { data: upsideDown(data, width), width, height }
}

/** In place. */
function upsideDown(data: Float32Array, width: number): Float32Array {
  for (let upper = 0, lower = data.length - width; upper < lower; upper += width, lower -= width) {
    const kept = data.slice(upper, upper + width)
    data.copyWithin(upper, lower, lower + width)
    data.set(kept, lower)
  }
  return data
}
