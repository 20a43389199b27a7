// Owns: tests of `video-depth eval` as a person types it: inputs, table, options, messages.
// Must not know: how measures are defined; their numbers come from the core.

import { writeFileSync } from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import { evaluateFrames } from '../../dist/esm/evaluate/depth-evaluation.js'
import type { EvaluationOptions } from '../../dist/esm/evaluate/evaluation-options.js'
import { pngSequenceSink } from '../../dist/esm/io/sinks/png-sequence-sink.js'
import { openSink, type OutputSpec } from '../../dist/esm/io/sinks/sinks.js'
import { npy, npz as npzOf, writeDepthFolder, type DepthFormat } from '../support/depth-files.js'
import { agreement, report as evalReport, type EvalReport } from '../support/eval-report.js'
import { sceneVideo } from '../support/evaluation-scene.js'
import { CliHost, runCli, type CliText } from '../support/run-cli.js'

t.setTimeout(300_000)

const folder = t.testdir()
const at = (...names: string[]): string => path.join(folder, ...names)
const host = new CliHost()
t.teardown(() => host.close())
const run = (...args: readonly string[]): Promise<CliText> => host.run(['eval', ...args], { cwd: folder })
const report = (t: Test, ...args: readonly string[]): Promise<EvalReport> => evalReport(t, run, args)
const size = [32, 20] as const
const frames = sceneVideo({ seed: 31, frames: 6, truthSize: size, predictionSize: [24, 16] })
const agrees = agreement(frames)
const predictions = frames.map(({ prediction }) => prediction)
const truths = frames.map(({ truth }) => truth)

async function written(spec: OutputSpec, kind: 'disparity' | 'metric' = 'disparity'): Promise<string> {
  const sink = await openSink(spec)
  for (const [index, { data, width, height }] of predictions.entries())
    await sink.write({ index, timestampMs: 40 * index, width, height, data, kind })
  await sink.finish()
  return spec.path
}

const truth = await writeDepthFolder(at('truth'), truths, 'png', 256)
const npz = await written({ format: 'npz', path: at('street_depths.npz') })
const against = ['--truth', truth, '--factor', '256'] as const

t.test('a table on standard output', async (t) => {
  const { code, stdout, stderr } = await runCli(['eval', npz, ...against], { cwd: folder })
  t.equal(code, 0, stderr)
  const [head, row, ...rest] = stdout.trimEnd().split('\n')
  t.same(head!.split(/ {2,}/), [
    ...['video', 'frames', 'AbsRel', 'SqRel', 'RMSE', 'RMSElog', 'log10', 'SILog', 'iRMSE', 'δ1', 'δ2', 'δ3'],
  ])
  const expected = evaluateFrames(frames)
  const cells = row!.split(/ {2,}/)
  t.same(cells.slice(0, 3), ['street_depths', '6', expected.absRel.toFixed(4)])
  t.equal(cells.length, 12)
  t.same(rest, [])
  t.equal(stderr, '')
})

t.test('every kind of prediction', async (t) => {
  const bytes = Buffer.concat(predictions.map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength)))
  writeFileSync(at('stack.npy'), npy(bytes, [6, 16, 24]))
  const exact = [npz, await written({ format: 'raw', path: at('street.f32') }), at('stack.npy')]
  for (const format of ['npy', 'exr', 'pfm'] as const)
    exact.push(await writeDepthFolder(at(`predicted-${format}`), predictions, format))
  for (const prediction of exact) agrees(t, await report(t, prediction, ...against), {}, prediction)
  const quantised = await written({ format: 'png16', path: at('street_png16') })
  agrees(t, await report(t, quantised, ...against), {}, 'png16', 1e-3)
  const levels = await writeDepthFolder(at('predicted-png'), predictions, 'png', 100)
  agrees(t, await report(t, levels, ...against, '--prediction-factor', '100'), {}, 'png', 1e-3)
})

t.test('every kind of truth', async (t) => {
  for (const format of ['npy', 'exr', 'pfm'] as const satisfies readonly DepthFormat[]) {
    const folder = await writeDepthFolder(at(`truth-${format}`), truths, format)
    agrees(t, await report(t, npz, '--truth', folder), {}, format, 1e-6)
  }
  const inverse = truths.map((map) => ({ ...map, data: map.data.map((v) => (v > 0 ? 1 / v : 0)) }))
  const folder = await writeDepthFolder(at('truth-inverse'), inverse, 'npy')
  agrees(t, await report(t, npz, '--truth', folder, '--truth-kind', 'disparity'), {}, 'disparity', 1e-6)
})

