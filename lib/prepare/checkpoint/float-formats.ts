// Owns: the floating-point formats of stored tensors, and conversion between them and float32: exact but from float64.
// Must not know: files, tensor names.

import { roundHalfEven } from '../../base/rounding.js'

export type FloatType = 'float32' | 'float16' | 'bfloat16' | 'float64'

export const bytesPerFloat: Readonly<Record<FloatType, number>> = {
  float32: 4,
  float16: 2,
  bfloat16: 2,
  float64: 8,
}

/** Largest finite float16. */
export const float16Max = 65504

/**
 * float64 is rounded to nearest, ties to even; beyond float32's range it becomes infinite.
 *
 * @param bytes little-endian values, at an offset that is a multiple of their size; float32 is viewed, not copied
 */
export function toFloat32(bytes: Uint8Array<ArrayBuffer>, type: FloatType): Float32Array<ArrayBuffer> {
  if (type === 'float32') return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
  if (type === 'float64')
    return new Float32Array(new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8))
  const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2)
  return type === 'float16' ? expandFloat16(halves) : expandBfloat16(halves)
}

function expandBfloat16(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const bits = new Uint32Array(halves.length)
  for (let i = 0; i < halves.length; i++) bits[i] = (halves[i] ?? 0) << 16
  return new Float32Array(bits.buffer)
}

let float16Table: Uint32Array | undefined

function expandFloat16(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const table = (float16Table ??= makeFloat16Table())
  const bits = new Uint32Array(halves.length)
  for (let i = 0; i < halves.length; i++) bits[i] = table[halves[i] ?? 0] ?? 0
  return new Float32Array(bits.buffer)
}

/** float32 bits of every float16 (IEEE 754 binary16). */
function makeFloat16Table(): Uint32Array {
  const value = new Float32Array(1)
  const bits = new Uint32Array(value.buffer)
  return Uint32Array.from({ length: 0x10000 }, (_, half) => {
    const sign = (half & 0x8000) << 16
    const exponent = (half >> 10) & 0x1f
    const mantissa = half & 0x3ff
    if (exponent === 0x1f) return sign | 0x7f800000 | (mantissa << 13)
    if (exponent !== 0) return sign | ((exponent + 112) << 23) | (mantissa << 13)
    value[0] = mantissa * 2 ** -24
    return sign | (bits[0] ?? 0)
  })
}

/** Rounds to nearest, ties to even. Values beyond ±65504 become infinite: check before. */
export function toFloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const halves = new Uint16Array(values.length)
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
  for (let i = 0; i < bits.length; i++) halves[i] = halfBits(bits[i] ?? 0, values[i] ?? 0)
  return halves
}

function halfBits(bits: number, value: number): number {
  const sign = (bits >>> 16) & 0x8000
  const exponent = ((bits >>> 23) & 0xff) - 112
  const mantissa = bits & 0x7fffff
  if (exponent >= 0x1f) return sign | 0x7c00 | (exponent === 143 && mantissa !== 0 ? 0x200 : 0)
  if (exponent > 0) {
    const half = (exponent << 10) | (mantissa >>> 13)
    const rest = mantissa & 0x1fff
    // A carry out of the mantissa runs into the exponent, as it should.
    return sign | (half + (rest > 0x1000 || (rest === 0x1000 && (half & 1) === 1) ? 1 : 0))
  }
  return sign | roundHalfEven(Math.abs(value) * 2 ** 24) // subnormal steps, exact in a double
}

/** Index of the first NaN or infinity, −1 if there is none. */
export function firstNotFinite(values: Float32Array): number {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
  for (let i = 0; i < bits.length; i++) {
    if (((bits[i] ?? 0) & 0x7f800000) === 0x7f800000) return i
  }
  return -1
}
