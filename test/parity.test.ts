// Owns: the whole pipeline against what upstream's own code gave for the same frames and weights (test/fixtures).
// Must not know: the stages; graph-parity.test.ts and addon.test.ts compare those.

import path from 'node:path'
import t, { type Test } from 'tap'
import packageRoot from '#lib/package-root.cjs'
import { VideoDepth, type DepthFrame, type ProcessOptions } from 'video-depth'
import { readNpz, type NpyArray } from './support/npz.js'

/** Of the stored depth's range. Different summation orders in float32 give about 1e-6; upstream's own FP32 is no closer. */
const tolerance = 1e-3

t.setTimeout(300_000)

const fixture = (name: string): string => path.join(packageRoot, 'test', 'fixtures', name)
const expected = await readNpz(fixture('tiny_expected.npz'))
const frames = array(await readNpz(fixture('tiny_frames.npz')), 'frames')
const [frameCount = 0, height = 0, width = 0] = frames.shape
const size = width * height

function array(from: ReadonlyMap<string, NpyArray>, name: string): NpyArray {
  const found = from.get(name)
  if (found === undefined) throw new Error(`no array ${name}`)
  return found
}

function* rgb(count = frameCount) {
  for (let i = 0; i < count; i++) {
    yield { data: Uint8Array.from(frames.data.subarray(3 * size * i, 3 * size * (i + 1)) as Uint8Array), width, height }
  }
}

async function depths(
  t: Test,
  metric: boolean,
  options: ProcessOptions = {},
  count = frameCount,
): Promise<DepthFrame[]> {
  const cacheDir = t.testdir()
  const model = await VideoDepth.load({ checkpoint: fixture('tiny.pth'), inputSize: 70, metric, cacheDir })
  const all: DepthFrame[] = []
  for await (const frame of model.process(rgb(count), options)) all.push(frame)
  await model.close()
  return all
}

/** Largest difference over the stored frames, as a part of their range. */
function largestError(all: readonly DepthFrame[], stored: string, indices: string): number {
  const truth = array(expected, stored).data as Float32Array
  const at = array(expected, indices).data
  const range = truth.reduce((a, b) => Math.max(a, b), -Infinity) - truth.reduce((a, b) => Math.min(a, b), Infinity)
  let largest = 0
  for (let i = 0; i < at.length; i++) {
    const ours = all[Number(at[i])]?.data
    for (let p = 0; p < size; p++) {
      const error = Math.abs((ours?.[p] ?? Number.NaN) - (truth[i * size + p] ?? Number.NaN))
      if (!(error <= largest)) largest = error // NaN wins
    }
  }
  return largest / range
}

t.test('a stitched video of 60 frames is upstream’s', async (t) => {
  const all = await depths(t, false)
  const error = largestError(all, 'offline_depths', 'offline_indices')
  t.comment(`largest error ${error.toExponential(1)} of the range`)
  t.ok(error <= tolerance)
  t.same(
    all.map(({ index }) => index),
    [...all.keys()],
  )
  t.same([...new Set(all.map(({ window }) => window))], [0, 1, 2])
  t.notOk(all.some(({ aligned, kind }) => aligned.degenerate || kind !== 'disparity'))
})

t.test('the metric rule: neither scaled nor moved', async (t) => {
  const all = await depths(t, true)
  const error = largestError(all, 'metric_depths', 'metric_indices')
  t.comment(`largest error ${error.toExponential(1)} of the range`)
  t.ok(error <= tolerance)
  t.ok(all.every(({ aligned, kind }) => aligned.scale === 1 && aligned.shift === 0 && kind === 'metric'))
})

t.test('the same video twice gives the same bits', async (t) => {
  const [once, again] = [await depths(t, false, {}, 33), await depths(t, false, {}, 33)]
  t.ok(once.every(({ data }, i) => data.every((value, p) => value === again[i]?.data[p])))
})

for (const count of [1, 2, 22, 23, 31, 32, 33, 44, 45, 54, 200]) {
  t.test(`${count} frames in, ${count} out, each encoded once`, async (t) => {
    const model = await VideoDepth.load({ checkpoint: fixture('tiny.pth'), inputSize: 28, cacheDir: t.testdir() })
    function* looped() {
      for (let i = 0; i < count; i++) yield* [...rgb(1)]
    }
    const run = model.process(looped())
    let next = 0
    for await (const { index, data } of run) {
      if (index !== next++ || !data.every(Number.isFinite)) t.fail(`frame ${index}`)
    }
    t.equal(next, count)
    t.match(run.summary, { framesIn: count, framesEncoded: count })
    await model.close()
  })
}

t.test('paper stitching differs from upstream’s only from the third window on', async (t) => {
  const [upstream, paper] = [await depths(t, false), await depths(t, false, { stitching: 'paper' })]
  const same = upstream.map(({ data }, i) => data.every((value, p) => value === paper[i]?.data[p]))
  t.ok(same.slice(0, 46).every(Boolean) && same.includes(false))
})
