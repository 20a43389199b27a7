// Owns: tests of the measures of several frames: temporal alignment error, errors along flow, seams.
// Must not know: files, the command line, upstream's numbers.

import t from 'tap'
import { FlowError, type FlowedFrame } from '../../dist/esm/evaluate/flow-errors.js'
import { inverse, multiplied } from '../../dist/esm/evaluate/matrix4.js'
import { TemporalAlignmentError, type PosedFrame } from '../../dist/esm/evaluate/temporal-alignment.js'
import { SeamError, seamSteps } from '../../dist/esm/evaluate/window-seams.js'
import { windowStrategy } from '../../dist/esm/plan/strategy.js'
import { maps, near } from '../support/compared.js'

function temporalAlignmentError(frames: readonly PosedFrame[]) {
  const error = new TemporalAlignmentError()
  for (const frame of frames) error.add(frame)
  return error.result()
}

const at = (x: number, y: number, z: number): number[][] => [
  [1, 0, 0, x],
  [0, 1, 0, y],
  [0, 0, 1, z],
  [0, 0, 0, 1],
]
const camera = { fx: 2, fy: 2, cx: 1, cy: 0 }
const posed = (depth: readonly number[], pose = at(0, 0, 0), mask?: readonly number[]): PosedFrame => ({
  depth,
  width: 3,
  height: depth.length / 3,
  pose,
  intrinsics: camera,
  mask: mask === undefined ? undefined : Uint8Array.from(mask),
})

t.test('temporal alignment error by hand', (t) => {
  const still = temporalAlignmentError([posed([2, 2, 2]), posed([2, 4, 2])])
  // Forwards |4 − 2| / 4 at one of three pixels, backwards |2 − 4| / 2.
  near(t, still.tae, (100 * (0.5 / 3 + 1 / 3)) / 2, 'a camera at rest')
  t.same(still.perPair.length, 1)
  // The second camera is 1 m ahead: 5 m become 4 m, each outer pixel moves outwards by 0.25 and rounds back.
  near(t, temporalAlignmentError([posed([5, 5, 5]), posed([4, 4, 4], at(0, 0, 1))]).tae, 0, 'moving on')
  near(t, temporalAlignmentError([posed([5, 5, 5]), posed([5, 5, 5], at(0, 0, 1))]).tae, 100 * 0.2, 'not having moved')
  // 2 m to the right: at 4 m one pixel, at 8 m half a one. What leaves the picture does not count.
  near(t, temporalAlignmentError([posed([9, 4, 8]), posed([4, 1, 8], at(2, 0, 0))]).tae, 0, 'aside')
  const wrong = temporalAlignmentError([posed([9, 4, 8]), posed([5, 1, 8], at(2, 0, 0))])
  near(t, wrong.tae, (100 * (0.2 / 2 + (5 - 4) / 4 / 2)) / 2, '5 m instead of 4')
  t.end()
})

t.test('half a pixel rounds to the even one, and the last to arrive stays', (t) => {
  // 1 m to the right at 4 m: half a pixel left. 0 → −0.5 → −0, 1 → 0.5 → 0, 2 → 1.5 → 2.
  const { perPair } = temporalAlignmentError([posed([4, 4, 4]), posed([4, 1e9, 4], at(1, 0, 0))])
  // Forwards 0 and 2 are hit: no error. Backwards 0 → 0.5 → 0, 1e9 m: stays at 1 (|4 − 1e9| / 4), 2 → 2.5 → 2.
  near(t, perPair[0]!, ((1e9 - 4) / 4 / 3 + 0) / 2, 'pair')
  // 1 m to the left: 2 m goes from pixel 0 to 1, and 8 m, though farther, from 1 to 1 after it: |4 − 8| / 4 at one of two.
  const both = temporalAlignmentError([posed([2, 8, 1e6], at(0, 0, 0), [0, 1, 1]), posed([1e9, 4, 1e6], at(-1, 0, 0))])
  near(t, both.perPair[0]!, (1 / 2 + 0) / 2, 'two at one pixel', 1e-5)
  t.end()
})