t.test('options reach the core', async (t) => {
  const cases: [string[], EvaluationOptions][] = [
    [['--alignment', 'frame'], { alignment: 'frame' }],
    [['--alignment', 'median', '--max-depth', '20'], { alignment: 'median', maxDepth: 20 }],
    [['--space', 'depth', '--min-depth', '2'], { space: 'depth', minDepth: 2 }],
    [['--min-disparity', '0.05'], { minDisparity: 0.05 }],
    [['--crop', '2:-3,4:30'], { crop: { rows: [2, -3], columns: [4, 30] } }],
    [['--crop', '2:14,3:20', '--crop-prediction'], { crop: { rows: [2, 14], columns: [3, 20] }, cropPrediction: true }],
    [['--protocol', 'kitti'], { maxDepth: 80 }],
    [['--protocol', 'scannet', '--max-depth', '60'], { maxDepth: 60, crop: { rows: [8, -8], columns: [11, -11] } }],
  ]
  for (const [args, options] of cases) agrees(t, await report(t, npz, ...against, ...args), options, args.join(' '))
  const silent = at('stack.npy') // an archive of ours says what it holds
  agrees(t, await report(t, silent, ...against, '--kind', 'metric'), { kind: 'metric' }, '--kind metric')
  const some = await report(t, npz, ...against, '--frames', '1:4')
  agrees(t, some, {}, '--frames', 1e-9, frames.slice(1, 4))
  t.same(some.frames, [1, 4])
  const four = await writeDepthFolder(at('four'), predictions.slice(0, 4), 'npy')
  agrees(
    t,
    await report(t, four, ...against, '--frames', '0:3'),
    {},
    'a prediction that ends early',
    1e-9,
    frames.slice(0, 3),
  )
  t.equal(some.videos[0]!.perFrame.length, 3)
})

t.test('metric depth says so itself', async (t) => {
  const raw = await written({ format: 'raw', path: at('metric.f32') }, 'metric')
  const found = await report(t, raw, ...against)
  agrees(t, found, { kind: 'metric' }, 'metric')
  t.match(found.videos[0], { kind: 'metric', alignment: 'none', fit: null })
  const { code, stderr } = await run(raw, ...against, '--kind', 'disparity')
  t.equal(code, 2)
  t.match(
    stderr,
    /Expected 'metric', as the prediction's files say, for --kind, received "disparity" \[INVALID_OPTION\]/,
  )
})

