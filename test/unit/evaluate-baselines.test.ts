// Owns: tests of the baselines that look at no picture.
// Must not know: networks.

import t from 'tap'
import { constantBaseline, rampBaseline } from '../../dist/esm/evaluate/baselines.js'
import type { Plane } from '../../dist/esm/evaluate/plane.js'

const [width, height] = [74, 50]

function frame(depthAt: (x: number, y: number) => number): Plane<Float32Array> {
  return {
    width,
    height,
    data: Float32Array.from({ length: width * height }, (_, p) => depthAt(p % width, Math.floor(p / width))),
  }
}

t.test('a ramp in disparity is the ramp, and no constant', (t) => {
  const truth = [frame((x, y) => 1 / (0.05 + 0.01 * y + 0.002 * x))]
  const [ramp, constant] = [rampBaseline(truth, 80), constantBaseline(truth, 80)]
  t.ok(ramp!.absRel < 1e-5, `AbsRel ${ramp!.absRel}`)
  t.equal(ramp?.delta1, 1)
  t.ok(constant!.absRel > 0.2)
  const narrow = { width: 37, height: 40, data: Float32Array.from({ length: 37 * 40 }, (_, p) => 10 / (1 + (p % 37))) }
  t.ok(rampBaseline([narrow], 80)!.absRel < 1e-5, 'also where a stride would hit the same column in each row')
  t.end()
})

t.test('the constant with the least AbsRel: no other one does better', (t) => {
  const truth = [frame((x, y) => 2 + ((x * 7 + y * 13) % 40) / 5), frame(() => 3)]
  const best = constantBaseline(truth, 80)!.absRel
  const other = (constant: number): number =>
    truth.reduce((sum, { data }) => sum + data.reduce((s, z) => s + Math.abs(constant - z) / z, 0) / data.length, 0) / 2
  for (const constant of [1.5, 2.5, 3.2, 4, 6]) t.ok(best <= other(constant) + 1e-3, `${constant} m`)
  t.end()
})

t.test('what is beyond the cap does not count; where nothing counts there is no baseline', (t) => {
  const half = frame((x) => (x < width / 2 ? 4 : Infinity))
  t.ok(constantBaseline([half], 80)!.absRel < 1e-9)
  t.equal(constantBaseline([frame(() => 100)], 80), undefined)
  t.equal(rampBaseline([frame(() => 100)], 80), undefined)
  t.end()
})
