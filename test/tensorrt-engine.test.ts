// Owns: tests of the TensorRT engine's videos and streams on a fake GPU that computes on the CPU engine: the same depth as
// there, failures, the end.
// Must not know: plans' caches and checks (tensorrt-plans.test.ts), batching's rules (tensorrt-batcher.test.ts).

import t from 'tap'
import { CpuEngine } from '#lib/engine/cpu.js'
import { rgbPicture } from '#lib/pixel-format.js'
import { planStep } from '#lib/stream/step-plan.js'
import { largestError } from './support/compare.js'
import { FakeGpu, nativeError } from './support/gpu-fake.js'
import { clip, depthsOf, loadOn, streamed, streamOn, streams, tinyPth, videoOn, windows } from './support/gpu-engine.js'
import { tinyFrame } from './support/tiny-video.js'

t.setTimeout(300_000)

/** Plans are built once for all tests of this file. */
const cacheDir = t.testdir()
const newGpu = (): FakeGpu => new FakeGpu(tinyPth, cacheDir)
const cpu = (): Promise<CpuEngine> => CpuEngine.load({ checkpoint: tinyPth, cacheDir, precision: 'fp32', threads: 1 })
const same = (a: readonly Float32Array[], b: readonly Float32Array[]): boolean =>
  a.length === b.length && a.length > 0 && a.every((map, i) => largestError(map, b[i]) === 0)

t.test('a video of several windows is that of the CPU engine, bit for bit', async (t) => {
  const gpu = newGpu()
  const engine = await loadOn(gpu)
  const reference = await cpu()
  const run = videoOn(engine, clip(0, 58))
  const expected = await depthsOf(videoOn(reference, clip(0, 58)))
  t.ok(same(await depthsOf(run), expected))
  t.match(run.summary, { framesIn: 58, framesOut: 58, windows: 3, flatMaps: 0 })
  t.ok(run.summary.seconds.encode > 0 && run.summary.seconds.stitch > 0, 'seconds, from device milliseconds')
  t.ok(run.summary.seconds.encode < 60)
  t.same({ ...gpu.open_ }, { engines: 1, windows: 0, streams: 0, plans: 3 }, 'the session is gone, its plans are kept')
  t.match(engine.info, {
    backend: 'tensorrt',
    precision: 'fp16',
    fallback: undefined,
    gpu: { tensorRt: '10.9.0', device: 0, name: 'Fake GPU', computeCapability: '9.0' },
    plans: [
      {
        use: 'windows',
        inputWidth: 56,
        inputHeight: 28,
        variant: 'fp16',
        origin: 'built',
        check: { cosine: 1, nonFinite: 0 },
      },
    ],
  })
  await engine.close()
  await reference.close()
  t.equal(gpu.open_.engines, 0)
})

t.test('two videos at once share plans and nothing else', async (t) => {
  const gpu = newGpu()
  const engine = await loadOn(gpu)
  const [first, second] = [() => clip(0, 40), () => clip(10, 50)]
  const alone = [await depthsOf(videoOn(engine, first())), await depthsOf(videoOn(engine, second()))]
  const together = await Promise.all([depthsOf(videoOn(engine, first())), depthsOf(videoOn(engine, second()))])
  t.ok(together.every((maps, i) => same(maps, alone[i] ?? [])))
  t.equal(gpu.open_.plans, 3)
  await engine.close()
})

t.test('streams are those of the CPU engine, stabilized ones too', async (t) => {
  const engine = await loadOn(newGpu())
  const reference = await cpu()
  for (const stabilize of [false, true]) {
    const found = await streamed(streamOn(engine, { stabilize }), clip(0, 45))
    const expected = await streamed(streamOn(reference, { stabilize }), clip(0, 45))
    t.ok(
      same(
        found.map(({ data }) => data),
        expected.map(({ data }) => data),
      ),
      `stabilize ${stabilize}`,
    )
    t.same(
      found.map(({ stabilization }) => stabilization),
      expected.map(({ stabilization }) => stabilization),
    )
    const scales = new Set(found.map(({ stabilization }) => stabilization?.scale))
    t.equal(scales.size > 3, stabilize, `${scales.size} different scales`)
  }
  await engine.close()
  await reference.close()
})

t.test('a stabilized stream begins anew after a reset, and goes on from a snapshot', async (t) => {
  const engine = await loadOn(newGpu())
  const reference = await cpu()
  const both = await Promise.all(
    [engine, reference].map(async (one) => {
      const stream = streamOn(one, { stabilize: true })
      const before = await streamed(stream, clip(0, 36))
      const other = streamOn(one, { stabilize: true })
      await other.restore(await stream.snapshot())
      const after = await streamed(other, clip(36, 40))
      stream.reset()
      const anew = await streamed(stream, clip(0, 35))
      return [...before, ...after, ...anew]
    }),
  )
  const [found = [], expected = []] = both.map((depths) =>
    depths.map(({ data, stabilization }) => ({ data, stabilization })),
  )
  t.ok(
    same(
      found.map(({ data }) => data),
      expected.map(({ data }) => data),
    ),
  )
  t.same(
    found.map((one) => one.stabilization),
    expected.map((one) => one.stabilization),
  )
  await engine.close()
  await reference.close()
})