t.test('what holds depth is not scored as disparity', async (t) => {
  const depths = truths.map(({ data, width, height }, index) => {
    const metres = Float32Array.from(data, (metre) => 1.02 * (metre > 0 ? metre : 1))
    return { index, timestampMs: 40 * index, width, height, data: metres, kind: 'metric' as const }
  })
  const sinks = [
    await openSink({ format: 'npz', path: at('walk.npz') }),
    await openSink({ format: 'png16', path: at('walk') }),
    await pngSequenceSink(at('walk-live')),
  ]
  for (const sink of sinks) {
    for (const depth of depths) await sink.write(depth)
    const [file = ''] = await sink.finish()
    const { videos } = await report(t, file, ...against, '--max-depth', '60') // PNGs of millimetres end at 65.535 m
    t.match(videos[0], { kind: 'metric', alignment: 'none' }, file)
    const absRel = Number(videos[0]?.['absRel'])
    t.ok(Math.abs(absRel - 0.02) < 2e-3, `${file}: ${absRel}`)
    const { code, stderr } = await run(file, ...against, '--kind', 'disparity')
    t.equal(code, 2)
    t.match(stderr, /Expected 'metric', as the prediction's files say, for --kind, received "disparity"/)
  }
  const contradicted = await run(npz, '--truth', at('walk.npz'), '--truth-kind', 'disparity')
  t.equal(contradicted.code, 2)
  t.match(contradicted.stderr, /Expected 'metric', as the truth's files say, for --truth-kind, received "disparity"/)

  // An archive of another writer does not say it.
  const bytes = Buffer.concat(depths.map(({ data }) => Buffer.from(data.buffer)))
  writeFileSync(at('old.npz'), await npzOf({ depths: npy(bytes, [6, 20, 32]) }))
  for (const alignment of ['video', 'frame', 'median']) {
    const { code, stderr } = await run(at('old.npz'), ...against, '--alignment', alignment)
    t.equal(code, 2, alignment)
    t.match(
      stderr,
      /The prediction old is far where the truth is near\. .* the prediction is disparity \(else --kind metric\)/,
    )
  }
  t.match((await report(t, at('old.npz'), ...against, '--kind', 'metric')).videos[0], { kind: 'metric' })
  const insisted = ['--kind', 'disparity', '--truth-kind', 'metric']
  t.match((await report(t, at('old.npz'), ...against, ...insisted)).videos[0], { kind: 'disparity' })
})

const refusals: [string, () => readonly string[] | Promise<readonly string[]>, number, RegExp][] = [
  ['no truth', () => [npz], 2, /eval needs --truth or --manifest/],
  ['two truths', () => [npz, ...against, '--manifest', 'own.json'], 2, /--truth has no effect with --manifest/],
  [
    'a factor of a manifest',
    () => [npz, '--manifest', 'own.json', '--factor', '2'],
    2,
    /--factor needs --truth: a manifest says it itself/,
  ],
  [
    'a kind of a manifest',
    () => [npz, '--manifest', 'own.json', '--truth-kind', 'metric'],
    2,
    /--truth-kind needs --truth/,
  ],
  ['missing ones of one video', () => [npz, ...against, '--skip-missing'], 2, /--skip-missing needs --manifest/],
  [
    'a factor of 0',
    () => [npz, '--truth', truth, '--factor', '0'],
    2,
    /Expected a number above 0 for --factor, received 0/,
  ],
  ['no such protocol', () => [npz, ...against, '--protocol', 'nyu'], 2, /Allowed choices are kitti, kitti_500/],
  [
    'no such alignment',
    () => [npz, ...against, '--alignment', 'best'],
    2,
    /Allowed choices are video, frame, median, none/,
  ],
  [
    'no such measure',
    () => [npz, ...against, '--measures', 'psnr'],
    2,
    /Expected tae, boundary, .* or all for --measures, received "psnr"/,
  ],
  [
    'half a crop',
    () => [npz, ...against, '--crop', '1:2'],
    2,
    /Expected rows and columns, such as 45:471,41:601, for --crop, received "1:2"/,
  ],
  ['a crop of words', () => [npz, ...against, '--crop', 'a,b'], 2, /Expected from:to for --crop, received "a"/],
  [
    'a crop of nothing',
    () => [npz, ...against, '--crop', '30:40,0:4'],
    2,
    /Expected a crop that leaves something of 32×20/,
  ],
  [
    'frames backwards',
    () => [npz, ...against, '--frames', '4:2'],
    2,
    /Expected from:to, counted from 0, for --frames, received "4:2"/,
  ],
  [
    'frames after the end',
    () => [npz, ...against, '--frames', '9:12'],
    2,
    /Expected a frame below 6, where the truth ends, for --frames, received 9/,
  ],
  [
    'a range of nothing',
    () => [npz, ...against, '--max-depth', '0.001'],
    2,
    /Expected a number above minDepth \(0\.001\) for maxDepth/,
  ],
  [
    'the wrong factor',
    () => [npz, '--truth', truth, '--max-depth', '80'],
    2,
    /Expected truth between 0\.001 and 80 m \(is the factor right\?\) for street_depths, received "none in 6 frames"/,
  ],
  [
    'poses that are not there',
    () => [npz, ...against, '--measures', 'tae'],
    2,
    /--measures tae needs a manifest with K and pose of every frame/,
  ],
  ['no prediction', () => ['nope.npz', ...against], 1, /Cannot read nope\.npz: ENOENT.*\[SOURCE_UNREADABLE\]/],
  ['no manifest', () => [npz, '--manifest', 'nope.json'], 1, /Cannot read nope\.json: ENOENT/],
  [
    'too few predictions',
    async () => [await writeDepthFolder(at('few'), predictions.slice(0, 4), 'npy'), ...against],
    2,
    /Expected 6 frames, as the truth has, for .*few, received 4 /,
  ],
  [
    'predictions that end before the last frame that counts',
    async () => [await writeDepthFolder(at('few'), predictions.slice(0, 4), 'npy'), ...against, '--frames', '0:5'],
    2,
    /Expected 6 frames, as the truth has, for .*few, received 4 /,
  ],
  [
    'a prediction that is not finite',
    async () => {
      const bad = predictions.map((map, i) => (i === 2 ? { ...map, data: map.data.map(() => NaN) } : map))
      return [await writeDepthFolder(at('nan'), bad, 'npy'), ...against]
    },
    1,
    /Expected finite numbers for the prediction of frame 2, received \d+ that are NaN or infinite \[DEPTH_NOT_FINITE\]/,
  ],
]

t.test('what cannot be evaluated says why, and prints no table', async (t) => {
  for (const [name, args, code, message] of refusals) {
    const ended = await run(...(await args()))
    t.equal(ended.code, code, `${name}: ${ended.stderr}`)
    t.match(ended.stderr, message, name)
    t.equal(ended.stdout, '', name)
  }
})
