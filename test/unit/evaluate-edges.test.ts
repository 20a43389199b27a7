// Owns: tests of the measures of sharpness: boundaries, and derivatives of inverse depth.
// Must not know: files, the command line.

import t from 'tap'
import { boundaryF1, boundaryRecall } from '../../dist/esm/evaluate/boundary.js'
import type { ComparedMaps } from '../../dist/esm/evaluate/compared-maps.js'
import { derivativeErrors } from '../../dist/esm/evaluate/derivative-errors.js'
import { maps, near, type Rows } from '../support/compared.js'
import { sceneVideo, type SceneOptions } from '../support/evaluation-scene.js'

const weights = Array.from({ length: 10 }, (_, i) => 1.05 + i * ((1.25 - 1.05) / 9))
const weightSum = weights.reduce((sum, weight) => sum + weight, 0)
/** The weight of the thresholds that a ratio exceeds, as a part of all. */
const share = (ratio: number): number =>
  weights.filter((weight) => ratio > weight).reduce((sum, weight) => sum + weight, 0) / weightSum

t.test('boundary F1 by hand', (t) => {
  const step: Rows = [[1, 2]]
  // One boundary in one of four directions: precision and recall are 1/4 each.
  near(t, boundaryF1(maps(step, step)), 1 / 4, 'one boundary')
  near(t, boundaryF1(maps([[1, 1.1]], step)), share(1.1) / 4, 'a faint one counts at the low thresholds')
  near(t, boundaryF1(maps([[2, 1]], step)), 0, 'the wrong side in front')
  near(t, boundaryF1(maps([[1, 1]], [[1, 1]])), 0, 'none')
  // Right: predicted 1 of 1 true; down: none predicted of 1.
  const mixed = boundaryF1(
    maps(
      [
        [1, 2],
        [1, 2],
      ],
      [
        [1, 2],
        [2, 4],
      ],
    ),
  )
  const [precision, recall] = [(1 + 0) / 4, (1 + 0) / 4]
  near(t, mixed, (2 * precision * recall) / (precision + recall), 'two directions')
  near(t, boundaryF1(maps([[1, 9, 2, 2]], [[1, 0, 2, 4]])), 0, 'neighbours of a hole do not count')
  near(t, boundaryF1(maps([[3, 6]], step)), boundaryF1(maps(step, step)), 'a scale does not matter')
  t.end()
})

t.test('boundary recall by hand', (t) => {
  const recall = (prediction: Rows, mask: Rows): number =>
    boundaryRecall({
      prediction: prediction.flat(),
      mask: mask.flat(),
      width: mask[0]!.length,
      height: mask.length,
    })
  near(t, recall([[1, 2]], [[1, 0]]), 1 / 4, 'one outline')
  near(t, recall([[2, 1]], [[1, 0]]), 0, 'the mask behind')
  near(t, recall([[1, 2]], [[0.1, 0]]), 0, 'too transparent')
  near(t, recall([[1], [2]], [[1], [0]]), 1 / 4, 'upright')
  // A slope of two steps is thinned to its steeper one.
  near(t, recall([[1, 2, 8]], [[1, 0, 0]]), 0, 'beside the outline')
  near(t, recall([[1, 2, 8]], [[1, 1, 0]]), 1 / 4, 'on it')
  near(t, recall([[1, 2, 4]], [[1, 0, 0]]), 1 / 4, 'the first of equals')
  near(t, recall([[1, 1.2, 1.5]], [[1, 0, 0]]), 0, 'steeper later')
  near(t, recall([[1, 2, 2, 4]], [[1, 0, 0, 0]]), 1 / 4, 'runs are apart')
  t.throws(() => recall([[1, 2]], [[1]]), {
    code: 'INVALID_OPTION',
    message: 'Expected 1 values (1×1) for prediction, received "2 values"',
  })
  t.end()
})

// What Depth Pro's own code gives for these scenes, holes filled with 40 m and what is nearer than 12 m as the mask.
const depthPro: readonly [SceneOptions, f1AndRecall: readonly [number, number][]][] = [
  [
    { seed: 21, frames: 3, truthSize: [48, 31], predictionSize: [48, 31] },
    [
      [0.26482962462159726, 0.16459900931696816],
      [0.25538284709120573, 0.1325552143945924],
      [0.2571242129924479, 0.16625116532083414],
    ],
  ],
  [
    { seed: 22, frames: 3, truthSize: [70, 90], predictionSize: [70, 90] },
    [
      [0.179267417926042, 0.0758810053013722],
      [0.18162761561482893, 0.09134532348511394],
      [0.1537077970705132, 0.0719286327507735],
    ],
  ],
]

