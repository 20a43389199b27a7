// Owns: pictures as FFmpeg's swscale converts them, to compare with.
// Must not know: the code under test.

import * as av from 'node-av'
import type { ColorMatrix, ColorRange } from '../../dist/esm/base/frame.js'
import { FilterChain } from '../../dist/esm/io/filter-chain.js'

export interface SwscalePicture {
  /** FFmpeg's layout without padding. */
  readonly data: Uint8Array
  readonly width: number
  readonly height: number
  /** FFmpeg's name. */
  readonly format: string
  readonly colorMatrix: ColorMatrix
  readonly colorRange: ColorRange
}

/** Tightly packed RGB; `flags` are the scale filter's. */
export async function swscaleRgb(picture: SwscalePicture, flags: string): Promise<Uint8Array> {
  av.Log.setLevel(av.AV_LOG_QUIET)
  const { width, height } = picture
  const format = av.avGetPixFmtFromName(picture.format)
  const source = Buffer.from(picture.data)
  const frame = av.Frame.fromVideoBuffer(source, { width, height, format, timeBase: { num: 1, den: 1000 } })
  frame.colorSpace = picture.colorMatrix === 'bt601' ? av.AVCOL_SPC_SMPTE170M : av.AVCOL_SPC_BT709
  frame.colorRange = picture.colorRange === 'full' ? av.AVCOL_RANGE_JPEG : av.AVCOL_RANGE_MPEG
  const chain = new FilterChain(av, [
    { filter: 'scale', args: `flags=${flags}` },
    { filter: 'format', args: 'pix_fmts=rgb24' },
  ])
  const { data, linesize } = await chain.apply(frame)
  const out = Buffer.alloc(width * height * 3)
  const size = av.avImageCopyToBuffer(out, out.length, data, linesize, av.AV_PIX_FMT_RGB24, width, height, 1)
  chain.close()
  frame.free()
  // `source` is read until here: the frame borrows its memory without a reference to it.
  if (size !== out.length || source.length !== picture.data.length) throw new Error(`swscale gave ${size} bytes`)
  return out
}