t.test('masks, and nothing to compare', (t) => {
  const frames = [posed([2, 2, 2], at(0, 0, 0), [1, 1, 0]), posed([4, 2, 2], at(0, 0, 0), [0, 1, 1])]
  // Forwards the second's mask hides its pixel 0; backwards the first's does not: |2 − 4| / 2 at one of two pixels.
  near(t, temporalAlignmentError(frames).perPair[0]!, (0 + 0.5) / 2, 'each direction by its target')
  const turned = [
    [-1, 0, 0, 0],
    [0, 1, 0, 0],
    [0, 0, -1, 0],
    [0, 0, 0, 1],
  ]
  t.equal(temporalAlignmentError([posed([2, 2, 2]), posed([2, 2, 2], turned)]).tae, 0, 'all behind the camera')
  t.equal(temporalAlignmentError([posed([1, 1, 1]), posed([1, 1, 1], at(900, 0, 0))]).tae, 0, 'all outside')
  t.ok(Number.isNaN(temporalAlignmentError([posed([1, 1, 1])]).tae))
  t.end()
})

t.test('poses and sizes that cannot be', (t) => {
  const refuse = (frames: PosedFrame[], message: string): void => {
    t.throws(() => temporalAlignmentError(frames), { code: 'INVALID_OPTION', message })
  }
  const frame = posed([1, 1, 1])
  refuse([{ ...frame, pose: [[1]] }], 'Expected four rows of four numbers for pose, received an array of 1')
  refuse(
    [{ ...frame, pose: at(NaN, 0, 0) }],
    'Expected finite numbers for pose, received "[[1,0,0,null],[0,1,0,0],[0,0,1,0],[0,0,0,1]]"',
  )
  refuse(
    [frame, { ...frame, pose: [...at(0, 0, 0).slice(0, 3), [0, 0, 0, 0]] }],
    'Expected an invertible matrix for pose, received "[[1,0,0,0],[0,1,0,0],[0,0,1,0],[0,0,0,0]]"',
  )
  refuse([{ ...frame, depth: [1] }], 'Expected 3 values (3×1) for depth, received "1 values"')
  refuse([posed([1, 1, 1], at(0, 0, 0), [1])], 'Expected 3 values (3×1) for mask, received "1 values"')
  refuse([frame, posed([1, 1, 1, 1, 1, 1])], 'Expected 3×1, as before, for frame, received "3×2"')
  refuse([{ ...frame, intrinsics: { ...camera, fx: 0 } }], 'Expected a number other than 0 for fx, received 0')
  refuse([{ ...frame, intrinsics: { ...camera, cy: NaN } }], 'Expected a finite number for cy, received NaN')
  t.end()
})

t.test('matrices', (t) => {
  const matrix = [
    [0, 2, 0, 1],
    [1, 0, 0, 2],
    [0, 0, 4, 3],
    [0, 0, 0, 1],
  ]
  t.same(multiplied(matrix, inverse(matrix, 'm')), at(0, 0, 0))
  t.same(multiplied(at(1, 2, 3), at(4, 5, 6)), at(5, 7, 9))
  t.end()
})

const flowed = (depth: readonly number[], truth: readonly number[], flow?: readonly number[]): FlowedFrame => ({
  ...maps([depth], [truth]),
  flow: flow === undefined ? undefined : Float32Array.from(flow.flatMap((dx) => [dx, 0])),
})

t.test('errors along flow by hand', (t) => {
  const error = new FlowError()
  // 0 → 1 exactly, 1 → 1.5 between 1 and 2, 2 → 3 outside.
  error.add(flowed([10, 20, 30], [1, 2, 3], [1, 0.5, 1]))
  error.add(flowed([10, 12, 16], [1, 4, 8]))
  const { opw, stableError, perPair } = error.result()
  near(t, opw, (2 + 6) / 2, 'opw')
  // The truth: |4 − 1| = 3, |6 − 2| = 4.
  near(t, stableError, (1 + 2) / 2, 'stable error')
  t.equal(perPair.length, 1)
  t.end()
})

