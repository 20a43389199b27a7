// Owns: tests of all measures of a video together, and of the charts that show them.
// Must not know: files, the command line, how each measure is defined.

import t from 'tap'
import { ticks, lineChart } from '../../dist/esm/cli/eval/line-chart.js'
import { table, videoObject } from '../../dist/esm/cli/eval/eval-report.js'
import { boundaryRecall } from '../../dist/esm/evaluate/boundary.js'
import { evaluateFrames } from '../../dist/esm/evaluate/depth-evaluation.js'
import {
  evaluateVideo,
  measureNames,
  type Measure,
  type EvaluationFrame,
} from '../../dist/esm/evaluate/video-evaluation.js'
import { sceneIntrinsics, sceneVideo } from '../support/evaluation-scene.js'

const size = [24, 16] as const
const scene = sceneVideo({ seed: 41, frames: 60, truthSize: size, predictionSize: size })
const frames: readonly EvaluationFrame[] = scene.map(({ prediction, truth, pose }, index) => ({
  prediction,
  truth,
  pose,
  intrinsics: sceneIntrinsics(size),
  flow: index === scene.length - 1 ? undefined : new Float32Array(2 * truth.data.length),
  matte: matteOf(truth.data),
}))

/** What is nearer than half of all. */
function matteOf(truth: ArrayLike<number>): Float32Array {
  const middle = Float64Array.from(truth).sort()[truth.length >> 1] as number
  return Float32Array.from(truth, (depth) => (depth < middle ? 1 : 0))
}

t.test('everything in two passes, of which each frame is seen once', async (t) => {
  let passes = 0
  const seen: number[] = []
  function* pass(): Generator<EvaluationFrame> {
    passes++
    for (const [index, frame] of frames.entries()) {
      seen.push(index)
      yield frame
    }
  }
  const result = await evaluateVideo(pass, { depth: { maxDepth: 60 }, measures: measureNames })
  t.equal(passes, 2)
  t.equal(seen.length, 2 * frames.length)
  t.same(result.depth, evaluateFrames(frames, { maxDepth: 60 }))
  for (const [name, value] of Object.entries({
    tae: result.tae?.tae,
    f1: result.boundary?.f1,
    recall: result.recall?.recall,
    mage: result.derivatives?.mage,
    loss: result.loss?.total,
    seams: result.seams?.ratio,
    opw: result.flow?.opw,
  }))
    t.ok(value !== undefined && value > 0 && Number.isFinite(value), `${name} ${value}`)
  const [first] = frames as [EvaluationFrame, ...EvaluationFrame[]]
  const { fit } = result.depth
  const depth = Float64Array.from(first.prediction.data, (d) => {
    const disparity = Math.max(fit!.scale * Math.max(d, Math.fround(0.001)) + fit!.shift, 0.001)
    return Math.min(1 / disparity, 60)
  })
  const { width, height } = first.truth
  const recall = boundaryRecall({ prediction: depth, mask: first.matte!, width, height })
  t.ok(Math.abs(result.recall!.perFrame[0]! - recall) < 1e-9, 'of aligned depth')
})

t.test('one pass where that is enough, and only what is asked for', async (t) => {
  let passes = 0
  const once = (): Iterable<EvaluationFrame> => {
    passes++
    return frames.slice(0, 3)
  }
  const result = await evaluateVideo(once, { depth: { alignment: 'frame' }, measures: [] })
  t.equal(passes, 1)
  const none = { tae: undefined, boundary: undefined, recall: undefined, derivatives: undefined }
  t.match(result, { ...none, loss: undefined, flow: undefined })
  await evaluateVideo(once, { depth: { alignment: 'frame' }, measures: ['loss'] })
  t.equal(passes, 3, 'the loss is aligned over the video')
})

