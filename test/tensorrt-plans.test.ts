// Owns: tests of plans: what is built, kept, trusted, checked, given up.
// Must not know: what runs on them (tensorrt-engine.test.ts).

import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import { compareMaps, whyWrong } from '#lib/engine/tensorrt/compare-maps.js'
import { ladder, ladderStart } from '#lib/engine/tensorrt/ladder.js'
import { graphRequests, windowBatch, type WindowSpec } from '#lib/engine/tensorrt/plan-spec.js'
import type { LoadProgress } from '#lib/engine/engine.js'
import { tinyTensors, writeSafetensors } from './support/checkpoint-files.js'
import { fakeDevice, FakeGpu, nativeError } from './support/gpu-fake.js'
import { clip, depthsOf, loadOn, streamed, streamOn, streams, tinyPth, videoOn, windows } from './support/gpu-engine.js'

t.setTimeout(300_000)

/** Weights, graphs, plans and references of a first load, copied for each test. */
const first = t.testdir()
const built = new FakeGpu(tinyPth, first)
await prepared(built)

async function prepared(gpu: FakeGpu, options: Parameters<typeof loadOn>[1] = {}) {
  const engine = await loadOn(gpu, options)
  try {
    await (await engine.openSession(windows)).close()
    const [info] = engine.info.plans
    if (info === undefined) throw new Error('no plans')
    return info
  } finally {
    await engine.close()
  }
}

function copied(t: Test): FakeGpu {
  const cacheDir = path.join(t.testdir(), 'cache')
  cpSync(first, cacheDir, { recursive: true })
  return new FakeGpu(tinyPth, cacheDir)
}

const planDir = ({ cacheDir }: FakeGpu): string => path.join(cacheDir, 'plans')
const plansOf = (gpu: FakeGpu, ending = '.plan'): string[] =>
  readdirSync(planDir(gpu))
    .filter((name) => name.endsWith(ending))
    .map((name) => path.join(planDir(gpu), name))
const leftovers = (gpu: FakeGpu): string[] => readdirSync(planDir(gpu)).filter((name) => name.startsWith('.tmp-'))

t.test('plans are built once, with all that they depend on beside them', async (t) => {
  t.equal(built.builds.length, 3)
  t.same(
    built.builds.map((file) => path.basename(file).split('.')[0]),
    ['encoder', 'temporal-head', 'depth-decoder'],
  )
  const records = plansOf(built, '.plan.json').map((file) => JSON.parse(readFileSync(file, 'utf8')) as object)
  t.equal(records.length, 3)
  for (const record of records) {
    t.match(record, {
      key: {
        tensorRt: '10.9.0',
        gpu: 'Fake GPU',
        computeCapability: '9.0',
        cuda: '13.0',
        graphSha256: /^[0-9a-f]{64}$/,
        weights: /^[0-9a-f]{64}\.v\d+\.fp16$/,
        shapes: {},
        options: { optimizationLevel: 3, tf32: false },
      },
      bytes: Number,
      sha256: /^[0-9a-f]{64}$/,
      builtAt: /^\d{4}-/,
      buildSeconds: Number,
    })
  }
  const again = copied(t)
  t.match(await prepared(again), { origin: 'cache', variant: 'fp16', check: { cosine: 1 } })
  t.same(again.builds, [])
})

t.test('a check is not repeated for the plans that it was of', async (t) => {
  const gpu = copied(t)
  gpu.wrong.push(true) // would fail
  const reference = (): never => t.fail('a reference was asked for') as never
  t.match(await prepared(gpu, { reference }), { origin: 'cache', variant: 'fp16' })
})

