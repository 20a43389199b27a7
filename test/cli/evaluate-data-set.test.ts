// Owns: tests of `video-depth eval` with data sets: manifests, predictions in upstream's layout, results and plots.
// Must not know: how measures are defined, what is said of bad input.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import sharp from 'sharp'
import t, { type Test } from 'tap'
import { evaluateFrames } from '../../dist/esm/evaluate/depth-evaluation.js'
import { openSink } from '../../dist/esm/io/sinks/sinks.js'
import { npy, writeDepth } from '../support/depth-files.js'
import { agreement, report as evalReport, type EvalReport } from '../support/eval-report.js'
import { sceneIntrinsics, sceneVideo, type SceneFrame } from '../support/evaluation-scene.js'
import { CliHost, type CliText } from '../support/run-cli.js'

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
const second = sceneVideo({ seed: 32, frames: 4, truthSize: size, predictionSize: size })

/** A data set in upstream's layout: a prediction for each image, manifest, truth, poses, masks, mattes and flow. */
async function dataSet(root: string, videos: Readonly<Record<string, readonly SceneFrame[]>>): Promise<string> {
  const listed: object[] = []
  for (const [name, scene] of Object.entries(videos)) {
    const entries: object[] = []
    for (const [i, { prediction, truth, pose }] of scene.entries()) {
      const file = (kind: string, ending: string): string => `${name}/${kind}/${i}.${ending}`
      await writeDepth(path.join(root, 'predictions', 'own', file('rgb', 'npy')), prediction, 'npy')
      await writeDepth(path.join(root, file('depth', 'png')), truth, 'png', 256)
      const ones = { ...truth, data: truth.data.map((_, p) => p % 2) }
      await writeDepth(path.join(root, file('mask', 'png')), ones, 'png')
      await writeDepth(path.join(root, file('valid', 'png')), ones, 'png')
      const near = { ...truth, data: truth.data.map((depth) => (depth < 8 ? 65535 : 6000)) }
      await writeDepth(path.join(root, file('matte', 'png')), near, 'png')
      mkdirSync(path.join(root, name, 'flow'), { recursive: true })
      const still = Buffer.alloc(8 * truth.data.length)
      writeFileSync(path.join(root, file('flow', 'npy')), npy(still, [truth.height, truth.width, 2]))
      const { fx, fy, cx, cy } = sceneIntrinsics(size)
      const K = [
        [fx, 0, cx],
        [0, fy, cy],
        [0, 0, 1],
      ]
      entries.push({ image: file('rgb', 'jpg'), gt_depth: file('depth', 'png'), factor: 256, K, pose })
    }
    listed.push({ [name]: entries })
  }
  return manifest(root, listed)
}

function manifest(root: string, videos: readonly object[], name = 'own_video.json'): string {
  const file = path.join(root, name)
  writeFileSync(file, JSON.stringify({ own: videos }))
  return file
}

const listedIn = (file: string): Record<string, Record<string, unknown>[]>[] =>
  (JSON.parse(readFileSync(file, 'utf8')) as { own: Record<string, Record<string, unknown>[]>[] }).own

const set = at('set')
const own = await dataSet(set, { first: frames, second })

t.test('a data set: a row a video, their mean, the temporal alignment error', async (t) => {
  const { code, stdout, stderr } = await run(path.join(set, 'predictions'), '--manifest', own)
  t.equal(code, 0, stderr)
  const rows = stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/))
  t.same(
    rows.map(([name, frames]) => [name, frames]),
    [
      ['video', 'frames'],
      ['first', '6'],
      ['second', '4'],
      ['mean of 2', '10'],
    ],
  )
  t.equal(rows[0]!.at(-1), 'TAE')
  const found = await report(t, path.join(set, 'predictions'), '--manifest', own, '--max-depth', '60')
  const expected = [frames, second].map((scene) => evaluateFrames(scene, { maxDepth: 60 }).absRel)
  t.ok(Math.abs(found.mean['absRel']! - (expected[0]! + expected[1]!) / 2) < 1e-9)
  const tae = found.videos.map((video) => video['tae'] as number)
  t.ok(tae.every((value) => value > 0) && Math.abs(found.mean['tae']! - (tae[0]! + tae[1]!) / 2) < 1e-12)
  t.equal((found.videos[0]!.perPair as { tae: number[] }).tae.length, 5)
})

