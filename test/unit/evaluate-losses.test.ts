// Owns: tests of the training losses as measures: by hand, and against Video Depth Anything's own code.
// Must not know: files, the command line.

import t from 'tap'
import { LineMoments } from '../../dist/esm/evaluate/line-moments.js'
import { ResidualMean } from '../../dist/esm/evaluate/residual-mean.js'
import { SpatialLoss } from '../../dist/esm/evaluate/spatial-loss.js'
import { TemporalGradientLoss } from '../../dist/esm/evaluate/temporal-gradient-loss.js'
import { TrainingLoss } from '../../dist/esm/evaluate/training-loss.js'
import { disparities, maps, near, type Rows } from '../support/compared.js'
import { sceneVideo, type SceneOptions } from '../support/evaluation-scene.js'

// What upstream's loss/loss.py gives for these scenes in float64 (PyTorch): spatial, the same with trim 0.2, stable, and
// temporal gradients at four scales with trim 0.2.
const upstream: readonly [SceneOptions, spatial: number, trimmed: number, stable: number, fourScales: number][] = [
  [
    { seed: 11, frames: 7, truthSize: [48, 31], predictionSize: [48, 31], blindFrame: 3 },
    ...([0.5310981872835908, 0.47491931950605326, 0.07685328787420935, 0.002536152691358483] as const),
  ],
  [
    { seed: 12, frames: 10, truthSize: [33, 40], predictionSize: [33, 40] },
    ...([0.22571784080984303, 0.20891393593125177, 0.07983014407185016, 0.00213042741934414] as const),
  ],
]

for (const [scene, spatial, trimmed, stable, fourScales] of upstream) {
  t.test(`as upstream, seed ${scene.seed}`, (t) => {
    const frames = sceneVideo(scene).map(disparities)
    const loss = new TrainingLoss()
    for (const frame of frames) loss.observe(frame)
    for (const frame of frames) loss.add(frame)
    near(t, loss.result().spatial, spatial, 'spatial')
    near(t, loss.result().stable, stable, 'stable')
    near(t, loss.result().total, spatial + stable, 'total')
    const trimming = new SpatialLoss({ trim: 0.2 })
    for (const frame of frames) trimming.add(frame)
    near(t, trimming.value(), trimmed, 'trimmed')
    const moments = new LineMoments()
    for (const { prediction, truth, valid } of frames) moments.merge(LineMoments.of(prediction, truth, valid))
    const { scale, shift } = moments.fit()
    const temporal = new TemporalGradientLoss({ scales: 4, trim: 0.2 })
    for (const frame of frames)
      temporal.add({ ...frame, prediction: Float64Array.from(frame.prediction, (value) => scale * value + shift) })
    // Upstream's fit has 1e-6 added to its divisor.
    near(t, temporal.value(), fourScales, 'four scales', 1e-9)
    t.end()
  })
}

t.test('spatial loss by hand', (t) => {
  // Truth: median 2, mean deviation 2/3, so −1.5, 0, 1.5; prediction: median 2, deviation 1, so −1, 0, 2.
  const frame = maps([[1, 2, 4]], [[1, 2, 3]])
  const loss = new SpatialLoss({ alpha: 1, scales: 2 })
  loss.add(frame)
  // Differences 0.5, 0, 0.5: mean 1/3; gradients 0.5 + 0.5 over 3 pixels; every second pixel: 0.5, 0.5: no gradient.
  near(t, loss.value(), 1 / 3 + 1 / 3, 'value')
  const rows = new SpatialLoss({ alpha: 1, scales: 2 })
  rows.add(maps([[1], [2], [4]], [[1], [2], [3]]))
  near(t, rows.value(), 2 / 3, 'the same upright')
  const scaled = new SpatialLoss()
  scaled.add(maps([[5, 7, 9]], [[1, 2, 3]]))
  near(t, scaled.value(), 0, 'a scale and a shift do not matter')
  t.end()
})

