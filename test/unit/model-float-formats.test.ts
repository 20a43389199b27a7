// Owns: tests of the float conversions over every float16 and bfloat16.
// Must not know: checkpoints.

import t from 'tap'
import { firstNotFinite, toFloat16, toFloat32 } from '../../dist/esm/prepare/checkpoint/float-formats.js'

const all = Uint16Array.from({ length: 0x10000 }, (_, i) => i)

/** The definition of binary16, in double precision. */
function float16Value(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >> 10) & 31
  const mantissa = half & 1023
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : Number.NaN
  return exponent === 0 ? sign * mantissa * 2 ** -24 : sign * (1 + mantissa / 1024) * 2 ** (exponent - 15)
}

t.test('every float16 becomes the float32 of the same value, subnormals and −0 included', (t) => {
  const values = toFloat32(new Uint8Array(all.slice().buffer), 'float16')
  const wrong = [...all].filter((half) => !Object.is(values[half], float16Value(half)))
  t.same(wrong, [])
  t.end()
})

t.test('every bfloat16 becomes the float32 with the same leading bits', (t) => {
  const values = toFloat32(new Uint8Array(all.slice().buffer), 'bfloat16')
  const bits = new Uint32Array(values.buffer)
  t.same(
    [...all].filter((half) => bits[half] !== half * 0x10000),
    [],
  )
  t.end()
})

t.test('float16 survives the way to float32 and back', (t) => {
  const values = toFloat32(new Uint8Array(all.slice().buffer), 'float16')
  const back = toFloat16(values)
  const wrong = [...all].filter(
    (half) => (Number.isNaN(values[half]) ? (back[half] ?? 0) & 0x3ff : back[half] === half) === false,
  )
  t.same(wrong, [])
  t.end()
})

t.test('to float16: nearest, ties to even, carries, overflow', (t) => {
  const cases: [number, number][] = [
    [1 + 2 ** -11, 0x3c00], // tie, down to even
    [1 + 3 * 2 ** -11, 0x3c02], // tie, up to even
    [1 + 2 ** -11 + 2 ** -20, 0x3c01],
    [2 - 2 ** -12, 0x4000], // carry into the exponent
    [65504, 0x7bff],
    [65520, 0x7c00],
    [-(2 ** -24), 0x8001],
    [2 ** -25, 0], // tie with zero
    [3 * 2 ** -25, 2], // tie between subnormals
    [2 ** -14 - 2 ** -26, 0x0400], // subnormal rounds up to the least normal
  ]
  for (const [value, half] of cases) t.equal(toFloat16(Float32Array.of(value))[0], half, String(value))
  t.end()
})

t.test('non-finite values are found', (t) => {
  t.equal(firstNotFinite(Float32Array.of(0, -0, 3.4e38, 1e-45)), -1)
  t.equal(firstNotFinite(Float32Array.of(1, Number.NaN)), 1)
  t.equal(firstNotFinite(Float32Array.of(1, 2, -Infinity)), 2)
  t.end()
})