t.test('several streams go together, and each is what it is alone', async (t) => {
  const gpu = newGpu()
  const engine = await loadOn(gpu, { streamBatch: 2, batchDelayMs: 20 })
  const starts = [0, 5, 9]
  const alone: Float32Array[][] = []
  for (const start of starts) alone.push(await depthsOf(streamOn(engine).depths(clip(start, start + 6))))
  await Promise.all(
    starts.map((start) =>
      streamOn(engine)
        .prepare(128, 72)
        .then(() => start),
    ),
  ) // seats, left open
  gpu.steps.length = 0
  const open = starts.map(() => streamOn(engine))
  await Promise.all(open.map((stream) => stream.prepare(128, 72)))
  const together = await Promise.all(
    open.map((stream, i) => depthsOf(stream.depths(clip(starts[i] ?? 0, (starts[i] ?? 0) + 6)))),
  )
  t.ok(together.every((maps, i) => same(maps, alone[i] ?? [])))
  t.ok(
    gpu.steps.some((rows) => rows.length === 2),
    'two frames in one call',
  )
  t.equal(gpu.open_.streams > 1, true, 'a further room where the first is full')
  await Promise.all(open.map((stream) => stream.close()))
  await engine.close()
})

t.test('states do not go between engines, nor between arithmetics', async (t) => {
  const engine = await loadOn(newGpu())
  const reference = await cpu()
  const [ours, theirs] = [streamOn(engine), streamOn(reference)]
  await streamed(ours, clip(0, 2))
  await streamed(theirs, clip(0, 2))
  t.not(engine.id, reference.id)
  const another = { code: 'SNAPSHOT_MISMATCH', message: /another network \(.*tensorrt\)/ }
  await t.rejects(theirs.restore(await ours.snapshot()), another)
  await t.rejects(ours.restore(await theirs.snapshot()), { code: 'SNAPSHOT_MISMATCH', message: /another network/ })
  const stream = await engine.openStream(streams)
  const state = await stream.exportState()
  t.equal(state.variant, 'fp16')
  await t.rejects(stream.importState({ ...state, variant: 'fp32' }), {
    code: 'SNAPSHOT_MISMATCH',
    message: "The state is of fp32 arithmetic, this stream's is fp16",
  })
  const short = state.memory.slice(4)
  await t.rejects(stream.importState({ ...state, memory: short }), { message: /of another size/ })
  await stream.importState(state)
  const cpuStream = await reference.openStream(streams)
  await t.rejects(cpuStream.importState(state), { code: 'SNAPSHOT_MISMATCH' })
  await engine.close()
  await reference.close()
})

t.test('a failure that lasts ends the engine, and no other one', async (t) => {
  const gpu = newGpu()
  const [engine, other] = [await loadOn(gpu), await loadOn(newGpu())]
  const session = await engine.openSession(windows)
  gpu.failNext.set('decode', nativeError('GPU_FAILED', 'temporal head: an illegal memory access', true))
  const message =
    'The GPU reported an error: temporal head: an illegal memory access. The engine is lost: load the model again'
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

t.test('a failure that does not last ends one call', async (t) => {
  const gpu = newGpu()
  const engine = await loadOn(gpu)
  const stream = streamOn(engine)
  await streamed(stream, clip(0, 2))
  gpu.failNext.set('step', nativeError('GPU_FAILED', 'copying a frame', false))
  await t.rejects(stream.push(tinyFrame(2)), {
    code: 'GPU_FAILED',
    message: 'The GPU reported an error: copying a frame',
  })
  t.equal((await stream.push(tinyFrame(3)))?.index, 3)
  gpu.failNext.set('finish', nativeError('GPU_FAILED', 'writing a frame', false))
  const stable = streamOn(engine, { stabilize: true })
  await t.rejects(stable.push(tinyFrame(0)), { message: /writing a frame/ })
  t.equal((await stable.push(tinyFrame(1)))?.index, 1, 'the next one is again a first one')
  gpu.failNext.set('finish', nativeError('GPU_FAILED', 'writing a frame', false))
  await t.rejects(stable.push(tinyFrame(2)), { message: /writing a frame/ })
  await t.rejects(
    stable.push(tinyFrame(3)),
    { message: /writing a frame/ },
    'what was remembered is not what was given',
  )
  stable.reset()
  t.equal((await stable.push(tinyFrame(4)))?.index, 4)
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

t.test('flat maps are counted', async (t) => {
  const engine = await loadOn(newGpu())
  const session = await engine.openSession(windows)
  for (let slot = 0; slot < 32; slot++) await session.encode({ ...tinyFrame(slot), timestampMs: 0 }, slot)
  const slots = Array.from({ length: 32 }, (_, i) => i)
  const depth = await session.decode(slots, slots)
  Object.assign(depth, { found: { nonFinite: 0, flat: [3, 4] } })
  const step = {
    align: [],
    blend: { slot: 0, count: 0 },
    append: { slot: 0, count: 32 },
    remember: [],
    forget: [],
    hold: 0,
  }
  t.match(await session.stitch(depth, step), { flat: 2, nonFinite: 0 })
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

function pictureOf(index: number) {
  const { data, width, height } = tinyFrame(index)
  return { ...rgbPicture({ data, width, height, timestampMs: 0 }), data }
}
