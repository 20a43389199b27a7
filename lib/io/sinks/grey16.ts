// Owns: depth as 16-bit grey pixels, and as PNG of them.
// Must not know: which values black and white stand for, files.

import { loadSharp } from '../../base/libraries.js'
import { inSlices } from '../slices.js'

/** value = offset + pixel · step */
export interface Mapping {
  readonly offset: number
  readonly step: number
}

const white = 65535

/** What the field writes metric depth in: a pixel is a millimetre. */
export const millimetres: Mapping = { offset: 0, step: 0.001 }

/** 0 stands for `min`, 65535 for `max`; step 0 where they are the same. */
export function mappingOver(min: number, max: number): Mapping {
  return { offset: min, step: max > min ? (max - min) / white : 0 }
}

/** Rounded to the nearest pixel; what lies outside is clamped. */
export async function quantised(data: Float32Array, { offset, step }: Mapping): Promise<Uint16Array> {
  const pixels = new Uint16Array(data.length)
  if (step === 0) return pixels
  await inSlices(data.length, (from, to) => {
    for (let i = from; i < to; i++) {
      const pixel = Math.round(((data[i] as number) - offset) / step)
      pixels[i] = pixel <= 0 ? 0 : pixel >= white ? white : pixel
    }
  })
  return pixels
}

/** @param pixels [height, width] */
export async function encodedPng(pixels: Uint16Array, width: number, height: number): Promise<Buffer> {
  const sharp = await loadSharp()
  return sharp(pixels, { raw: { width, height, channels: 1 } })
    .toColourspace('grey16')
    .png()
    .toBuffer()
}
