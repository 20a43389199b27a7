// Owns: tests of what becomes of the TensorRT engine, its videos and its streams when the GPU fails, on a close and on an abort.
// Must not know: what they compute (tensorrt-engine.test.ts), plans (tensorrt-plans.test.ts).

import t from 'tap'
import { rgbPicture } from '../../dist/esm/base/pixel-format.js'
import { planStep } from '../../dist/esm/plan/step-plan.js'
import { FakeGpu, nativeError } from '../support/gpu-fake.js'
import {
  clip,
  depthsOf,
  loadOn,
  streamed,
  streamOn,
  streams,
  tinyPth,
  videoOn,
  windows,
} from '../support/gpu-engine.js'
import { tinyFrame } from '../support/tiny-video.js'

t.setTimeout(300_000)

/** Plans are built once for all tests of this file. */
const cacheDir = t.testdir()
const newGpu = (): FakeGpu => new FakeGpu(tinyPth, cacheDir)

t.test('a failure that lasts ends the engine, and no other one', async (t) => {
  const gpu = newGpu()
  const [engine, other] = [await loadOn(gpu), await loadOn(newGpu())]
  const session = await engine.openSession(windows)
  gpu.failNext.set('decode', nativeError('GPU_FAILED', 'temporal head: an illegal memory access', true))
  const message =
    'The GPU reported an error: temporal head: an illegal memory access. No GPU work is possible in this process any more: restart it'
  await session.encode({ ...tinyFrame(0), timestampMs: 0 }, 0)
  const failure = { code: 'GPU_FAILED', message }
  await t.rejects(session.decode(new Array<number>(32).fill(0), [0]), failure)
  await t.rejects(session.decode(new Array<number>(32).fill(0), [0]), failure)
  await t.rejects(session.encode({ ...tinyFrame(0), timestampMs: 0 }, 1), failure)
  await t.rejects(engine.openSession(windows), failure)
  await t.rejects(engine.openStream(streams), failure)
  t.equal((await depthsOf(videoOn(other, clip(0, 3)))).length, 3, 'the other engine goes on')
  await engine.close()
  await other.close()
  t.equal(gpu.open_.engines, 0)
})

t.test('a failure that does not last ends its streams until they begin anew', async (t) => {
  const gpu = newGpu()
  const engine = await loadOn(gpu)
  const stream = streamOn(engine)
  await streamed(stream, clip(0, 2))
  gpu.failNext.set('step', nativeError('GPU_FAILED', 'copying a frame', false))
  const failure = { code: 'GPU_FAILED', message: 'The GPU reported an error: copying a frame' }
  await t.rejects(stream.push(tinyFrame(2)), failure)
  t.equal(gpu.open_.streams, 0, 'the room is closed')
  await t.rejects(stream.push(tinyFrame(3)), failure)
  await t.rejects(stream.snapshot(), failure)
  stream.reset()
  t.equal((await stream.push(tinyFrame(4)))?.index, 4)
  gpu.failNext.set('finish', nativeError('GPU_FAILED', 'writing a frame', false))
  const stable = streamOn(engine, { stabilize: true })
  await t.rejects(stable.push(tinyFrame(0)), { message: /writing a frame/ })
  t.equal((await stable.push(tinyFrame(1)))?.index, 1, 'the next one is again a first one')
  const snapshot = await stable.snapshot()
  gpu.failNext.set('finish', nativeError('GPU_OUT_OF_MEMORY', 'writing a frame', false))
  await t.rejects(stable.push(tinyFrame(2)), { code: 'GPU_OUT_OF_MEMORY' })
  await t.rejects(stable.push(tinyFrame(3)), { code: 'GPU_OUT_OF_MEMORY' })
  await stable.restore(snapshot)
  t.ok(await stable.push(tinyFrame(4)), 'a state from outside mends it too')
  await engine.close()
  t.same({ ...gpu.open_ }, { engines: 0, windows: 0, streams: 0, plans: 0 })
})