t.test('a jump where windows change is seen there alone', async (t) => {
  // Window 1 takes over between frames 24 and 32: there a change of scale grows in, as blending makes it.
  const exact = frames.map(({ truth }, index) => {
    const factor = 900 * (1 + 0.4 * Math.min(Math.max((index - 24) / 8, 0), 1))
    const data = Float32Array.from(truth.data, (depth) => factor / (depth === 0 ? 50 : depth))
    return { truth, prediction: { data, width: truth.width, height: truth.height } }
  })
  const seams = async (from: number, firstFrame = from): Promise<number> => {
    const options = { depth: {}, measures: ['seams'], firstFrame } as const
    return (await evaluateVideo(() => exact.slice(from, 44), options)).seams!.ratio
  }
  t.ok((await seams(0)) > 10, `${await seams(0)}`)
  t.ok((await seams(10)) > 10, 'counted from the video’s first frame')
  t.ok((await seams(10, 0)) < 1, 'elsewhere')
})

t.test('a frame that lacks what a measure needs', async (t) => {
  const lacking = (measure: Measure, frame: Partial<EvaluationFrame>): Promise<unknown> => {
    const some = [frames[0]!, { ...frames[1]!, ...frame }, frames[2]!]
    return evaluateVideo(() => some, { depth: {}, measures: [measure] })
  }
  await t.rejects(lacking('tae', { pose: undefined }), {
    code: 'INVALID_OPTION',
    message: 'Expected a pose and intrinsics of every frame for tae, received "none of frame 1"',
  })
  await t.rejects(lacking('recall', { matte: undefined }), {
    message: 'Expected a matte of every frame for recall, received "none of frame 1"',
  })
  await t.rejects(lacking('flow', { flow: undefined }), { message: /^Expected flow for every frame but the last/ })
})

t.test('options that cannot be', async (t) => {
  const cases: [object, string][] = [
    [
      { measures: ['psnr'] },
      'Expected only tae, boundary, recall, derivatives, loss, seams, flow for measures, received "psnr"',
    ],
    [{ stitching: 'none' }, 'Expected one of upstream, paper for stitching, received "none"'],
    [{ firstFrame: -1 }, 'Expected a whole number from 0 for firstFrame, received -1'],
    [{ windows: 1 }, 'Expected only depth, measures, stitching, firstFrame for options, received "windows"'],
  ]
  for (const [options, message] of cases)
    await t.rejects(
      evaluateVideo(() => [], options),
      { code: 'INVALID_OPTION', message },
    )
})

t.test('numbers of any size in the table, null for none in JSON', async (t) => {
  const blind = { ...frames[0]!, truth: { ...frames[0]!.truth, data: new Float64Array(24 * 16) } }
  const options = { depth: {}, measures: ['seams', 'derivatives'] } as const
  const result = await evaluateVideo(() => [frames[0]!, blind], options)
  const video = { name: 'v', kind: 'disparity', alignment: 'video', result } as const
  const text = table([video])
  t.match(text, /^video {2}frames .*\nv {6} {5}2 /)
  t.match(text, /–\n$/, 'no seam')
  t.match(text, /\d\.\d\de-\d/, 'small numbers')
  const object = JSON.parse(JSON.stringify(videoObject(video))) as { perFrame: object[]; seamRatio: unknown }
  t.match(object, { frames: 2, validFrames: 1, seamRatio: null })
  t.match(object.perFrame[1], { pixels: 0, absRel: null })
  t.notMatch(JSON.stringify(object), /NaN|Infinity/)
})

t.test('charts', (t) => {
  t.same(ticks(0, 10, 5), [0, 2, 4, 6, 8, 10])
  t.same(ticks(0.13, 0.32, 4), [0.15, 0.2, 0.25, 0.3])
  t.same(ticks(3, 3, 4), [3])
  const chart = (values: readonly (number | undefined)[]): string =>
    lineChart({
      title: 'a<b&"c"',
      xLabel: 'frame',
      start: 7,
      panels: [{ title: 'p', series: [{ label: 's', values }] }],
    })
  const svg = chart([1, 2, NaN, 4, undefined, 6, 7])
  t.match(svg, /a&lt;b&amp;&quot;c&quot;/)
  t.equal(
    svg
      .match(/ d="M[^"]*"/g)!
      .at(-1)!
      .match(/M/g)!.length,
    3,
    'gaps',
  )
  t.match(svg, /h0\.01/, 'a value alone is a dot')
  t.match(svg, />7</, 'frames count from the start')
  for (const values of [[], [5], [5, 5], [NaN, NaN]]) t.notMatch(chart(values), /NaN|Infinity|undefined/)
  t.end()
})
