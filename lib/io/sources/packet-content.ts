// Owns: whether a coded packet holds a picture that is to be shown, from its first bytes.
// Must not know: FFmpeg's objects, decoding.

import { H264Fields } from './h264-fields.js'

/** A coded picture needs more than this; what holds none (end of sequence, supplemental information) is short. Bytes. */
const mostBytesWithoutPicture = 1024

/** How far a first slice is looked for where start codes divide a packet. Bytes. */
const mostBytesSearched = 4096

/** The longest MPEG-4 packet that stands for a picture which an earlier packet brought. Bytes. */
const mostPlaceholderBytes = 19

export type PacketSyntax = 'h264' | 'hevc' | 'vvc' | 'vp8' | 'vp9' | 'mpeg2' | 'mpeg4' | 'other'

/** Reads the packets of one stream, in decoding order. */
export class PacketContent {
  readonly #syntax: PacketSyntax
  /** Size of the lengths between H.264's, HEVC's and VVC's units; 0: start codes. */
  readonly #lengthBytes: number
  readonly #fields = new H264Fields()

  /** @param configuration the decoder's, from an MP4 or Matroska file, or as parameter sets with start codes */
  constructor(syntax: PacketSyntax, configuration: Uint8Array | null) {
    this.#syntax = syntax
    this.#lengthBytes = unitLengthBytes(syntax, configuration)
    if (syntax === 'h264' && configuration !== null) this.#fields.isSecondField(parameterSets(configuration))
  }

  /**
   * `none` where a packet is intact without bringing a picture: frames that VP8 and VP9 only refer to; H.264's, HEVC's
   * and VVC's packets without a slice. `maybe` where its picture may have come with the packet before it: MPEG-4's
   * placeholders, second fields.
   */
  picture(data: Uint8Array): 'one' | 'maybe' | 'none' {
    const syntax = this.#syntax
    if (data.length === 0) return 'none'
    if (syntax === 'vp8') return ((data[0] as number) & 0x10) !== 0 ? 'one' : 'none'
    if (syntax === 'vp9') return showsVp9(data) ? 'one' : 'none'
    if (syntax === 'mpeg4') return data.length <= mostPlaceholderBytes ? 'maybe' : 'one'
    if (syntax !== 'h264' && syntax !== 'hevc' && syntax !== 'vvc') return 'one'
    const units = this.#lengthBytes === 0 ? afterStartCodes(data) : afterLengths(data, this.#lengthBytes)
    if (syntax === 'h264' && this.#fields.isSecondField(units)) return 'maybe'
    // What cannot be taken apart is damaged, and may have been a picture.
    const isEmpty = data.length <= mostBytesWithoutPicture && units.length > 0
    return isEmpty && !units.some((unit) => isSlice(syntax, unit)) ? 'none' : 'one'
  }
}

/** Those of an MP4's configuration (avcC), or of one with start codes. */
function parameterSets(configuration: Uint8Array): readonly Uint8Array[] {
  if (configuration[0] !== 1) return afterStartCodes(configuration)
  return ((configuration[5] ?? 0) & 31) > 0 ? [configuration.subarray(8)] : []
}

/** As the decoder configuration of an MP4 or Matroska file says; 0: start codes. */
function unitLengthBytes(syntax: PacketSyntax, configuration: Uint8Array | null): number {
  if (configuration === null || configuration.length < 5) return 0
  const [first = 0, , , , fifth = 0] = configuration
  if (syntax === 'h264') return first === 1 ? (fifth & 3) + 1 : 0
  if (syntax === 'hevc') return first === 1 && configuration.length >= 23 ? ((configuration[21] as number) & 3) + 1 : 0
  if (syntax === 'vvc') return first >= 0xf8 ? ((first >> 1) & 3) + 1 : 0
  return 0
}

/** A superframe ends with the frame that is shown. */
function showsVp9(data: Uint8Array): boolean {
  const isSuperframe = ((data[data.length - 1] as number) & 0xe0) === 0xc0
  const first = data[0] as number
  const isReserved = (first & 0x30) === 0x30
  if (isSuperframe || first >> 6 !== 2) return true
  // After the profile (and a reserved bit in profile 3): show_existing_frame, frame_type, show_frame.
  const bits = isReserved ? first : first >> 1
  return (bits & 4) !== 0 || (bits & 1) !== 0
}

function isSlice(syntax: 'h264' | 'hevc' | 'vvc', unit: Uint8Array): boolean {
  const [first = 0, second = 0] = unit
  const type = { h264: first & 0x1f, hevc: (first >> 1) & 0x3f, vvc: second >> 3 }[syntax]
  return syntax === 'h264' ? type >= 1 && type <= 5 : type <= { hevc: 31, vvc: 11 }[syntax]
}

/** Units to the end of the packet: their beginnings are what counts. The first ones only, as pictures may be large. */
function afterStartCodes(data: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = []
  const end = Math.min(data.length - 3, mostBytesSearched)
  for (let i = 0; i < end; i++)
    if (data[i] === 0 && data[i + 1] === 0 && data[i + 2] === 1) found.push(data.subarray(i + 3))
  return found
}

/** Empty where the lengths do not fit. */
function afterLengths(data: Uint8Array, lengthBytes: number): Uint8Array[] {
  const found: Uint8Array[] = []
  for (let at = 0; at < data.length;) {
    let length = 0
    for (let i = 0; i < lengthBytes; i++) length = length * 256 + (data[at + i] ?? 0)
    at += lengthBytes
    if (length === 0 || at + length > data.length) return []
    found.push(data.subarray(at, at + length))
    at += length
  }
  return found
}
