// Owns: tests of videos that show nothing for a while, as users see them: what begins anew, what is told, what stays.
// Must not know: by which figures content is told from its absence.

import path from 'node:path'
import t, { type Test } from 'tap'
import { renderClip } from '../../dist-tools/scenes/sequence.js'
import { bundledCheckpoint, VideoDepth, type DepthFrame, type ProcessOptions } from 'video-depth'
import { checkLoadOptions } from '../../dist/esm/engine/load-options.js'
import { openHost } from '../../dist/esm/engine/open-engine.js'
import { fromFrames } from '../../dist/esm/io/sources/frames-source.js'
import { windowStrategy } from '../../dist/esm/plan/strategy.js'
import { DepthRun } from '../../dist/esm/video/run.js'
import { makeVideo, steady } from '../support/make-video.js'
import { runCli } from '../support/run-cli.js'
import { tinyPth } from '../support/checkpoint-files.js'

t.setTimeout(300_000)

const folder = t.testdir()
const cacheDir = path.join(folder, 'cache')
const size = { width: 84, height: 63 }
const count = 70
const street = await renderClip({ ...size, frameRate: 24, kind: 'street', seed: 9_000_001, frames: count })
const inputSize = 70

/** Uniform frames of this grey where `isEmpty`. */
function clip(isEmpty: (frame: number) => boolean, grey = 0) {
  const empty = new Uint8Array(size.width * size.height * 3).fill(grey)
  return street.map(({ data, timestampMs }, i) => ({ ...size, timestampMs, data: isEmpty(i) ? empty : data }))
}

function spread(map: Float32Array): number {
  const mean = map.reduce((sum, value) => sum + value, 0) / map.length
  return Math.sqrt(map.reduce((sum, value) => sum + (value - mean) ** 2, 0) / map.length)
}

async function depths(t: Test, frames: ReturnType<typeof clip>, options: ProcessOptions & { metric?: boolean } = {}) {
  const { metric = false, ...process } = options
  const checkpoint = metric ? tinyPth : bundledCheckpoint // the bundled network is known to give disparity
  const model = await VideoDepth.load({ checkpoint, inputSize, cacheDir, metric })
  t.teardown(() => model.close())
  const run = model.process(frames, process)
  const all: DepthFrame[] = []
  for await (const frame of run) all.push(frame)
  t.same(
    all.map(({ index }) => index),
    frames.map((_, i) => i),
  )
  return { all, summary: run.summary }
}

t.test('after a black start the scale begins anew, once, and is told', async (t) => {
  const { all, summary } = await depths(
    t,
    clip((i) => i < 40),
  )
  t.match(summary, { begunAnew: [25], scenes: 2, degenerateWindows: 1, framesEncoded: count })
  const [before, first, next] = [all[24]!, all[25]!, all[26]!]
  t.match(before.scene, { index: 0, cut: false })
  t.match(first.scene, { index: 1, cut: true, contentScore: undefined })
  t.match(next.scene, { index: 1, cut: false })
  t.same(first.aligned, { scale: 1, shift: 0, degenerate: true, reason: 'no-content', leftOut: 2 })
  t.match(all[count - 1], { scene: { index: 1, cut: false }, aligned: { degenerate: false, reason: undefined } })
  const plain = await depths(
    t,
    clip(() => false),
  )
  t.match(plain.summary, { begunAnew: [], scenes: 1, degenerateWindows: 0 })
  t.ok(plain.all.every(({ aligned, scene }) => aligned.leftOut === 0 && scene.index === 0 && !scene.cut))
  for (const i of [45, 60, count - 1]) {
    const ratio = spread(all[i]!.data) / spread(plain.all[i]!.data)
    t.ok(ratio > 0.3 && ratio < 3, `frame ${i}: ${ratio} of the spread without a black start`)
  }
})

t.test('white, too, and with every rule that fits windows', async (t) => {
  const host = await openHost(checkLoadOptions({ checkpoint: bundledCheckpoint, inputSize, cacheDir }))
  t.teardown(() => host.engine.close())
  const white = clip((i) => i < 40, 255)
  for (const rule of ['upstream', 'paper', 'overlap-interpolate', 'overlap-align'] as const) {
    const run = new DepthRun(host, { strategy: windowStrategy(rule), openSource: () => fromFrames(white) })
    const all: DepthFrame[] = []
    for await (const frame of run) all.push(frame)
    const { summary } = run
    t.ok(summary.begunAnew.length > 0, rule)
    t.equal(all[summary.begunAnew[0]!]!.scene.cut, true)
    t.equal(all.filter(({ scene }) => scene.cut).length, summary.begunAnew.length)
    t.ok(spread(all[count - 1]!.data) > 0.2, `${rule}: ${spread(all[count - 1]!.data)}`)
  }
})

t.test('where a scene cut is found at the end of the darkness, that is all', async (t) => {
  const { all, summary } = await depths(
    t,
    clip((i) => i < 40),
    { sceneCuts: { threshold: 5 } },
  )
  t.match(summary, { begunAnew: [], scenes: 2 })
  t.match(all[40]!.scene, { index: 1, cut: true })
})

t.test('darkness in the middle: the first frame keeps the scale', async (t) => {
  const { all, summary } = await depths(
    t,
    clip((i) => i >= 33 && i < 50),
  )
  t.same(summary.begunAnew, [])
  t.ok(all.every(({ scene }) => scene.index === 0))
})

t.test('metric depth is never fitted, so never degenerate', async (t) => {
  const { all, summary } = await depths(
    t,
    clip((i) => i < 40),
    { metric: true },
  )
  t.match(summary, { begunAnew: [], degenerateWindows: 0, scenes: 1 })
  t.ok(all.every(({ aligned }) => aligned.scale === 1 && aligned.reason === undefined))
})

t.test('video-depth run warns, and says where in --json', async (t) => {
  const frames = clip((i) => i < 40)
  const file = await makeVideo({
    path: path.join(folder, 'black.mp4'),
    times: steady(count, 24),
    ...size,
    height: 62,
    pixel: (frame, x, y) => {
      const at = 3 * (y * size.width + x)
      const [red = 0, green = 0, blue = 0] = frames[frame]!.data.subarray(at, at + 3)
      return [red, green, blue]
    },
  })
  const network = ['--checkpoint', bundledCheckpoint, '--input-size', String(inputSize), '--cache-dir', cacheDir]
  const ended = await runCli(['run', file, '-o', path.join(folder, 'out'), ...network, '--json'], { cwd: folder })
  t.equal(ended.code, 0)
  t.match(ended.stderr, 'the scale of depth begins anew at frame 25: ')
  t.match(JSON.parse(ended.stdout), { begunAnew: [25], scenes: 2, degenerateWindows: 1 })
})
