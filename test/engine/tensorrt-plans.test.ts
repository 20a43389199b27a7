// Owns: tests of plans: what is built, kept, trusted, given up.
// Must not know: how they are checked (tensorrt-checks.test.ts), what runs on them (tensorrt-engine.test.ts).

import {
  chmodSync,
  chownSync,
  cpSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  statSync,
} from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import type { LoadProgress } from '../../dist/esm/engine/engine.js'
import { tinyTensors, writeSafetensors } from '../support/checkpoint-files.js'
import { fakeDevice, FakeGpu, nativeError } from '../support/gpu-fake.js'
import { clip, depthsOf, loadOn, prepared, streams, tinyPth, videoOn, windows } from '../support/gpu-engine.js'

t.setTimeout(300_000)

/** Weights, graphs, plans and references of a first load, copied for each test. */
const first = t.testdir()
const built = new FakeGpu(tinyPth, first)
await prepared(built)

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
        tensorRtBuild: 34,
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
    (gpu) => Object.assign(gpu, { tensorRtBuild: 35 }),
    (gpu) => Object.assign(gpu, { compiled: { cuda: '13.1', tensorRt: ['11.1.0'] } }),
  ]
  const gpu = copied(t)
  for (const [i, change] of others.entries()) {
    const other = change(new FakeGpu(tinyPth, gpu.cacheDir))
    t.match(await prepared(other), { origin: 'built' }, `change ${i}`)
    t.equal(other.builds.length, 3)
  }
  t.equal(plansOf(gpu).length, 18)
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

t.test(
  'what others may have written is not loaded',
  { skip: process.getuid === undefined && 'no users' },
  async (t) => {
    const gpu = copied(t)
    t.equal(statSync(planDir(gpu)).mode & 0o022, 0)
    chmodSync(plansOf(gpu)[0] ?? '', 0o666)
    t.match(await prepared(gpu), { origin: 'built', variant: 'fp16' })
    t.equal(gpu.builds.length, 1, 'that plan alone')
    const record = new FakeGpu(tinyPth, gpu.cacheDir)
    chmodSync(plansOf(gpu, '.plan.json')[1] ?? '', 0o620)
    t.match(await prepared(record), { origin: 'built' })
    t.equal(record.builds.length, 1)
    chmodSync(planDir(gpu), 0o777)
    const folder = new FakeGpu(tinyPth, gpu.cacheDir)
    t.match(await prepared(folder), { origin: 'built' })
    t.equal(folder.builds.length, 1, 'with the first one the folder is ours alone again')
    t.match(await prepared(new FakeGpu(tinyPth, gpu.cacheDir)), { origin: 'cache' })
  },
)

const isRoot = process.getuid?.() === 0
t.test('a plan of another user is not loaded', { skip: !isRoot && 'only root can give files away' }, async (t) => {
  const gpu = copied(t)
  chownSync(plansOf(gpu)[0] ?? '', 1, 1)
  t.match(await prepared(gpu), { origin: 'built' })
  t.equal(gpu.builds.length, 1)
  chownSync(planDir(gpu), 1, 1)
  const folder = new FakeGpu(tinyPth, gpu.cacheDir)
  t.match(await prepared(folder), { origin: 'built' })
  t.equal(folder.builds.length, 3)
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

t.test('closing the engine waits for what prepares', async (t) => {
  const gpu = copied(t)
  rmSync(planDir(gpu), { recursive: true })
  let hasEnded = false
  let begin: () => void = () => undefined
  const begun = new Promise<void>((resolve) => (begin = resolve))
  const engine = await loadOn(gpu, {
    reference: async (_, { signal }) => {
      begin()
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      await new Promise((resolve) => setTimeout(resolve, 50))
      hasEnded = true
      throw new Error('ended')
    },
  })
  const opening = t.rejects(engine.openSession(windows), { code: 'CLOSED' })
  await begun
  const closing = engine.close()
  await opening
  t.equal(hasEnded, false, 'who asked is told at once')
  await closing
  t.equal(hasEnded, true)
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