t.test('flow that is hidden, unknown or lands in a hole', (t) => {
  const error = new FlowError()
  error.add(flowed([1, 1, 1, 1], [1, 1, 0, 1], [NaN, 0, 0, -0.5]))
  error.add(flowed([9, 4, 9, 9], [1, 1, 0, 1], [0, 0, 0, 0]))
  t.same(error.result().perPair, [{ opw: 3, stableError: 3 }], 'pixel 1 alone')
  error.add(flowed([1, 1, 1, 1], [0, 0, 0, 0]))
  t.ok(Number.isNaN(error.result().perPair[1]!.opw))
  t.equal(error.result().opw, 3, 'pairs without a pixel do not count')
  t.throws(() => error.add(flowed([1, 1, 1, 1], [1, 1, 1, 1])), {
    code: 'INVALID_OPTION',
    message: 'Expected flow for every frame but the last for flow, received undefined',
  })
  t.throws(() => new FlowError().add({ ...flowed([1], [1]), flow: new Float32Array(3) }), {
    message: 'Expected 2 values (1×1×2) for flow, received "3 values"',
  })
  t.end()
})

t.test('flow goes down, to the edges and past them', (t) => {
  const grid = (flow: readonly number[] | undefined, ...depth: readonly number[]): FlowedFrame => ({
    ...maps(
      [depth.slice(0, 2), depth.slice(2)],
      [
        [1, 1],
        [1, 1],
      ],
    ),
    flow: flow === undefined ? undefined : Float32Array.from(flow),
  })
  const moved = (...flow: readonly number[]): number => {
    const error = new FlowError()
    error.add(grid(flow, 0, 0, 0, 0))
    error.add(grid(undefined, 1, 2, 4, 8))
    return error.result().opw
  }
  const out = [9, 9]
  near(t, moved(0, 1, ...out, ...out, ...out), 4, 'one down')
  near(t, moved(0.25, 0.5, ...out, ...out, ...out), 0.75 * 2.5 + 0.25 * 5, 'between four')
  near(t, moved(...out, -1, 0, ...out, ...out), 1, 'to the first column')
  near(t, moved(...out, ...out, ...out, -1, -1), 1, 'to the first row')
  for (const flow of [
    [-0.1, 0],
    [0, -0.1],
    [1.1, 0],
    [0, 1.1],
    [0, 2],
    [2, 0],
  ])
    t.ok(Number.isNaN(moved(...flow, ...out, ...out, ...out)), `${flow.join()} is outside`)
  t.end()
})

t.test('where windows change', (t) => {
  const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i)
  t.same([...seamSteps(windowStrategy(), 25)], [])
  // Window 1 is blended in over frames 24 (weight 0) to 31, and alone from 32 on.
  t.same([...seamSteps(windowStrategy(), 60)], [...range(24, 31), ...range(46, 53)])
  t.same([...seamSteps(windowStrategy(), 32)], range(24, 30), 'a video that ends within')
  t.same([...seamSteps(windowStrategy(), 40, 28)], [...range(0, 3), ...range(18, 25)], 'from frame 28 on')
  t.same([...seamSteps(windowStrategy('baseline'), 70)], [31, 63])
  t.same([...seamSteps(windowStrategy('overlap-align'), 60)], [31, 55])
  t.end()
})

t.test('seams by hand', (t) => {
  const error = new SeamError()
  // The truth doubles at the first step, and so does the prediction; then only one of them changes.
  for (const [p, g] of [
    [1, 3],
    [2, 6],
    [2, 6],
    [8, 6],
    [8, 3],
  ] as const)
    error.add(maps([[p, p, 9]], [[g, g, 0]]))
  const { atSeams, elsewhere, ratio, perStep } = error.result(new Set([2]))
  const ln2 = Math.log(2)
  perStep.forEach((value, step) => near(t, value, [0, 0, 2 * ln2, ln2][step]!, `step ${step}`))
  near(t, atSeams, 2 * ln2, 'at the seam')
  near(t, elsewhere, ln2 / 3, 'elsewhere')
  near(t, ratio, 6, 'ratio')
  t.ok(Number.isNaN(error.result(new Set()).atSeams))
  t.end()
})