t.test('spatial loss: holes count as 0 in the median, and break gradients', (t) => {
  const loss = new SpatialLoss({ alpha: 1, scales: 1 })
  // Truth 4, –, 2: masked 4, 0, 2, median 2, deviation (2 + 0) / 2 = 1; prediction 1, –, 3: median 1, deviation (0 + 2) / 2.
  loss.add(maps([[1, 9, 3]], [[4, 0, 2]]))
  // Normalized 2, 0 against 0, 2: differences 2, 2; no neighbours.
  near(t, loss.value(), 2, 'value')
  const blind = new SpatialLoss()
  blind.add(maps([[1, 2]], [[0, 0]]))
  t.equal(blind.value(), 0, 'nothing valid')
  const flat = new SpatialLoss({ alpha: 0 })
  flat.add(maps([[3, 3, 3]], [[1, 2, 3]]))
  near(t, flat.value(), 1, 'a flat prediction is divided by the least deviation')
  t.end()
})

t.test('the largest residuals are trimmed, the divisor is not', (t) => {
  const mean = new ResidualMean(0.25)
  mean.add(Float64Array.of(9, 1), 2)
  mean.add(Float64Array.of(2, 3), 2)
  t.equal(mean.value(), (1 + 2 + 3) / 4)
  t.equal(mean.value(), 1.5, 'and again')
  t.equal(new ResidualMean(0).value(), 0)
  for (const trim of [-0.1, 1, NaN])
    t.throws(() => new ResidualMean(trim), {
      code: 'INVALID_OPTION',
      message: `Expected a number from 0 to below 1 for trim, received ${trim}`,
    })
  t.end()
})

const temporal = (frames: readonly [Rows, Rows][], options = {}): number => {
  const loss = new TemporalGradientLoss(options)
  for (const [prediction, truth] of frames) loss.add(maps(prediction, truth))
  return loss.value()
}

t.test('temporal gradients by hand', (t) => {
  // Range 10, so changes of the truth below 0.5 count: the second pixel's 1 does not, nor the third, unknown in one frame.
  const frames: [Rows, Rows][] = [
    [[[1, 5, 3, 11]], [[1, 5, 0, 11]]],
    [[[1.5, 9, 9, 11]], [[1.2, 6, 3, 11.2]]],
  ]
  near(t, temporal(frames), (0.3 + 0.2) / 2, 'value', 1e-9)
  near(t, temporal(frames, { threshold: 0.2 }), (0.3 + 3 + 0.2) / 3, 'a wider threshold', 1e-9)
  t.ok(Number.isNaN(temporal(frames.slice(1))), 'one frame')
  t.equal(
    temporal([
      [[[1, 2]], [[1, 0]]],
      [[[1, 2]], [[0, 2]]],
    ]),
    0,
    'no pixel known in both',
  )
  t.equal(
    temporal([
      [[[1, 2]], [[2, 2]]],
      [[[5, 5]], [[2, 2]]],
    ]),
    0,
    'a truth without range is nowhere steady',
  )
  t.end()
})

t.test('temporal gradients over strides', (t) => {
  const truth: Rows = [[1, 101]]
  const frames = [0, 1, 0, 1, 4].map((shift): [Rows, Rows] => [[[1 + shift, 101 + shift]], truth])
  // Stride 1: 1, 1, 1, 3; stride 2: 0, 4; stride 4: 4; stride 8 is longer than the video.
  near(t, temporal(frames), 1.5, 'stride 1')
  near(t, temporal(frames, { scales: 4 }), (1.5 + 2 * 0.5 + 4 * 0.25) / 3, 'four scales')
  t.end()
})

t.test('the stable loss aligns by one line; sizes must stay', (t) => {
  const loss = new TrainingLoss()
  const frames = [maps([[10, 20, 30]], [[1, 2, 3]]), maps([[10, 20, 30]], [[1, 2, 3]])]
  for (const frame of frames) loss.observe(frame)
  for (const frame of frames) loss.add(frame)
  t.match(loss.result(), { spatial: 0, stable: 0, total: 0 })
  const message = 'Expected 3×1, as before, for frame, received "1×3"'
  t.throws(() => loss.add(maps([[1], [2], [3]], [[1], [2], [3]])), { code: 'INVALID_OPTION', message })
  t.throws(() => loss.observe({ ...frames[0]!, prediction: [1] }), {
    message: 'Expected 3 values (3×1) for prediction, received "1 values"',
  })
  const flat = new TrainingLoss()
  const same = maps([[2, 2]], [[1, 3]])
  flat.observe(same)
  flat.add(same)
  t.ok(Number.isNaN(flat.result().stable) && flat.result().spatial > 0)
  t.end()
})