t.test('boundaries as Depth Pro counts them', (t) => {
  for (const [scene, expected] of depthPro) {
    for (const [i, { prediction, truth }] of sceneVideo(scene).entries()) {
      const { width, height } = truth
      const depth = Float64Array.from(prediction.data, (value) => 900 / (value + 5))
      const filled = truth.data.map((metres) => (metres === 0 ? 40 : metres))
      const valid = new Uint8Array(filled.length).fill(1)
      near(t, boundaryF1({ prediction: depth, truth: filled, valid, width, height }), expected[i]![0], `F1 of ${i}`)
      const mask = filled.map((metres) => (metres < 12 ? 1 : 0))
      near(t, boundaryRecall({ prediction: depth, mask, width, height }), expected[i]![1], `recall of ${i}`)
    }
  }
  t.end()
})

/** Inverse depths given, so that derivatives are easy to see. */
const inverse = (prediction: Rows, truth: Rows): ComparedMaps => {
  const inverted = (rows: Rows): Rows => rows.map((row) => row.map((value) => (value === 0 ? 0 : 1 / value)))
  return maps(inverted(prediction), inverted(truth))
}
const grid = (size: number, value: (x: number, y: number) => number): Rows =>
  Array.from({ length: size }, (_, y) => Array.from({ length: size }, (_, x) => value(x, y)))

t.test('derivatives by hand', (t) => {
  const one = grid(3, () => 1)
  const ramp = derivativeErrors(
    inverse(
      grid(3, (x) => 1 + x / 4),
      one,
    ),
  )
  near(t, ramp.mage, 1 / 8, 'a slope of 1/4 in x, none in y')
  near(t, ramp.msge, 1 / 32, 'its square')
  near(t, ramp.male, 0, 'a slope has no curvature')
  const spot = derivativeErrors(
    inverse(
      grid(3, (x, y) => (x === 1 && y === 1 ? 2 : 1)),
      one,
    ),
  )
  t.match(spot, { mage: 0, msge: 0, male: 4 })
  near(
    t,
    derivativeErrors(
      inverse(
        grid(3, (_, y) => 1 + y),
        one,
      ),
    ).mage,
    1 / 2,
    'in y',
  )
  const corner = derivativeErrors(
    inverse(
      grid(3, (x, y) => (x === 2 && y === 2 ? 33 : 1)),
      one,
    ),
  )
  near(t, corner.mage, 3, 'a corner weighs 3/32')
  t.match(
    derivativeErrors(
      inverse(
        grid(3, (x) => 5 + x),
        grid(3, (x) => 1 + x),
      ),
    ),
    { mage: 0, male: 0, msge: 0 },
  )
  t.end()
})

t.test('derivatives at several scales', (t) => {
  // 8, 4 pixels, then too small: a ramp is twice as steep after halving, but for the repeated edge pixels.
  const errors = derivativeErrors(
    inverse(
      grid(8, (x) => 1 + x),
      grid(8, () => 1),
    ),
  )
  // Halved: blurred at 0, 2, 4, 6 gives 0.25, 2, 4, 6; Scharr over two pixels at 2 and 4: (4 − 0.25) / 2, (6 − 2) / 2.
  near(t, errors.mage, (1 / 2 + (1.875 + 2) / 2 / 2) / 2, 'mage')
  near(t, errors.male, (0 + (4 - 2 - 1.75 + 0) / 2) / 2, 'male')
  t.end()
})

t.test('six scales, not more', (t) => {
  const { mage } = derivativeErrors(
    inverse(
      grid(256, (x) => 1 + x),
      grid(256, () => 1),
    ),
  )
  // Slopes 1, 2 … 32, in x alone; a seventh scale would add 64. Repeated edge pixels make it less by some per cent.
  near(t, mage, (1 + 2 + 4 + 8 + 16 + 32) / 6 / 2, 'mage', 0.1)
  t.end()
})

t.test('derivatives need their neighbours', (t) => {
  const hole = grid(5, (x, y) => (x === 0 && y === 0 ? 0 : 1))
  // The pixel at 1, 1 is left out; all others have slope 1. Halved: 3 pixels, whose only inner one has a hole beside it.
  near(
    t,
    derivativeErrors(
      inverse(
        grid(5, (x) => 1 + x),
        hole,
      ),
    ).mage,
    1 / 2,
    'mage',
  )
  const sparse = derivativeErrors(
    inverse(
      grid(4, () => 1),
      grid(4, (x, y) => (x + y) % 2),
    ),
  )
  t.ok(Object.values(sparse).every(Number.isNaN), 'nothing to compare')
  t.end()
})
