// Owns: tests of scores and alignments against numbers worked out by hand, and of what cannot be compared.
// Must not know: files, the command line, upstream's numbers.

import t, { type Test } from 'tap'
import { DepthEvaluation, evaluateFrames } from '../../dist/esm/evaluate/depth-evaluation.js'
import { scoreNames } from '../../dist/esm/evaluate/depth-scores.js'
import type { EvaluationOptions } from '../../dist/esm/evaluate/evaluation-options.js'
import { cropped, resized, type Plane } from '../../dist/esm/evaluate/plane.js'
import type { FramePair } from '../../dist/esm/evaluate/prepared-frame.js'
import { protocolNamed, protocols } from '../../dist/esm/evaluate/protocols.js'

const plane = (width: number, ...values: readonly number[]): Plane<Float32Array> => ({
  data: Float32Array.from(values),
  width,
  height: values.length / width,
})
const pair = (prediction: readonly number[], truth: readonly number[]): FramePair => ({
  prediction: plane(prediction.length, ...prediction),
  truth: plane(truth.length, ...truth),
})
const close = (t: Test, value: number, expected: number, name: string, tolerance = 1e-12): void => {
  t.ok(Math.abs(value - expected) <= tolerance * Math.max(1, Math.abs(expected)), `${name}: ${value} is ${expected}`)
}
const metric: EvaluationOptions = { kind: 'metric' }

t.test('scores by hand, of metric depth as it is', (t) => {
  // Ratios 2, 1/2 and 1; the fourth pixel has no truth.
  const result = evaluateFrames([pair([2, 2, 5, 9], [1, 4, 5, 0])], metric)
  const ln2 = Math.log(2)
  close(t, result.absRel, (1 + 0.5 + 0) / 3, 'absRel')
  close(t, result.sqRel, (1 + 4 / 4) / 3, 'sqRel')
  close(t, result.rmse, Math.sqrt((1 + 4) / 3), 'rmse')
  close(t, result.rmseLog, Math.sqrt((2 * ln2 ** 2) / 3), 'rmseLog')
  close(t, result.log10, (2 * Math.log10(2)) / 3, 'log10')
  close(t, result.siLog, 100 * Math.sqrt((2 * ln2 ** 2) / 3), 'siLog: the mean of d is 0')
  close(t, result.iRmse, Math.sqrt((0.25 + 0.0625) / 3), 'iRmse')
  t.same([result.delta1, result.delta2, result.delta3], [1 / 3, 1 / 3, 1 / 3])
  t.same([result.frames, result.validFrames, result.pixels, result.fit], [1, 1, 3, undefined])
  const bounds = evaluateFrames([pair([1.25, 1.5625, 1.953125, 1], [1, 1, 1, 1])], metric)
  t.same([bounds.delta1, bounds.delta2, bounds.delta3], [0.25, 0.5, 0.75], 'a ratio on the bound is not within it')
  t.end()
})

t.test('frames count alike, whatever their number of pixels; log10 is over pixels, siLog over variances', (t) => {
  const result = evaluateFrames([pair([2, 8, 1], [1, 4, 0]), pair([2, 2, 2], [2, 2, 4]), pair([1], [0])], metric)
  close(t, result.absRel, (1 + 0.5 / 3) / 2, 'absRel')
  close(t, result.log10, (3 * Math.log10(2)) / 5, 'log10')
  const variance = Math.log(2) ** 2 / 3 - (Math.log(2) / 3) ** 2
  close(t, result.siLog, 100 * Math.sqrt((0 + variance) / 2), 'siLog')
  t.same([result.frames, result.validFrames, result.pixels], [3, 2, 5])
  const [first, , third] = result.perFrame
  close(t, first!.siLog, 0, 'a factor alone is no scale-invariant error', 1e-6)
  t.ok(third!.pixels === 0 && Number.isNaN(third!.absRel))
  t.end()
})

t.test('video: one line over all frames, exactly undone', (t) => {
  const truths = [
    [1, 2, 4, 8],
    [2, 5, 10, 0],
  ]
  const pairs = truths.map((truth) =>
    pair(
      truth.map((g) => (g === 0 ? 7 : (1 / g - 0.05) / 0.002)),
      truth,
    ),
  )
  const result = evaluateFrames(pairs)
  close(t, result.fit!.scale, 0.002, 'scale', 1e-9)
  close(t, result.fit!.shift, 0.05, 'shift', 1e-6)
  t.ok(result.absRel < 1e-6, 'float32 predictions')
  t.equal(result.fit!.degenerate, false)
  t.same(
    result.perFrame.map(({ aligned }) => aligned),
    [0, 1].map(() => ({ scale: result.fit!.scale, shift: result.fit!.shift })),
  )
  t.end()
})

t.test('video against frame: a change of scale is an error of the first, seen in the second', (t) => {
  const disparities = [1, 0.5, 0.25, 0.125]
  const pairs = [1, 2].map((factor) =>
    pair(
      disparities.map((d) => d * 100 * factor),
      [1, 2, 4, 8],
    ),
  )
  const [video, frame] = [evaluateFrames(pairs), evaluateFrames(pairs, { alignment: 'frame' })]
  t.ok(video.absRel > 0.1 && frame.absRel < 1e-7)
  const scales = video.perFrame.map(({ own }) => own.scale)
  close(t, scales[0]! / scales[1]!, 2, 'the frames’ own scales', 1e-9)
  t.equal(frame.fit, undefined)
  t.end()
})

