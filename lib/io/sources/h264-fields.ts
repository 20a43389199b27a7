// Owns: whether an H.264 packet holds the second field of a picture whose first field was in the packet before it.
// Must not know: FFmpeg's objects, decoding.

/** What a slice's header can only be read with (ITU-T H.264, 7.3.2.1.1). */
interface Sequence {
  readonly frameNumberBits: number
  readonly hasColourPlanes: boolean
  readonly mayHaveFields: boolean
}

interface Field {
  readonly frameNumber: number
  readonly isBottom: boolean
}

/** Profiles whose parameter sets tell the chroma format. */
const highProfiles: ReadonlySet<number> = new Set([44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244])

export class H264Fields {
  #sequence: Sequence | undefined
  /** The packet before, where its other field is to come. */
  #first: Field | undefined

  /**
   * @param units of a packet, or of the stream's configuration, each from its first byte on
   * @returns whether its picture is that of the packet before
   */
  isSecondField(units: readonly Uint8Array[]): boolean {
    for (const unit of units) if (((unit[0] ?? 0) & 0x1f) === 7) this.#sequence = sequenceOf(unit)
    const slice = units.find((unit) => [1, 5].includes((unit[0] ?? 0) & 0x1f))
    const before = this.#first
    if (slice === undefined) return false
    const field = this.#sequence?.mayHaveFields === true ? fieldOf(slice, this.#sequence) : undefined
    const isSecond =
      before !== undefined && field?.frameNumber === before.frameNumber && field.isBottom !== before.isBottom
    this.#first = isSecond ? undefined : field
    return isSecond
  }
}

function fieldOf(unit: Uint8Array, { frameNumberBits, hasColourPlanes }: Sequence): Field | undefined {
  const bits = new Bits(unit)
  bits.golomb() // first macroblock
  bits.golomb() // type
  bits.golomb() // picture parameters
  if (hasColourPlanes) bits.take(2)
  const frameNumber = bits.take(frameNumberBits)
  return bits.take(1) === 1 ? { frameNumber, isBottom: bits.take(1) === 1 } : undefined
}

function sequenceOf(unit: Uint8Array): Sequence {
  const bits = new Bits(unit)
  const profile = bits.take(8)
  bits.take(16)
  bits.golomb() // its number
  const hasColourPlanes = highProfiles.has(profile) && takeHigh(bits)
  const frameNumberBits = bits.golomb() + 4
  const orderType = bits.golomb()
  if (orderType === 0) bits.golomb()
  if (orderType === 1) {
    bits.take(1)
    bits.golomb()
    bits.golomb()
    for (let left = Math.min(bits.golomb(), 255); left > 0; left--) bits.golomb()
  }
  bits.golomb() // reference frames
  bits.take(1)
  bits.golomb() // width
  bits.golomb() // height
  return { frameNumberBits: Math.min(frameNumberBits, 16), hasColourPlanes, mayHaveFields: bits.take(1) === 0 }
}

/** @returns whether the three colours are coded apart */
function takeHigh(bits: Bits): boolean {
  const chroma = bits.golomb()
  const hasColourPlanes = chroma === 3 && bits.take(1) === 1
  bits.golomb() // bit depths
  bits.golomb()
  bits.take(1)
  if (bits.take(1) === 1)
    for (let list = 0; list < (chroma === 3 ? 12 : 8); list++)
      if (bits.take(1) === 1) takeList(bits, list < 6 ? 16 : 64)
  return hasColourPlanes
}

function takeList(bits: Bits, length: number): void {
  let [last, next] = [8, 8]
  for (let i = 0; i < length && next !== 0; i++) {
    const code = bits.golomb()
    const step = code % 2 === 1 ? (code + 1) / 2 : -code / 2
    next = (last + step + 256) % 256
    if (next !== 0) last = next
  }
}

/** A unit's bits behind its header byte, without emulation prevention; zeros behind its end. */
class Bits {
  readonly #bytes: readonly number[]
  #at = 0

  /** The first 256 bytes are more than a header needs. */
  constructor(unit: Uint8Array) {
    const head = unit.subarray(1, 257)
    this.#bytes = [...head].filter((byte, i) => !(byte === 3 && head[i - 1] === 0 && head[i - 2] === 0))
  }

  take(count: number): number {
    let value = 0
    for (let i = 0; i < count; i++, this.#at++)
      value = value * 2 + (((this.#bytes[this.#at >> 3] ?? 0) >> (7 - (this.#at & 7))) & 1)
    return value
  }

  golomb(): number {
    let zeros = 0
    while (zeros < 32 && this.take(1) === 0) zeros++
    return 2 ** zeros - 1 + this.take(zeros)
  }
}