t.test('other GPU, other TensorRT, other CUDA, other checkpoint: other plans', async (t) => {
  const others: readonly ((gpu: FakeGpu) => FakeGpu)[] = [
    (gpu) => Object.assign(gpu, { device: { ...fakeDevice, name: 'Another GPU' } }),
    (gpu) => Object.assign(gpu, { device: { ...fakeDevice, computeCapability: '8.6' } }),
    (gpu) => Object.assign(gpu, { tensorRt: '11.2.0' }),
    (gpu) => Object.assign(gpu, { compiled: { cuda: '13.1', tensorRt: ['11.1.0'] } }),
  ]
  const gpu = copied(t)
  for (const [i, change] of others.entries()) {
    const other = change(new FakeGpu(tinyPth, gpu.cacheDir))
    t.match(await prepared(other), { origin: 'built' }, `change ${i}`)
    t.equal(other.builds.length, 3)
  }
  t.equal(plansOf(gpu).length, 15)
  t.match(await prepared(new FakeGpu(tinyPth, gpu.cacheDir)), { origin: 'cache' }, 'the first ones are still there')
  const tensors = await tinyTensors()
  const bias = tensors.get('pretrained.norm.bias')
  if (bias !== undefined) bias.values[0] = (bias.values[0] ?? 0) + 0.5
  const file = path.join(gpu.cacheDir, 'other.safetensors')
  await writeSafetensors(file, tensors)
  t.match(await prepared(new FakeGpu(file, gpu.cacheDir)), { origin: 'built' })
})

t.test('a plan that is damaged, cut short, half written or without its record is built again', async (t) => {
  const damages: readonly ((file: string) => void)[] = [
    (file) => {
      const bytes = readFileSync(file)
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
      writeFileSync(file, bytes)
    },
    (file) => truncateSync(file, 100),
    (file) => rmSync(file),
    (file) => rmSync(`${file}.json`),
    (file) => writeFileSync(`${file}.json`, '{'),
    (file) => writeFileSync(`${file}.json`, '{"keyVersion":1}'),
  ]
  for (const [i, damage] of damages.entries()) {
    const gpu = copied(t)
    damage(plansOf(gpu)[i % 3] ?? '')
    t.match(await prepared(gpu), { origin: 'built', variant: 'fp16' }, `damage ${i}`)
    t.equal(gpu.builds.length, 1, 'and no other')
    t.match(await prepared(new FakeGpu(tinyPth, gpu.cacheDir)), { origin: 'cache' })
  }
})

t.test('what an interrupted write left is neither read nor kept', async (t) => {
  const gpu = copied(t)
  const [plan = ''] = plansOf(gpu)
  rmSync(plan)
  const half = path.join(planDir(gpu), `.tmp-${path.basename(plan)}-1-abc`)
  writeFileSync(half, 'half')
  utimesSync(half, 0, 0)
  t.match(await prepared(gpu), { origin: 'built' })
  t.same(leftovers(gpu), [])
})

t.test('a plan that the library refuses is built again', async (t) => {
  const gpu = copied(t)
  gpu.failNext.set('loadPlan', nativeError('PLAN_FAILED', 'serialized by another version'))
  t.match(await prepared(gpu), { origin: 'built' })
  t.equal(gpu.builds.length, 1)
})

t.test('an abort cancels the build and leaves nothing of it', async (t) => {
  const gpu = new FakeGpu(tinyPth, t.testdir())
  gpu.holdBuilds = true
  const abort = new AbortController()
  const phases: LoadProgress[] = []
  const onProgress = (report: LoadProgress): void => {
    phases.push(report)
    if (report.phase === 'plans') setTimeout(() => abort.abort(new Error('enough')), 10)
  }
  const engine = await loadOn(gpu, { onProgress })
  await t.rejects(engine.openSession(windows, abort.signal), { message: 'enough' })
  t.match(phases.at(-1), { phase: 'plans', detail: 'fp16, plan 1 of 3 (encoder, 11 frames): Building' })
  gpu.holdBuilds = false
  t.equal(gpu.open_.plans, 0)
  t.equal((await depthsOf(videoOn(engine, clip(0, 2)))).length, 2, 'the engine goes on')
  t.same(leftovers(gpu), [])
  await t.rejects(engine.openStream(streams, AbortSignal.abort(new Error('before'))), { message: 'before' })
  await engine.close()
})

t.test('a callback that throws ends the build', async (t) => {
  const gpu = new FakeGpu(tinyPth, t.testdir())
  const engine = await loadOn(gpu, {
    onProgress: ({ phase }) => {
      if (phase === 'plans') throw new Error('mine')
    },
  })
  await t.rejects(engine.openSession(windows), { message: 'mine' })
  t.equal(gpu.open_.plans, 0)
  await engine.close()
})