t.test('masks, flow and mattes of a manifest', async (t) => {
  const predictionsOf = path.join(set, 'predictions')
  const add = (name: string, key: string): string =>
    manifest(
      set,
      listedIn(own).map((group) =>
        Object.fromEntries(
          Object.entries(group).map(([video, list]) => [
            video,
            list.map((frame, i) => ({ ...frame, [key]: `${video}/${key}/${i}.${key === 'flow' ? 'npy' : 'png'}` })),
          ]),
        ),
      ),
      name,
    )
  const plain = await report(t, predictionsOf, '--manifest', own)
  const masked = await report(t, predictionsOf, '--manifest', add('masked.json', 'mask'))
  t.equal(masked.mean['absRel'], plain.mean['absRel'], 'a mask is for the temporal alignment error alone')
  t.not(masked.mean['tae'], plain.mean['tae'])
  const valid = await report(t, predictionsOf, '--manifest', add('valid.json', 'valid'), '--measures', 'tae')
  t.ok((valid.videos[0]!['pixels'] as number) < (plain.videos[0]!['pixels'] as number) * 0.6)
  const flow = add('flow.json', 'flow')
  const all = await report(t, predictionsOf, '--manifest', flow, '--measures', 'all', '--crop', '1:19,1:31')
  const names = [
    'tae',
    'boundaryF1',
    'mage',
    'male',
    'msge',
    'spatialLoss',
    'stableLoss',
    'totalLoss',
    'opw',
    'stableError',
  ]
  for (const name of names) t.type(all.mean[name], 'number', name)
  t.notOk('boundaryRecall' in all.mean, 'without mattes')
  const recall = await report(t, predictionsOf, '--manifest', add('matte.json', 'matte'), '--measures', 'recall')
  t.ok(recall.mean['boundaryRecall']! > 0 && recall.mean['boundaryRecall']! < 1, `${recall.mean['boundaryRecall']}`)
  t.equal(
    (recall.videos[0]!.perFrame as Record<string, number>[]).every((f) => f['boundaryRecall']! >= 0),
    true,
  )
  t.equal(all.mean['seamRatio'], null, 'a video of one window')
  t.ok(all.mean['opw']! > 0)
  const { code, stderr } = await run(predictionsOf, '--manifest', own, '--measures', 'flow,loss')
  t.equal(code, 2)
  t.match(stderr, /--measures flow needs a manifest with flow of every frame but the last: first has none/)
  const matteless = await run(predictionsOf, '--manifest', own, '--measures', 'recall')
  t.match(matteless, {
    code: 2,
    stderr: /--measures recall needs a manifest with matte of every frame/,
  })
})

t.test('predictions of a data set as one file a video, and of a single video by its own path', async (t) => {
  const root = at('whole')
  for (const [name, scene] of Object.entries({ first: frames, second })) {
    const sink = await openSink({ format: 'npz', path: path.join(root, 'own', `${name}_depths.npz`) })
    for (const [index, { prediction }] of scene.entries())
      await sink.write({ index, timestampMs: index, ...prediction, kind: 'disparity' })
    await sink.finish()
  }
  const [whole, single] = [
    await report(t, root, '--manifest', own),
    await report(t, at('set', 'predictions'), '--manifest', own),
  ]
  t.same(whole.mean, single.mean)
  const one = manifest(set, listedIn(own).slice(0, 1), 'one.json')
  const direct = await report(t, path.join(root, 'own', 'first_depths.npz'), '--manifest', one, '--frames', '2:5')
  agrees(t, direct, {}, 'direct', 1e-9, frames.slice(2, 5))
})

t.test('missing predictions are an error, or left out as upstream does', async (t) => {
  const root = at('holed')
  const file = await dataSet(root, { first: frames })
  rmSync(path.join(root, 'predictions', 'own', 'first', 'rgb', '3.npy'))
  const args = [path.join(root, 'predictions'), '--manifest', file]
  const { code, stderr } = await run(...args)
  t.equal(code, 1)
  t.match(stderr, /3\.npy: it is missing, the prediction of frame 3 of first \[SOURCE_UNREADABLE\]/)
  agrees(t, await report(t, ...args, '--skip-missing'), {}, 'skipped', 1e-9, [
    ...frames.slice(0, 3),
    ...frames.slice(4),
  ])
  mkdirSync(at('empty', 'own'), { recursive: true })
  const nowhere = await run(at('empty'), '--manifest', file)
  t.equal(nowhere.code, 1)
  t.match(nowhere.stderr, /expected predictions there \(.*_depths\.npz.* or at .*\/first\/rgb\/0\.npy and so on/s)
})

t.test('-o: results and plots, complete or not at all', async (t) => {
  const out = at('out')
  const args = [path.join(set, 'predictions'), '--manifest', own, '--measures', 'all', '-o', out]
  const { code, stdout, stderr } = await run(...args)
  t.equal(code, 0, stderr)
  const names = ['first.eval.png', 'first.eval.svg', 'results.json', 'second.eval.png', 'second.eval.svg']
  t.same(readdirSync(out).sort(), names)
  for (const name of names) t.ok(stdout.includes(path.join(out, name)), name)
  const results = JSON.parse(readFileSync(path.join(out, 'results.json'), 'utf8')) as EvalReport
  t.same(
    results.videos.map(({ name }) => name),
    ['first', 'second'],
  )
  const svg = readFileSync(path.join(out, 'first.eval.svg'), 'utf8')
  t.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" /)
  for (const title of [
    'AbsRel',
    'scale that fits the frame, over that of the video',
    'TAE to the next frame, %',
    'change',
  ])
    t.ok(svg.includes(title), title)
  t.notMatch(svg, /NaN|undefined|Infinity/)
  t.match(await sharp(path.join(out, 'first.eval.png')).metadata(), { format: 'png', width: 1600 })
  t.equal((await run(...args)).code, 0, 'again, over its own')
  writeFileSync(path.join(out, 'thesis.tex'), '')
  const again = await run(...args)
  t.equal(again.code, 1)
  t.match(
    again.stderr,
    /Cannot write .*out: the folder exists and holds other files \(thesis\.tex\) \[OUTPUT_UNWRITABLE\]/,
  )
  const failing = await run(path.join(set, 'predictions'), '--manifest', own, '--max-depth', '0.5', '-o', at('never'))
  t.equal(failing.code, 2)
  t.notOk(existsSync(at('never')))
  t.same(
    readdirSync(folder).filter((name) => name.includes('.partial')),
    [],
  )
})
