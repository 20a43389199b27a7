// Owns: tests of how far one disparity video is from another.
// Must not know: what computes disparity.

import t from 'tap'
import { depthError, type DisparityPair } from '#lib/evaluate/depth-error.js'

const frames = (...maps: [reference: number[], test: number[]][]) =>
  async function* (): AsyncGenerator<DisparityPair> {
    for (const [reference, test] of maps) {
      await Promise.resolve()
      yield { reference: Float32Array.from(reference), test: Float32Array.from(test) }
    }
  }

/** Values here are sums of few float32 numbers in float64. */
const exact = 1e-9

t.test('a video that differs by scale and shift alone has no error', async (t) => {
  const error = await depthError(
    frames(
      [
        [1, 2, 3],
        [5, 7, 9],
      ],
      [
        [4, 8, 0],
        [11, 19, 3],
      ],
    ),
  )
  t.ok(Math.abs(error.scale - 0.5) < exact && Math.abs(error.shift + 1.5) < exact)
  t.ok(error.absRel < exact && error.largest < exact)
  t.equal(error.delta1, 1)
  t.equal(error.pixels, 5, 'without the one at disparity 0')
})

t.test('one fit for all frames, not one for each', async (t) => {
  const reference = [1, 2, 1, 2]
  const error = await depthError(frames([reference, [1, 2, 1, 2]], [reference, [2, 4, 2, 4]]))
  // By hand: means 1.5 and 2.25, covariance 0.375, variance 6.25 − 5.0625.
  const scale = 0.375 / 1.1875
  const shift = 1.5 - scale * 2.25
  t.ok(Math.abs(error.scale - scale) < exact && Math.abs(error.shift - shift) < exact)
  const fitted = [1, 2, 2, 4].map((value) => value * scale + shift)
  const ratios = fitted.map((value, i) => reference[i]! / value)
  t.ok(Math.abs(error.absRel - mean(ratios.map((ratio) => Math.abs(ratio - 1)))) < exact)
  t.equal(error.delta1, mean(ratios.map((ratio) => (Math.max(ratio, 1 / ratio) < 1.25 ? 1 : 0))))
  t.ok(Math.abs(error.largest - Math.max(...fitted.map((value, i) => Math.abs(value - reference[i]!)))) < exact)
})

t.test('what is too far away is left out, and a test that falls below is held there', async (t) => {
  // A flat test is fitted by the reference's mean, 40; the pixel at 0.5 is below 1 % of 100.
  const flat = await depthError(
    frames([
      [100, 19.5, 0.5, 40],
      [7, 7, 7, 7],
    ]),
  )
  t.equal(flat.scale, 0)
  t.equal(flat.pixels, 3)
  t.equal(flat.delta1, 1 / 3)
  t.ok(Math.abs(flat.absRel - (1.5 + (1 - 19.5 / 40)) / 3) < exact)
  t.ok(Math.abs(flat.largest - 60 / 99.5) < exact)

  const falling = await depthError(
    frames([
      [10, 10, 0.2, 0, 0.2],
      [0, 0, 1, 1, 1.2],
    ]),
  )
  t.ok(1.2 * falling.scale + falling.shift < 0.1, 'the last pixel falls below the floor of 0.1')
  const held = 0.2 / 0.1 - 1
  t.ok(falling.absRel >= held / falling.pixels - exact && Number.isFinite(falling.absRel))
})

t.test('nothing to compare is an error', async (t) => {
  const refused: readonly [RegExp, Parameters<typeof frames>][] = [
    [/at least one pixel for pairs, received 0/, []],
    [
      /two different values for reference, received 3/,
      [
        [
          [3, 3],
          [1, 2],
        ],
      ],
    ],
    [
      /a positive value for reference, received -1/,
      [
        [
          [-2, -1],
          [1, 2],
        ],
      ],
    ],
    [/2 values for test, received Float32Array of 4 bytes/, [[[1, 2], [1]]]],
    [
      /finite values for reference, received NaN/,
      [
        [
          [1, NaN],
          [1, 2],
        ],
      ],
    ],
    [
      /finite values for test, received Infinity/,
      [
        [
          [1, 2],
          [1, Infinity],
        ],
      ],
    ],
  ]
  for (const [message, maps] of refused)
    await t.rejects(depthError(frames(...maps)), { code: 'INVALID_OPTION', message })
})

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length
}
