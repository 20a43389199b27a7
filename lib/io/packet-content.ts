// Owns: whether a coded packet holds a picture that is to be shown, from its first bytes.
// Must not know: FFmpeg's objects, decoding.

/** A coded picture needs more than this; what holds none (end of sequence, supplemental information) is short. Bytes. */
const mostBytesWithoutPicture = 1024

/** The longest MPEG-4 packet that stands for a picture which an earlier packet brought. Bytes. */
const mostPlaceholderBytes = 19

export type PacketSyntax = 'h264' | 'hevc' | 'vvc' | 'vp8' | 'vp9' | 'mpeg2' | 'mpeg4' | 'other'

/**
 * False where a packet is intact without bringing a picture: frames that VP8 and VP9 only refer to, H.264's, HEVC's and
 * VVC's packets without a slice.
 *
 * @param lengthBytes of the lengths between H.264's, HEVC's and VVC's units; 0: start codes
 */
export function showsPicture(syntax: PacketSyntax, data: Uint8Array, lengthBytes: number): boolean {
  if (data.length === 0) return false
  if (syntax === 'vp8') return ((data[0] as number) & 0x10) !== 0
  if (syntax === 'vp9') return showsVp9(data)
  if (syntax !== 'h264' && syntax !== 'hevc' && syntax !== 'vvc') return true
  if (data.length > mostBytesWithoutPicture) return true
  const starts = lengthBytes === 0 ? afterStartCodes(data) : afterLengths(data, lengthBytes)
  // What cannot be taken apart is damaged, and may have been a picture.
  return starts.length === 0 || starts.some((at) => isSlice(syntax, data, at))
}

/** True for MPEG-4 packets that may come without a picture: an earlier one held two. */
export function mayBePlaceholder(syntax: PacketSyntax, size: number): boolean {
  return syntax === 'mpeg4' && size <= mostPlaceholderBytes
}

/** Of the decoder configuration in an MP4 or Matroska file; 0: start codes. */
export function unitLengthBytes(syntax: PacketSyntax, configuration: Uint8Array | null): number {
  if (configuration === null || configuration.length < 5) return 0
  if (syntax === 'h264') return configuration[0] === 1 ? ((configuration[4] as number) & 3) + 1 : 0
  if (syntax === 'hevc')
    return configuration[0] === 1 && configuration.length >= 23 ? ((configuration[21] as number) & 3) + 1 : 0
  if (syntax === 'vvc') return (configuration[0] as number) >= 0xf8 ? (((configuration[0] as number) >> 1) & 3) + 1 : 0
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

function isSlice(syntax: 'h264' | 'hevc' | 'vvc', data: Uint8Array, at: number): boolean {
  const first = data[at] ?? 0
  const type = { h264: first & 0x1f, hevc: (first >> 1) & 0x3f, vvc: ((data[at + 1] ?? 0) >> 3) & 0x1f }[syntax]
  return syntax === 'h264' ? type >= 1 && type <= 5 : type <= { hevc: 31, vvc: 11 }[syntax]
}

function afterStartCodes(data: Uint8Array): number[] {
  const found: number[] = []
  for (let i = 0; i + 3 < data.length; i++) if (data[i] === 0 && data[i + 1] === 0 && data[i + 2] === 1) found.push(i + 3)
  return found
}

/** Empty where the lengths do not fit. */
function afterLengths(data: Uint8Array, lengthBytes: number): number[] {
  const found: number[] = []
  for (let at = 0; at < data.length; ) {
    let length = 0
    for (let i = 0; i < lengthBytes; i++) length = length * 256 + (data[at + i] ?? 0)
    at += lengthBytes
    if (length === 0 || at + length > data.length) return []
    found.push(at)
    at += length
  }
  return found
}