t.test('a failure in one room: all that are in it, and nobody else', async (t) => {
  const gpu = newGpu()
  const engine = await loadOn(gpu, { streamBatch: 2, batchDelayMs: 0 })
  const all = [streamOn(engine), streamOn(engine), streamOn(engine)] as const
  for (const stream of all) await stream.push(tinyFrame(0))
  t.equal(gpu.open_.streams, 2)
  const [first, second, other] = all
  gpu.failNext.set('step', nativeError('GPU_FAILED', 'enqueue', false))
  await t.rejects(first.push(tinyFrame(1)), { code: 'GPU_FAILED' })
  await t.rejects(second.push(tinyFrame(1)), { code: 'GPU_FAILED' })
  t.ok(await other.push(tinyFrame(1)))
  first.reset()
  second.reset()
  t.ok(await first.push(tinyFrame(2)))
  t.ok(await second.push(tinyFrame(2)))
  t.equal(gpu.open_.streams, 2, 'the free row of the other room, and a new one')
  for (const stream of all) await stream.close()
  t.equal(gpu.open_.streams, 0)
  await engine.close()
})

t.test('what was remembered but not given is not handed on', async (t) => {
  const gpu = newGpu()
  const engine = await loadOn(gpu)
  const stable = streamOn(engine, { stabilize: true })
  await streamed(stable, clip(0, 2))
  gpu.failNext.set('finish', new Error('a failure of another kind'))
  const torn = { code: 'ENGINE_FAILED', message: /a failure of another kind/ }
  await t.rejects(stable.push(tinyFrame(2)), torn)
  await t.rejects(stable.push(tinyFrame(3)), torn)
  await t.rejects(stable.snapshot(), torn)
  stable.reset()
  t.equal((await stable.push(tinyFrame(4)))?.index, 4)
  await engine.close()
})

t.test('a row is given away when the device is done with it', async (t) => {
  const gpu = newGpu()
  const engine = await loadOn(gpu)
  const [first, second] = [await engine.openStream(streams), await engine.openStream(streams)]
  await second.close()
  const { go, held } = gate()
  gpu.waitFor.set('step', held)
  const step = t.rejects(first.step(pictureOf(0), planStep(0)), { code: 'CLOSED' })
  await turns()
  let isClosed = false
  const closing = first.close().then(() => (isClosed = true))
  await step
  await turns()
  t.equal(isClosed, false)
  t.equal(gpu.open_.streams, 1, 'its room is still there')
  go()
  await closing
  t.equal(gpu.open_.streams, 0)
  await engine.close()
})

t.test('an abort while a stream or a session opens on the device', async (t) => {
  const gpu = newGpu()
  const engine = await loadOn(gpu)
  await (await engine.openStream(streams)).close() // plans are there
  await (await engine.openSession(windows)).close()
  for (const call of ['openStreams', 'openWindows']) {
    const { go, held } = gate()
    gpu.waitFor.set(call, held)
    const abort = new AbortController()
    const open = async (signal?: AbortSignal): Promise<{ close(): Promise<void> }> =>
      call === 'openStreams' ? engine.openStream(streams, signal) : engine.openSession(windows, signal)
    const rejected = t.rejects(open(abort.signal), { message: 'enough' })
    await turns()
    abort.abort(new Error('enough'))
    await rejected
    go()
    gpu.waitFor.clear()
    await (await open()).close()
    await turns()
    t.same([gpu.open_.streams, gpu.open_.windows], [0, 0], `${call}: what opened late is closed`)
  }
  await engine.close()
})

