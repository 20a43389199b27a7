// Owns: decoded pictures to cropped, upright, tightly packed RGB of the wanted size.
// Must not know: where pictures come from, what they are for.

import type { Frame, Stream } from 'node-av'
import type { Av } from '../av.js'
import { cutFor, turnFor } from './display-matrix.js'
import { FilterChain } from '../filter-chain.js'
import type { Size } from '../../base/frame.js'

export interface RgbPicture extends Size {
  /** [height, width, 3], owned by JavaScript. */
  readonly data: Uint8Array
}

/** The cropping, the turn and the size are those of the first picture; later ones of another size are scaled to it. */
export class RgbConverter {
  readonly #av: Av
  readonly #stream: Stream
  readonly #fit: (upright: Size) => Size
  /** Colour matrices. */
  readonly #convertible: ReadonlySet<number>
  #filters: FilterChain | undefined

  /** @param stream where the pictures come from. @param fit from the size of the upright picture to the one wanted */
  constructor(av: Av, stream: Stream, fit: (upright: Size) => Size) {
    this.#av = av
    this.#stream = stream
    this.#fit = fit
    this.#convertible = new Set([
      ...[av.AVCOL_SPC_RGB, av.AVCOL_SPC_BT709, av.AVCOL_SPC_UNSPECIFIED, av.AVCOL_SPC_FCC, av.AVCOL_SPC_BT470BG],
      ...[av.AVCOL_SPC_SMPTE170M, av.AVCOL_SPC_SMPTE240M, av.AVCOL_SPC_BT2020_NCL],
    ])
  }

  /**
   * Takes over the frame's data: `frame` is empty afterwards. A colour matrix that cannot be converted counts as untagged.
   */
  async convert(frame: Frame): Promise<RgbPicture> {
    if (!this.#convertible.has(frame.colorSpace)) frame.colorSpace = this.#av.AVCOL_SPC_UNSPECIFIED
    this.#filters ??= this.#chainFor(frame)
    return this.#packed(await this.#filters.apply(frame))
  }

  /** Only after the last `convert` settled. */
  close(): void {
    this.#filters?.close()
    this.#filters = undefined
  }

  #chainFor(frame: Frame): FilterChain {
    const av = this.#av
    const { codecpar } = this.#stream
    const { sideways, steps } = turnFor(
      codecpar.getCodedSideData(av.AV_PKT_DATA_DISPLAYMATRIX) ?? frame.getSideData(av.AV_FRAME_DATA_DISPLAYMATRIX),
    )
    const cut = cutFor(codecpar.getCodedSideData(av.AV_PKT_DATA_FRAME_CROPPING), frame)
    const { width, height } = exchanged(this.#fit(exchanged(cut, sideways)), sideways)
    return new FilterChain(av, [
      ...cut.steps,
      { filter: 'scale', args: `w=${width}:h=${height}:flags=bicubic` },
      { filter: 'format', args: 'pix_fmts=rgb24' },
      ...steps,
    ])
  }

  /** A copy without row padding. */
  #packed(frame: Frame): RgbPicture {
    const { width, height, data: planes, linesize } = frame
    const data = Buffer.allocUnsafeSlow(width * height * 3)
    const rgb24 = this.#av.AV_PIX_FMT_RGB24
    const size = this.#av.avImageCopyToBuffer(data, data.length, planes, linesize, rgb24, width, height, 1)
    if (size !== data.length) throw new Error(`expected ${data.length} bytes of RGB, received ${size}`)
    return { data, width, height }
  }
}

function exchanged({ width, height }: Size, sideways: boolean): Size {
  return sideways ? { width: height, height: width } : { width, height }
}
