// Owns: an H.264 stream whose pictures are coded as two fields each, with start codes.
// Must not know: the code under test.

/** Most significant bit first. */
class Bits {
  readonly bytes: number[] = []
  #count = 0

  put(value: number, count: number): this {
    for (let bit = count - 1; bit >= 0; bit--) {
      if (this.#count % 8 === 0) this.bytes.push(0)
      const last = this.bytes.length - 1
      this.bytes[last] = (this.bytes[last] ?? 0) | (((value >> bit) & 1) << (7 - (this.#count % 8)))
      this.#count++
    }
    return this
  }

  /** Exponential Golomb, unsigned. */
  golomb(value: number): this {
    const length = Math.floor(Math.log2(value + 1))
    return this.put(0, length).put(value + 1, length + 1)
  }

  align(): this {
    while (this.#count % 8 !== 0) this.put(0, 1)
    return this
  }

  end(): this {
    return this.put(1, 1).align()
  }
}

/**
 * 32×32 pixels, each picture of one grey, both of its fields intra-coded without prediction (I_PCM).
 *
 * @param count pictures, up to 60
 */
export function fieldVideo(count: number): Buffer {
  const sequence = new Bits().put(77, 8).put(0, 8).put(30, 8).golomb(0)
  sequence.golomb(0).golomb(2).golomb(1).put(0, 1).golomb(1).golomb(0)
  sequence.put(0, 1).put(0, 1).put(1, 1).put(0, 2).end() // fields are allowed
  const picture = new Bits().golomb(0).golomb(0).put(0, 2).golomb(0).golomb(0).golomb(0)
  picture.put(0, 3).golomb(0).golomb(0).golomb(0).put(0, 3).end()
  const units = [unit(0x67, sequence), unit(0x68, picture)]
  for (let index = 0; index < count; index++)
    for (const field of [0, 1]) units.push(unit(0x09, new Bits().put(0, 3).end()), fieldUnit(index, field))
  return Buffer.concat(units)
}

function fieldUnit(index: number, field: number): Buffer {
  const bits = new Bits().golomb(0).golomb(7).golomb(0).put(0, 4).put(1, 1).put(field, 1)
  if (field === 0) bits.golomb(index % 2).put(0, 2)
  else bits.put(0, 1)
  bits.golomb(0)
  // Two macroblocks of 16×16 in one row of a field.
  for (let block = 0; block < 2; block++) {
    bits.golomb(25).align()
    for (let i = 0; i < 384; i++) bits.put(i < 256 ? 40 + index * 3 : 128, 8)
  }
  return unit(field === 0 ? 0x65 : 0x61, bits.end())
}

/** With emulation prevention. */
function unit(header: number, { bytes }: Bits): Buffer {
  const out = [0, 0, 0, 1, header]
  let zeros = 0
  for (const byte of bytes) {
    if (zeros === 2 && byte <= 3) {
      out.push(3)
      zeros = 0
    }
    out.push(byte)
    zeros = byte === 0 ? zeros + 1 : 0
  }
  return Buffer.from(out)
}
