// Owns: the whole pipeline against what upstream's own code gave for the same frames and weights (test/fixtures).
// Must not know: the stages; graph-parity.test.ts and addon.test.ts compare those.

import path from 'node:path'
import t, { type Test } from 'tap'
import { prepareGraphs } from '../../dist/esm/prepare/graph/prepare-graphs.js'
import { prepareWeights } from '../../dist/esm/prepare/graph/prepare-weights.js'
import packageRoot from '../../dist/esm/package-root.cjs'
import { VideoDepth, type DepthFrame, type ProcessOptions } from 'video-depth'
import { largestError, rangeOf, relativeError } from '../support/compare.js'
import { readNpz, type NpyArray } from '../support/npz.js'
import { testOnAll } from '../support/runtimes.js'
import { referenceVideo, type Picture } from '../support/reference-video.js'

/**
 * A part of the reference's range; the project's own bound. Seen: 3e-6 at most against upstream, over all frames and cases;
 * 5e-5 at most of a single map's range against the plain form. Both are float32 sums in another order.
 */
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

function numbers({ data }: NpyArray): number[] {
  return Array.from(data as ArrayLike<number | bigint>, Number)
}

/** The largest error of the stored frames, as a part of their range. */
function storedError(all: readonly DepthFrame[], stored: string, indices: string): number {
  const truth = array(expected, stored).data as Float32Array
  const errors = numbers(array(expected, indices)).map((index, i) =>
    largestError(all[index]?.data, truth.subarray(i * size, (i + 1) * size)),
  )
  return Math.max(...errors) / rangeOf(truth)
}

t.test('a comparison that NaN, gaps and nothing at all cannot pass', (t) => {
  t.equal(largestError([1, 2, 3], [1, 2.5, 3]), 0.5)
  t.equal(relativeError([1, 2, 3], [1, 2.5, 3]), 0.25)
  t.equal(relativeError([1, 1], [1, 1]), 0)
  for (const bad of [Number.NaN, Infinity, -Infinity]) {
    for (const place of [0, 1, 2]) {
      const damaged = [1, 2, 3].map((value, i) => (i === place ? bad : value))
      t.equal(relativeError(damaged, [1, 2, 3]), Infinity, `${bad} at ${place}`)
      t.equal(relativeError([1, 2, 3], damaged), Infinity, `${bad} at ${place} of the reference`)
      t.equal(relativeError(damaged, damaged), Infinity)
    }
  }
  for (const length of [0, 2, 4]) t.equal(largestError(new Float32Array(length), [0, 0, 0]), Infinity)
  t.same(
    [largestError(undefined, [1]), largestError([1], undefined), largestError([], [])],
    [Infinity, Infinity, Infinity],
  )
  t.end()
})

testOnAll('a stitched video of 60 frames is upstream’s', async (t) => {
  const all = await depths(t, false)
  const error = storedError(all, 'offline_depths', 'offline_indices')
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
  const error = storedError(all, 'metric_depths', 'metric_indices')
  t.comment(`largest error ${error.toExponential(1)} of the range`)
  t.ok(error <= tolerance)
  t.ok(all.every(({ aligned, kind }) => aligned.scale === 1 && aligned.shift === 0 && kind === 'metric'))
})

t.test('the same video twice gives the same bits', async (t) => {
  const [once, again] = [await depths(t, false, {}, 33), await depths(t, false, {}, 33)]
  t.ok(once.every(({ data }, i) => data.every((value, p) => value === again[i]?.data[p])))
})

/** Distinct at any length: the 60 frames over and over, each time brighter. */
function picture(index: number): Picture {
  const [at, round] = [index % frameCount, Math.floor(index / frameCount)]
  const stored = (frames.data as Uint8Array).subarray(3 * size * at, 3 * size * (at + 1))
  return { data: stored.map((value) => Math.min(255, value + 9 * round)), width, height }
}

