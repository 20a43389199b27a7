// Owns: tests of the TensorRT engine's videos and streams on a fake GPU that computes on the CPU engine: the same depth as
// there.
// Must not know: failures (tensorrt-failures.test.ts), plans' caches and checks, batching's rules.

import t from 'tap'
import { CpuEngine } from '../../dist/esm/engine/cpu/cpu-engine.js'
import { largestError } from '../support/compare.js'
import { FakeGpu } from '../support/gpu-fake.js'
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
  const other = { code: 'SNAPSHOT_MISMATCH', message: /other kernels or precision \(.*tensorrt\)/ }
  await t.rejects(theirs.restore(await ours.snapshot()), other)
  await t.rejects(ours.restore(await theirs.snapshot()), { code: 'SNAPSHOT_MISMATCH', message: /other kernels/ })
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