t.test('median: a factor for each frame, in depth', (t) => {
  const metres = evaluateFrames([pair([1, 2, 3], [2, 4, 6]), pair([3, 1], [6, 2])], {
    kind: 'metric',
    alignment: 'median',
  })
  t.ok(metres.absRel < 1e-12)
  t.same(
    metres.perFrame.map(({ aligned }) => aligned.scale),
    [2, 2],
  )
  const disparity = evaluateFrames([pair([1, 0.5, 0.25], [3, 6, 12])], { alignment: 'median' })
  t.ok(disparity.absRel < 1e-12)
  const none = evaluateFrames([pair([1, 2], [0, 0]), pair([1], [1])], { kind: 'metric', alignment: 'median' })
  t.same(none.perFrame[0]!.own, { scale: 1, shift: 0, degenerate: true })
  t.end()
})

t.test('depth space: the line is fitted to metres', (t) => {
  const truth = [1, 2, 4, 8]
  const options: EvaluationOptions = { kind: 'metric', alignment: 'video', space: 'depth' }
  const inDepth = evaluateFrames(
    [
      pair(
        truth.map((g) => (g - 3) / 2),
        truth,
      ),
    ],
    options,
  )
  t.ok(inDepth.absRel < 1e-12)
  t.match(inDepth.fit, { scale: 2, shift: 3 })
  const inverted = evaluateFrames([pair([1, 0.5, 0.25, 0.125], [5, 7, 11, 19])], { space: 'depth' })
  t.ok(inverted.absRel < 1e-9, 'a disparity’s inverse is fitted')
  const metres = evaluateFrames([pair([2, 4, 8], [1, 2, 4])], { kind: 'metric', alignment: 'video' })
  t.ok(metres.absRel < 1e-7, 'metres are fitted by their inverse where the space is disparity')
  t.end()
})

t.test('range: what counts and what depth is clipped to', (t) => {
  const options: EvaluationOptions = { kind: 'metric', minDepth: 0.5, maxDepth: 10 }
  const result = evaluateFrames([pair([0, 50, 1, 1, 1, 1], [1, 5, 0.5, 10, NaN, Infinity])], options)
  t.equal(result.pixels, 2, 'the bounds themselves, NaN and infinity do not count')
  close(t, result.absRel, (0.5 + 1) / 2, '0 was raised to 0.5 and 50 lowered to 10')
  // Aligned disparity below the least: 1 / 0.01 m, then clipped.
  const disparity = evaluateFrames([pair([-5, 1], [4, 1])], { alignment: 'none', minDisparity: 0.01, maxDepth: 80 })
  close(t, disparity.absRel, (76 / 4 + 0) / 2, 'clipped to 80 m')
  t.end()
})

t.test('mask and crop', (t) => {
  const truth = plane(3, 1, 2, 4, 1, 2, 4)
  const prediction = plane(3, 1, 2, 4, 9, 2, 9)
  const mask = { data: Uint8Array.from([1, 1, 1, 0, 255, 0]), width: 3, height: 2 }
  t.match(evaluateFrames([{ prediction, truth, mask }], metric), { pixels: 4, absRel: 0 })
  const crop = { rows: [0, 9], columns: [1, -1] } as const
  t.match(evaluateFrames([{ prediction, truth }], { ...metric, crop, cropPrediction: true }), { pixels: 2, absRel: 0 })
  t.match(evaluateFrames([{ prediction: plane(1, 2, 2), truth, mask }], { ...metric, crop }), { pixels: 2, absRel: 0 })
  t.same(cropped(truth, { rows: [-1, 2], columns: [-2, 3] }), plane(2, 2, 4))
  t.equal(cropped(truth, { rows: [0, 2], columns: [0, 100] }), truth, 'nothing is copied where nothing is cut off')
  t.end()
})

t.test('scaling: bilinear between pixel centres', (t) => {
  t.same([...resized(plane(2, 0, 4), 4, 1).data], [0, 1, 3, 4])
  t.same([...resized(plane(4, 0, 1, 3, 4), 2, 1).data], [0.5, 3.5])
  t.same([...resized(plane(1, 0, 8), 1, 1).data], [4])
  t.same([...resized(plane(2, 1, 2, 3, 4), 3, 3).data], [1, 1.5, 2, 2, 2.5, 3, 3, 3.5, 4])
  const same = plane(2, 1, 2)
  t.equal(resized(same, 2, 1), same)
  t.end()
})