t.test('every length: each frame out once, at its place and time', async (t) => {
  const cacheDir = t.testdir()
  const weights = await prepareWeights({ checkpoint: fixture('tiny.pth'), cacheDir, precision: 'fp32' })
  const shape = { rows: 2, cols: 4, windowLength: 32, encoderBatch: 1, decoderBatch: 1 } // what 28 gives for 128×72
  const graphs = await prepareGraphs(weights, shape)
  const model = await VideoDepth.load({ checkpoint: fixture('tiny.pth'), inputSize: 28, cacheDir })
  const time = (index: number): number => 17 + 41 * index + (index % 3)
  for (const count of [1, 2, 22, 23, 31, 32, 33, 44, 45, 54, 200]) {
    const pictures = Array.from({ length: count }, (_, i) => picture(i))
    const truth = await referenceVideo(graphs, pictures)
    const run = model.process(pictures.map((frame, i) => ({ ...frame, timestampMs: time(i) })))
    const all: DepthFrame[] = []
    for await (const frame of run) all.push(frame)
    t.same(
      all.map(({ index, timestampMs }) => [index, timestampMs]),
      truth.map((_, i) => [i, time(i)]),
      `${count} frames`,
    )
    t.match(run.summary, { framesIn: count, framesEncoded: count })
    const errors = truth.map((map, i) => relativeError(all[i]?.data, map))
    t.ok(Math.max(...errors) <= tolerance, `${count} frames: largest error ${Math.max(...errors).toExponential(1)}`)
    // Two frames in each other's place would be seen.
    const steps = truth.slice(1).map((map, i) => relativeError(truth[i], map))
    t.notOk(steps.some((step) => step < 10 * tolerance))
  }
  await model.close()
})

const cases = await readNpz(fixture('tiny_cases.npz'))

const forms: Readonly<Record<string, (frame: Picture) => Picture>> = {
  landscape: (frame) => frame,
  portrait: quarterTurn,
  wide: ({ data, width }) => ({ data: data.subarray(3 * width * 12, 3 * width * 60), width, height: 48 }),
}

/** Counter-clockwise, like numpy.rot90. */
function quarterTurn({ data, width, height }: Picture): Picture {
  const turned = new Uint8Array(data.length)
  for (let y = 0; y < width; y++) {
    for (let x = 0; x < height; x++) {
      const from = 3 * (x * width + (width - 1 - y))
      turned.set(data.subarray(from, from + 3), 3 * (y * height + x))
    }
  }
  return { data: turned, width: height, height: width }
}

/** Every 5th pixel of every 5th row. */
function sampled({ data, width, height }: DepthFrame): number[] {
  const values: number[] = []
  for (let y = 0; y < height; y += 5) for (let x = 0; x < width; x += 5) values.push(data[y * width + x] ?? Number.NaN)
  return values
}

for (const [form, shaped] of Object.entries(forms)) {
  t.test(`${form} frames, at every length of a window's edge, are upstream’s`, async (t) => {
    const model = await VideoDepth.load({ checkpoint: fixture('tiny.pth'), inputSize: 70, cacheDir: t.testdir() })
    for (const count of [1, 22, 23, 32, 33, 45, 54]) {
      const all: DepthFrame[] = []
      const pictures = Array.from({ length: count }, (_, i) => shaped(picture(i)))
      for await (const frame of model.process(pictures)) all.push(frame)
      t.equal(all.length, count)
      const truth = array(cases, `${form}_${count}`)
      const indices = numbers(array(cases, `indices_${count}`))
      const found = indices.flatMap((index) => all.slice(index, index + 1).flatMap(sampled))
      const [least = 0, most = 0] = array(cases, `${form}_${count}_range`).data as Float32Array
      const error = largestError(found, truth.data as Float32Array) / (most - least)
      t.ok(error <= tolerance, `${count} frames: largest error ${error.toExponential(1)} of the range`)
    }
    await model.close()
  })
}

t.test('paper stitching differs from upstream’s only from the third window on', async (t) => {
  const [upstream, paper] = [await depths(t, false), await depths(t, false, { stitching: 'paper' })]
  const same = upstream.map(({ data }, i) => data.every((value, p) => value === paper[i]?.data[p]))
  t.ok(same.slice(0, 46).every(Boolean) && same.includes(false))
})
