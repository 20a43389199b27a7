// Owns: tests of how plans are compared with float32, which arithmetic is chosen, and what is remembered of that.
// Must not know: how plans are kept (tensorrt-plans.test.ts), what runs on them (tensorrt-engine.test.ts).

import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import type { Choice } from '../../dist/esm/engine/tensorrt/choice-record.js'
import { ladder } from '../../dist/esm/engine/tensorrt/ladder.js'
import { tinyTensors, writeSafetensors } from '../support/checkpoint-files.js'
import { FakeGpu, nativeError } from '../support/gpu-fake.js'
import {
  clip,
  depthsOf,
  loadOn,
  prepared,
  streamed,
  streamOn,
  tinyPth,
  videoOn,
  windows,
} from '../support/gpu-engine.js'

t.setTimeout(300_000)

/** Weights, graphs, plans and references of a first load, copied for each test. */
const first = t.testdir()
await prepared(new FakeGpu(tinyPth, first))

function copied(t: Test): FakeGpu {
  const cacheDir = path.join(t.testdir(), 'cache')
  cpSync(first, cacheDir, { recursive: true })
  return new FakeGpu(tinyPth, cacheDir)
}

const planFiles = ({ cacheDir }: FakeGpu): string[] =>
  readdirSync(path.join(cacheDir, 'plans')).filter((name) => name.endsWith('.plan'))

function choiceOf({ cacheDir }: FakeGpu): Choice {
  const folder = path.join(cacheDir, 'plans')
  const names = readdirSync(folder).filter((name) => name.startsWith('choice-'))
  if (names.length !== 1) throw new Error(`${names.length} choices`)
  return JSON.parse(readFileSync(path.join(folder, names[0] ?? ''), 'utf8')) as Choice
}

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

t.test('what could not be built is tried again, what was measured wrong is not', async (t) => {
  const gpu = new FakeGpu(tinyPth, t.testdir())
  gpu.buildErrors.push(nativeError('PLAN_FAILED', 'the machine was busy'))
  gpu.wrong.push(true) // fp32-accumulate
  const third = ladder[2]?.name
  t.match(await prepared(gpu), {
    variant: third,
    rejected: [
      { variant: 'fp16', cause: 'build', reason: 'the machine was busy' },
      { variant: 'fp32-accumulate', cause: 'check' },
    ],
  })
  const failing = new FakeGpu(tinyPth, gpu.cacheDir)
  failing.buildErrors.push(nativeError('PLAN_FAILED', 'the machine was busy'))
  const again = await prepared(failing)
  t.match(again, { variant: third, origin: 'cache' })
  t.same(
    again.rejected.map(({ variant, cause }) => [variant, cause]),
    [
      ['fp16', 'build'],
      ['fp32-accumulate', 'check'],
    ],
    'each once',
  )
  t.equal(failing.builds.length, 1)
  t.match(await prepared(new FakeGpu(tinyPth, gpu.cacheDir)), { variant: 'fp16', rejected: [] })
  t.match(choiceOf(gpu), { variant: 'fp16', rejected: [] })
})

t.test('plans that failed their check are not kept, those shared with what passed are', async (t) => {
  const gpu = new FakeGpu(tinyPth, t.testdir())
  gpu.wrong.push(true, true)
  t.match(await prepared(gpu), { variant: ladder[2]?.name })
  t.same(planFiles(gpu).sort(), [...choiceOf(gpu).files].sort())
  t.ok(gpu.builds.length < 9, 'what rungs share is built once')
  const none = new FakeGpu(tinyPth, path.join(gpu.cacheDir, 'none'))
  none.wrong.push(...new Array<boolean>(ladder.length).fill(true))
  await t.rejects(prepared(none), { code: 'PLAN_FAILED' })
  t.same(planFiles(none), [])
})

t.test("a network that fails in float32 is not the plans' fault", async (t) => {
  const tensors = await tinyTensors()
  for (const { values } of tensors.values()) values.fill(1e30)
  const folder = t.testdir()
  const file = path.join(folder, 'huge.safetensors')
  await writeSafetensors(file, tensors)
  const gpu = new FakeGpu(file, folder)
  const failure = { code: 'DEPTH_NOT_FINITE', message: /in float32 on the processor\. The checkpoint is damaged/ }
  await t.rejects(prepared(gpu), failure)
  t.same(
    readdirSync(path.join(folder, 'plans')).filter((name) => name.includes('.reference')),
    [],
  )
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

t.test('a suspect set is not used again after its last user, and the record says so once', async (t) => {
  const gpu = copied(t)
  const engine = await loadOn(gpu)
  const held = await engine.openSession(windows)
  gpu.nonFiniteNext = 5
  await t.rejects(depthsOf(videoOn(engine, clip(0, 1))), { code: 'DEPTH_NOT_FINITE' })
  await (await engine.openSession(windows)).close()
  t.match(engine.info.plans, [{ variant: 'fp16' }], 'while there is a user')
  await held.close()
  await depthsOf(videoOn(engine, clip(0, 1)))
  const rejected = [{ variant: 'fp16', cause: 'run', reason: '5 values of a window were not finite' }]
  t.match(engine.info.plans, [{ variant: 'fp32-accumulate', rejected }])
  await engine.close()
  const { suspect, ...choice } = choiceOf(gpu)
  t.equal(suspect, undefined)
  t.same(choice.rejected, rejected)
  t.match(await prepared(new FakeGpu(tinyPth, gpu.cacheDir)), { variant: 'fp32-accumulate', rejected })
  t.same(choiceOf(gpu).rejected, rejected)
})

t.test('a suspicion is of the variant that ran, not of what another process has chosen since', async (t) => {
  const gpu = copied(t)
  const [one, other] = [await loadOn(gpu), await loadOn(new FakeGpu(tinyPth, gpu.cacheDir))]
  const sessions = [await one.openSession(windows), await other.openSession(windows)]
  gpu.nonFiniteNext = 5
  await t.rejects(depthsOf(videoOn(one, clip(0, 1))), { code: 'DEPTH_NOT_FINITE' })
  const next = new FakeGpu(tinyPth, gpu.cacheDir)
  t.match(await prepared(next), { variant: 'fp32-accumulate' })
  gpu.nonFiniteNext = 6
  await t.rejects(depthsOf(videoOn(one, clip(0, 1))), { code: 'DEPTH_NOT_FINITE' })
  t.match(choiceOf(gpu), { variant: 'fp32-accumulate', suspect: undefined })
  for (const session of sessions) await session.close()
  await one.close()
  await other.close()
})

t.test('at the last rung there is nothing to take instead', async (t) => {
  const gpu = copied(t)
  gpu.wrong.push(...new Array<boolean>(ladder.length - 1).fill(true))
  gpu.tensorRt = '10.8.0'
  const engine = await loadOn(gpu)
  await depthsOf(videoOn(engine, clip(0, 1)))
  gpu.nonFiniteNext = 5
  await t.rejects(depthsOf(videoOn(engine, clip(0, 1))), {
    code: 'DEPTH_NOT_FINITE',
    message: /The checkpoint is damaged, or does not belong to this network\.$/,
  })
  await engine.close()
  const next = Object.assign(new FakeGpu(tinyPth, gpu.cacheDir), { tensorRt: '10.8.0' })
  const info = await prepared(next)
  t.match(info, { variant: 'fp32', origin: 'cache' })
  t.equal(info.rejected.length, ladder.length - 1)
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
