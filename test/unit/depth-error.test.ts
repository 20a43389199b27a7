// Owns: tests of the error of depth against reference depth.
// Must not know: where depth comes from.

import t from 'tap'
import { alignment, depthError } from '../../dist/esm/evaluate/depth-error.js'

const maps = (...rows: readonly (readonly number[])[]): Float32Array[] => rows.map((row) => Float32Array.from(row))

t.test('one line for all frames', (t) => {
  const reference = maps([1, 2, 3], [4, 5, 6])
  const test = reference.map((map) => map.map((value) => (value - 3) / 2))
  const fit = alignment(test, reference)
  t.ok(Math.abs(fit.scale - 2) < 1e-12 && Math.abs(fit.shift - 3) < 1e-12)
  const { absRel, ...counts } = depthError(test, reference, fit)
  t.ok(absRel < 1e-12)
  t.ok(counts.largest < 1e-12)
  t.same({ ...counts, largest: 0 }, { delta1: 1, largest: 0, pixels: 6, nonFinite: 0 })
  t.same(alignment(maps([2, 2]), maps([1, 3])), { scale: 0, shift: 2 }, 'a flat test')
  // By hand: Σ(t−t̄)(r−r̄) / Σ(t−t̄)² = 3 / 2.
  const { scale, shift } = alignment(maps([0, 1, 2]), maps([0, 3, 3]))
  t.ok(Math.abs(scale - 1.5) < 1e-12 && Math.abs(shift - 0.5) < 1e-12)
  t.end()
})

t.test('disparities: errors are of depth, what is far away does not count', (t) => {
  const fit = { scale: 1, shift: 0 }
  // Ratios 100/80, 100/125, 1/1 (the test is taken as at least 1 % of 100); 0.5 is below that and left out.
  const { absRel, delta1, largest, pixels } = depthError(maps([80, 125, 0, 7]), maps([100, 100, 1, 0.5]), fit)
  t.equal(pixels, 3)
  t.ok(Math.abs(absRel - (0.25 + 0.2) / 3) < 1e-12)
  t.ok(Math.abs(largest - 25 / 99.5) < 1e-12, 'of disparity, over all pixels')
  t.equal(delta1, 1 / 3, 'a factor of exactly 1.25 is not within it')
  t.end()
})

t.test('depths: as they are', (t) => {
  t.same(depthError(maps([2, 3, 4]), maps([2, 2, 5]), undefined), {
    absRel: (0 + 0.5 + 0.19999999999999996) / 3,
    delta1: 1 / 3,
    largest: 1 / 3,
    pixels: 3,
    nonFinite: 0,
  })
  t.end()
})

t.test('what is not finite is counted, and nothing compares with nothing', (t) => {
  const [test, reference] = [maps([1, NaN, 3, Infinity]), maps([1, 2, 3, 4])]
  t.same(alignment(test, reference), { scale: 1, shift: 0 }, 'exact in these numbers')
  t.same(depthError(test, reference, { scale: 1, shift: 0 }), {
    absRel: 0,
    delta1: 1,
    largest: 0,
    pixels: 2,
    nonFinite: 2,
  })
  t.equal(depthError(reference, test, undefined).nonFinite, 2)
  t.same(depthError(maps([0, 0]), maps([0, 0]), undefined), {
    absRel: 0,
    delta1: 1,
    largest: 0,
    pixels: 0,
    nonFinite: 0,
  })
  t.throws(() => alignment(maps([1]), maps([1, 2])), { message: /another size/ })
  t.throws(() => depthError(maps([1]), maps(), undefined), { message: /1 maps against 0/ })
  t.end()
})
