// Owns: tests of upsampling and comparing single depth maps through the addon.
// Must not know: stitching, engines.

import t from 'tap'
import { loadAddon } from '../../dist/esm/native/addon.js'
import type { NativeAddon } from '../../dist/esm/native/types.js'

const addon = loadAddon()

t.test('upsample: corners stay, between them it is linear; scaled, shifted, clamped', (t) => {
  const out = new Float32Array(9)
  t.equal(addon.upsample(Float32Array.of(0, 2, 4, 6), 2, 2, out, 3, 3, 1, 0, 1), 0)
  t.same([...out], [0, 1, 2, 2, 3, 4, 4, 5, 6])
  addon.upsample(Float32Array.of(0, 2, 4, 6), 2, 2, out, 3, 3, 2, -5, 2)
  t.same([...out], [0, 0, 0, 0, 1, 3, 3, 5, 7])
  t.end()
})

t.test('upsample: what is not finite is counted, and NaN stays NaN', (t) => {
  const out = new Float32Array(4)
  t.equal(addon.upsample(Float32Array.of(1, 2, Number.NaN, Infinity), 4, 1, out, 4, 1, 1, 0, 1), 2)
  t.equal(out[0], 1)
  t.ok(Number.isNaN(out[2]))
  t.end()
})

t.test('upsample: arguments are checked before anything is written', (t) => {
  type Arguments = Parameters<NativeAddon['upsample']>
  const out = new Float32Array(20).fill(7)
  const good: Arguments = [new Float32Array(6), 3, 2, out, 5, 4, 1, 0, 1]
  const cases: [number, unknown, string][] = [
    [0, new Float64Array(6), 'Expected a Float32Array for map, received a typed array of 48 bytes'],
    [0, new Float32Array(5), 'Expected 6 values for map, received 5'],
    [1, 0, 'Expected an integer from 1 to 32768 for mapWidth, received 0'],
    [2, 2.5, 'Expected an integer from 1 to 32768 for mapHeight, received 2.5'],
    [3, null, 'Expected a Float32Array for out, received null'],
    [3, new Float32Array(19), 'Expected 20 values for out, received 19'],
    [4, 4, 'Expected 16 values for out, received 20'],
    [5, 32769, 'Expected an integer from 1 to 32768 for outHeight, received 32769'],
    [6, Number.NaN, 'Expected a finite number for scale, received NaN'],
    [6, '1', 'Expected a finite number for scale, received "1"'],
    [7, 1e39, 'Expected a finite number for shift, received 1e+39'],
    [8, 257, 'Expected an integer from 1 to 256 for threads, received 257'],
    [0, out.subarray(0, 6), "Expected memory apart from the map's for out, received memory that overlaps it"],
  ]
  for (const [index, value, message] of cases) {
    const args = (good as unknown[]).with(index, value) as Arguments
    t.throws(() => addon.upsample(...args), { message })
  }
  t.ok(out.every((value) => value === 7))
  t.equal(addon.upsample(...good), 0)
  t.end()
})

t.test('fitMap: scale, shift and correlation', (t) => {
  const prediction = Float32Array.from({ length: 5000 }, (_, i) => 1000 + Math.sin(i))
  const target = prediction.map((value) => 0.5 * value + 3)
  const { scale, shift, degenerate, correlation } = addon.fitMap(prediction, target)
  // float32 of values about 500 rounds by 3e-5, against a spread of 0.35
  t.ok(Math.abs(scale - 0.5) < 1e-4, `${scale}`)
  t.ok(Math.abs(shift - 3) < 0.1, `${shift}`)
  t.equal(degenerate, false)
  t.ok(correlation > 1 - 1e-8 && correlation <= 1, `${correlation}`)
  t.same(addon.fitMap(Float32Array.of(1, 2, 3), Float32Array.of(3, 2, 1)), {
    scale: 1,
    shift: 0,
    degenerate: true,
    correlation: -1,
  })
  const nothing = { scale: 1, shift: 0, degenerate: true, correlation: 0 }
  t.same(addon.fitMap(Float32Array.of(5, 5, 5), Float32Array.of(1, 2, 3)), nothing)
  t.same(addon.fitMap(Float32Array.of(1, Number.NaN, 3), Float32Array.of(1, 2, 3)), nothing)
  t.end()
})

t.test('fitMap: arguments are checked', (t) => {
  const fit = (args: unknown[]): unknown => addon.fitMap(...(args as [Float32Array, Float32Array]))
  const cases: [unknown[], string][] = [
    [[], 'Expected a Float32Array for prediction, received undefined'],
    [[new Float32Array(2), [1, 2]], 'Expected a Float32Array for target, received an array of 2'],
    [[new Float32Array(2), new Float32Array(3)], 'Expected 2 values for target, received 3'],
    [[new Float32Array(0), new Float32Array(0)], 'Expected at least 1 value for prediction, received 0'],
  ]
  for (const [args, message] of cases) t.throws(() => fit(args), { message })
  t.end()
})