t.test('nothing to compare, and nothing to fit', (t) => {
  const blind = evaluateFrames([pair([1, 2], [0, 0])])
  t.match(blind, { frames: 1, validFrames: 0, pixels: 0, fit: { scale: 1, shift: 0, degenerate: true } })
  for (const name of scoreNames) t.ok(Number.isNaN(blind[name]), name)
  t.match(evaluateFrames([]), { frames: 0, pixels: 0 })
  const flat = evaluateFrames([pair([3, 3, 3], [1, 2, 4])])
  t.match(flat.fit, { scale: 0, degenerate: true })
  close(t, flat.fit!.shift, (1 + 0.5 + 0.25) / 3, 'the mean disparity', 1e-6)
  const sameDepth = evaluateFrames([pair([3, 5], [2, 2])])
  t.match(sameDepth.fit, { degenerate: false })
  t.ok(sameDepth.absRel < 1e-7, 'a scale of 0 is right for a wall')
  t.end()
})

t.test('what is not finite is refused where the truth counts, and only there', (t) => {
  for (const value of [NaN, Infinity, -Infinity])
    for (const options of [{}, metric])
      t.throws(() => evaluateFrames([pair([1, 2], [1, 2]), pair([1, value, value], [1, 2, 3])], options), {
        code: 'DEPTH_NOT_FINITE',
        message: 'Expected finite numbers for the prediction of frame 1, received 2 that are NaN or infinite',
      })
  t.match(evaluateFrames([pair([1, 2, NaN], [1, 2, 0])], metric), { pixels: 2, absRel: 0 })
  t.end()
})

t.test('sizes and options that do not fit', (t) => {
  const whole = plane(2, 1, 2)
  const bad: [FramePair, EvaluationOptions, string][] = [
    [
      { prediction: { ...whole, width: 3 }, truth: whole },
      {},
      'Expected 3 values (3×1) for prediction.data, received "2 values"',
    ],
    [
      { prediction: whole, truth: { ...whole, height: 0.5 } },
      {},
      'Expected a positive whole number for truth.height, received 0.5',
    ],
    [
      { prediction: whole, truth: whole, mask: { data: new Uint8Array(4), width: 2, height: 2 } },
      {},
      'Expected the truth\'s size (2×1) for mask, received "2×2"',
    ],
    [
      { prediction: whole, truth: whole },
      { crop: { rows: [5, 9], columns: [0, 2] } },
      'Expected a crop that leaves something of 2×1 for crop, received "{\\"rows\\":[5,9],\\"columns\\":[0,2]}"',
    ],
  ]
  for (const [frame, options, message] of bad)
    t.throws(() => evaluateFrames([frame], options), { code: 'INVALID_OPTION', message })
  const options: [unknown, string][] = [
    [{ alignment: 'best' }, "Expected 'video', 'frame', 'median', 'none' for alignment, received \"best\""],
    [{ space: 'log' }, "Expected 'disparity', 'depth' for space, received \"log\""],
    [{ kind: 'depth' }, "Expected 'disparity', 'metric' for kind, received \"depth\""],
    [{ minDepth: 0 }, 'Expected a positive number for minDepth, received 0'],
    [{ minDepth: 5, maxDepth: 5 }, 'Expected a number above minDepth (5) for maxDepth, received 5'],
    [{ minDisparity: NaN }, 'Expected a positive number for minDisparity, received NaN'],
    [
      { crop: { rows: [0], columns: [0, 1] } },
      'Expected two whole numbers [from, to] for crop.rows, received an array of 1',
    ],
    [{ cropPrediction: 1 }, 'Expected true or false for cropPrediction, received 1'],
  ]
  for (const [given, message] of options)
    t.throws(() => new DepthEvaluation(given as EvaluationOptions), { code: 'INVALID_OPTION', message })
  t.throws(() => new DepthEvaluation({ cap: 1 } as EvaluationOptions), { message: /^Expected only kind, alignment/ })
  t.end()
})

t.test('the two passes see the same frames', (t) => {
  const evaluation = new DepthEvaluation()
  const frame = pair([1, 2], [2, 1])
  t.throws(() => evaluation.add(frame), { message: 'frame 0 was not observed, 0 were' })
  evaluation.observe(frame)
  evaluation.observe(frame)
  evaluation.add(frame)
  t.throws(() => evaluation.result(), { message: '1 frames were added, 2 observed' })
  t.throws(() => evaluation.observe(frame), { message: 'observe() comes before add()' })
  t.equal(new DepthEvaluation({ alignment: 'frame' }).needsTwoPasses, false)
  t.end()
})

t.test('protocols are upstream’s', (t) => {
  const rows = protocols.map(({ name, dataset, maxDepth, frames }) => [name, dataset, maxDepth, ...frames])
  t.same(rows, [
    ['kitti', 'kitti', 80, 0, 110],
    ['kitti_500', 'kitti', 80, 0, 500],
    ['sintel', 'sintel', 70, 0, 100],
    ['nyuv2_500', 'nyuv2', 10, 0, 500],
    ['bonn', 'bonn', 10, 0, 110],
    ['bonn_500', 'bonn', 10, 0, 500],
    ['scannet', 'scannet', 10, 0, 90],
    ['scannet_500', 'scannet', 10, 0, 500],
    ['scannet_tae', 'scannet', 10, 10, 180],
  ])
  t.throws(() => protocolNamed('nyu'), {
    code: 'INVALID_OPTION',
    message: /^Expected one of kitti, .* received "nyu"$/,
  })
  t.end()
})
