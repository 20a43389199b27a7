// Owns: grey levels of a PNG, exactly as they are stored.
// Must not know: files, what a level means.

import type { Plane } from '../plane.js'
import { checkUnpacked } from './claims.js'
import { Numbers } from './npy.js'
import { loadSharp } from '../../base/libraries.js'

const signature = Buffer.from('89504e470d0a1a0a', 'hex')

export interface GreyImage extends Plane<Float32Array> {
  /** The largest level that its bits can hold. */
  readonly full: number
}

/** One grey channel of up to 16 bits; no colour profile is applied. @throws Error saying what was expected and found */
export async function parsePng(bytes: Buffer): Promise<GreyImage> {
  if (!bytes.subarray(0, signature.length).equals(signature)) throw new Error('expected a PNG file, found another')
  const sharp = await loadSharp()
  const image = sharp(bytes, { ignoreIcc: true })
  const { channels, depth, width, height } = await image.metadata()
  if (channels !== 1) throw new Error(`expected one grey channel, found ${channels} channels`)
  checkUnpacked(width * height * Float32Array.BYTES_PER_ELEMENT, bytes.length)
  const isWide = depth === 'ushort'
  const { data, info } = await image
    .toColourspace(isWide ? 'grey16' : 'b-w')
    .raw({ depth: isWide ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true })
  const levels = new Numbers(info.width * info.height, { letter: 'u', bytes: isWide ? 2 : 1, littleEndian: true })
  levels.add(data)
  return { data: levels.values as Float32Array, width: info.width, height: info.height, full: isWide ? 65535 : 255 }
}