t.test('out of memory ends the session, which frees what it has; the engine goes on', async (t) => {
  const gpu = newGpu()
  const engine = await loadOn(gpu)
  const session = await engine.openSession(windows)
  gpu.failNext.set('encode', nativeError('GPU_OUT_OF_MEMORY', 'copying frames to the GPU'))
  const message =
    'The GPU has too little memory left: copying frames to the GPU. Use a smaller inputSize, fewer videos and streams at once, or backend cpu'
  const frame = { ...tinyFrame(0), timestampMs: 0 }
  await t.rejects(session.encode(frame, 0), { code: 'GPU_OUT_OF_MEMORY', message })
  t.equal(gpu.open_.windows, 0)
  await t.rejects(session.encode(frame, 0), { code: 'GPU_OUT_OF_MEMORY', message })
  gpu.failNext.set('openWindows', nativeError('GPU_OUT_OF_MEMORY', 'opening'))
  await t.rejects(engine.openSession(windows), { code: 'GPU_OUT_OF_MEMORY' })
  t.equal((await depthsOf(videoOn(engine, clip(0, 2)))).length, 2)
  await engine.close()
})

t.test('depth that is not finite: the error says the way out', async (t) => {
  const gpu = newGpu()
  gpu.tensorRt = '10.8.0' // plans of its own: they become suspect
  const engine = await loadOn(gpu)
  await depthsOf(videoOn(engine, clip(0, 2)))
  gpu.nonFiniteNext = 7
  await t.rejects(depthsOf(videoOn(engine, clip(0, 3))), {
    code: 'DEPTH_NOT_FINITE',
    message:
      "The network gave 7 values that are not finite in window 0. Load the model with precision 'fp32'; the next load takes slower arithmetic by itself.",
  })
  const stream = streamOn(engine)
  await streamed(stream, clip(0, 2))
  gpu.nonFiniteNext = 3
  await t.rejects(stream.push(tinyFrame(2)), { code: 'DEPTH_NOT_FINITE', message: /3 values .* precision 'fp32'/ })
  t.equal((await stream.push(tinyFrame(3)))?.index, 3)
  await engine.close()
})

t.test('close in mid-flight', async (t) => {
  const gpu = newGpu()
  const engine = await loadOn(gpu)
  let go: () => void = () => undefined
  gpu.waitFor.set('decode', new Promise((resolve) => (go = resolve)))
  const run = videoOn(engine, clip(0, 40))
  const next = run.next()
  const stream = await engine.openStream(streams)
  gpu.waitFor.set('step', new Promise(() => undefined))
  const step = stream.step(pictureOf(0), planStep(0))
  await new Promise((resolve) => setTimeout(resolve, 50))
  const rejected = Promise.all([t.rejects(next, { code: 'CLOSED' }), t.rejects(step, { code: 'CLOSED' })])
  await engine.close()
  await rejected
  go()
  await t.rejects(engine.openSession(windows), { code: 'CLOSED', message: 'The engine was closed' })
  await t.rejects(stream.step(pictureOf(0), planStep(0)), { code: 'CLOSED' })
  await engine.close()
  t.equal(gpu.open_.engines, 0)
})

t.test('an abort of a video leaves the engine usable', async (t) => {
  const gpu = newGpu()
  const engine = await loadOn(gpu)
  const abort = new AbortController()
  let go: () => void = () => undefined
  gpu.waitFor.set('decode', new Promise((resolve) => (go = resolve)))
  const next = videoOn(engine, clip(0, 40), abort.signal).next()
  setTimeout(() => abort.abort(new Error('enough')), 50)
  await t.rejects(next, { message: 'enough' })
  go()
  gpu.waitFor.clear()
  t.equal((await depthsOf(videoOn(engine, clip(0, 2)))).length, 2)
  t.equal(gpu.open_.windows, 0)
  await engine.close()
})

/** Holds what waits for `held` until `go`. */
function gate(): { readonly go: () => void; readonly held: Promise<void> } {
  let go: () => void = () => undefined
  const held = new Promise<void>((resolve) => (go = resolve))
  return { go, held }
}

const turns = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50))

function pictureOf(index: number) {
  const { data, width, height } = tinyFrame(index)
  return { ...rgbPicture({ data, width, height, timestampMs: 0 }), data }
}