t.test('closing the engine ends a build', async (t) => {
  const gpu = new FakeGpu(tinyPth, t.testdir())
  gpu.holdBuilds = true
  const engine = await loadOn(gpu)
  const opening = t.rejects(engine.openSession(windows), { code: 'CLOSED' })
  while (gpu.builds.length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
  await engine.close()
  await opening
})

t.test('each rung that fails its check gives way to the next one, and the choice is kept', async (t) => {
  for (let failing = 1; failing < ladder.length; failing++) {
    const cacheDir = path.join(t.testdir(), String(failing))
    mkdirSync(cacheDir, { recursive: true })
    const gpu = new FakeGpu(tinyPth, cacheDir)
    gpu.wrong.push(...new Array<boolean>(failing).fill(true))
    const info = await prepared(gpu)
    t.equal(info.variant, ladder[failing]?.name)
    t.same(
      info.rejected.map(({ variant }) => variant),
      ladder.slice(0, failing).map(({ name }) => name),
    )
    for (const { reason } of info.rejected)
      t.match(reason, /^self-check failed: .*relative error .*at most 0.01 wanted/)
    const again = await prepared(new FakeGpu(tinyPth, cacheDir))
    t.match(again, { variant: info.variant, origin: 'cache', rejected: info.rejected })
  }
})

t.test('where nothing agrees with float32, the error says what was tried', async (t) => {
  const gpu = new FakeGpu(tinyPth, t.testdir())
  gpu.wrong.push(...new Array<boolean>(ladder.length).fill(true))
  await t.rejects(prepared(gpu), {
    code: 'PLAN_FAILED',
    message:
      /^No plan of TensorRT 10\.9\.0 agrees with float32.* fp16: self-check failed: .* fp32: self-check failed: .* Use backend cpu/,
  })
  t.same({ ...gpu.open_ }, { engines: 0, windows: 0, streams: 0, plans: 0 })
})

t.test('a rung that cannot be built gives way too; other failures do not', async (t) => {
  const gpu = new FakeGpu(tinyPth, t.testdir())
  gpu.buildErrors.push(undefined, nativeError('PLAN_FAILED', 'no implementation for attention'))
  t.match(await prepared(gpu), {
    variant: 'fp32-accumulate',
    rejected: [{ variant: 'fp16', reason: 'no implementation for attention' }],
  })
  const full = new FakeGpu(tinyPth, path.join(gpu.cacheDir, 'full'))
  full.buildErrors.push(nativeError('GPU_OUT_OF_MEMORY', 'building a plan'))
  await t.rejects(prepared(full), { code: 'GPU_OUT_OF_MEMORY' })
  t.equal(full.builds.length, 1)
})

t.test('precision fp32 is the last rung alone', async (t) => {
  const gpu = copied(t)
  t.match(await prepared(gpu, { precision: 'fp32' }), { variant: 'fp32', rejected: [] })
  const other = new FakeGpu(tinyPth, path.join(gpu.cacheDir, 'other'))
  other.wrong.push(true)
  await t.rejects(prepared(other, { precision: 'fp32' }), { code: 'PLAN_FAILED', message: /fp32: self-check failed/ })
})

t.test('weights that FP16 cannot hold: FP32, unless FP16 was asked for', async (t) => {
  const tensors = await tinyTensors()
  const weight = tensors.get('pretrained.blocks.0.mlp.fc1.weight')
  if (weight !== undefined) weight.values[0] = 70_000
  const folder = t.testdir()
  const file = path.join(folder, 'large.safetensors')
  await writeSafetensors(file, tensors)
  const gpu = new FakeGpu(file, folder)
  await t.rejects(loadOn(gpu, { precision: 'fp16' }), { code: 'WEIGHTS_NOT_FINITE', message: /use precision fp32/ })
  t.equal(gpu.open_.engines, 0)
  const info = await prepared(gpu)
  t.match(info, { variant: 'fp32', rejected: [{ variant: 'fp16', reason: /does not fit float16/ }] })
})

t.test('suspect plans: the next load begins one rung later, and that is kept too', async (t) => {
  const gpu = copied(t)
  const engine = await loadOn(gpu)
  gpu.nonFiniteNext = 0
  await depthsOf(videoOn(engine, clip(0, 1)))
  gpu.nonFiniteNext = 5
  await t.rejects(depthsOf(videoOn(engine, clip(0, 1))), { code: 'DEPTH_NOT_FINITE' })
  await engine.close()
  const next = await prepared(new FakeGpu(tinyPth, gpu.cacheDir))
  t.match(next, {
    variant: 'fp32-accumulate',
    rejected: [{ variant: 'fp16', reason: '5 values of a window were not finite' }],
  })
  t.match(await prepared(new FakeGpu(tinyPth, gpu.cacheDir)), { variant: 'fp32-accumulate', origin: 'cache' })
})

t.test('plans of streams are checked in every batch', async (t) => {
  const gpu = copied(t)
  const engine = await loadOn(gpu, { streamBatch: 4 })
  gpu.wrong.push(true)
  await streamed(streamOn(engine), clip(0, 2))
  t.match(engine.info.plans, [{ use: 'streams', variant: 'fp32-accumulate', rejected: [{ variant: 'fp16' }] }])
  t.same(
    [1, 2, 4].map((batch) => gpu.steps.some((rows) => rows.length === batch)),
    [true, true, true],
  )
  await engine.close()
})

t.test('a size that nobody uses goes when another one comes', async (t) => {
  const gpu = copied(t)
  const engine = await loadOn(gpu)
  await (await engine.openSession(windows)).close()
  t.equal(gpu.open_.plans, 3)
  const session = await engine.openSession({ ...windows, inputWidth: 28 })
  t.equal(gpu.open_.plans, 3, 'the first ones were released')
  await (await engine.openSession(windows)).close()
  t.equal(gpu.open_.plans, 6, 'those in use are not')
  await session.close()
  await engine.close()
})

t.test('known bad versions', (t) => {
  t.match(ladderStart('fp16', '10.6.0', '9.0'), { index: 0, rejected: [] })
  t.match(ladderStart('fp16', '10.3.0', '8.6'), {
    index: ladder.length - 1,
    rejected: [
      { variant: 'fp16', reason: 'TensorRT 10.3.0 is known to give wrong FP16 results for networks of this kind' },
    ],
  })
  t.equal(ladderStart('fp16', '10.4.0', '8.6').index, ladder.length - 1)
  t.equal(ladderStart('fp16', '10.30.0', '8.6').index, 0)
  t.equal(ladder[ladderStart('fp16', '10.16.1', '12.0').index]?.trunk.variant.attention, 'unfused')
  t.equal(ladderStart('fp16', '10.16.0', '12.0').index, 0)
  t.equal(ladderStart('fp16', '10.16.1', '9.0').index, 0)
  t.equal(ladderStart('fp32', '10.3.0', '9.0').rejected.length, 0)
  t.end()
})

t.test('batches of windows divide the new frames', (t) => {
  t.same([16, 32, 48].map(windowBatch), [5, 11, 17])
  const spec: WindowSpec = { use: 'windows', inputWidth: 518, inputHeight: 280, windowLength: 32 }
  const [rung] = ladder
  t.match(rung && graphRequests(spec, rung).map(({ shape }) => shape), [
    { rows: 20, cols: 37, encoderBatch: 11 },
    { rows: 20, cols: 37, windowLength: 32 },
    { rows: 20, cols: 37, decoderBatch: 11 },
  ])
  t.end()
})

t.test('figures of the self-check', (t) => {
  const reference = Float32Array.from({ length: 100 }, (_, i) => 1 + i)
  const same = compareMaps([reference], [reference])
  t.same(same, { cosine: 1, relativeError: 0, largestError: 0, nonFinite: 0 })
  t.equal(whyWrong(same), '')
  const scaled = reference.map((value) => value * 1.005)
  t.equal(whyWrong(compareMaps([scaled], [reference])), '', 'half a percent')
  t.match(
    whyWrong(compareMaps([reference, reference.map((value) => value * 1.02)], [reference, reference])),
    /relative error 2\.0e-2/,
  )
  const broken = reference.slice()
  broken[3] = Number.NaN
  t.equal(whyWrong(compareMaps([broken], [reference])), '1 values are not finite')
  t.match(whyWrong(compareMaps([new Float32Array(100)], [reference])), /cosine NaN/)
  t.throws(() => compareMaps([reference.subarray(1)], [reference]))
  t.end()
})
