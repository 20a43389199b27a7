// Owns: tests of a stream's order, queue, drops, resets, fairness and end, on an engine that computes nothing.
// Must not know: how depth is computed, files.

import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { checkStreamOptions } from '../../dist/esm/stream/stream-options.js'
import type { StreamFrame } from '../../dist/esm/stream/stream-frame.js'
import { EchoEngine, frame, height, streamOn, width } from '../support/echo-engine.js'

t.test('one frame in, one depth map out, in order, with its timings', async (t) => {
  const engine = new EchoEngine()
  const stream = streamOn(engine)
  const data = new Uint8Array(width * height * 3).fill(7)
  const pushed = stream.push({ data, width, height, timestampMs: 40 })
  data.fill(99) // the caller may reuse it at once
  const depth = await pushed
  t.match(depth, { index: 0, timestampMs: 40, width, height, kind: 'disparity', dropped: 0 })
  t.same([...(depth?.data ?? [])], new Array(8).fill(7))
  t.same(depth?.scene, { index: 0, cut: false, contentScore: undefined })
  const timings = depth?.timings
  t.match(timings, { preprocessMs: 0.01, inferMs: 0.02, postMs: 0.005 })
  const { queuedMs = NaN, totalMs = NaN } = timings ?? {}
  t.ok(queuedMs > 0 && Math.abs(queuedMs + 0.035 - totalMs) < 1e-9, 'the parts sum up to the whole')
  const all = await Promise.all([8, 9, 10].map((value) => stream.push(frame(value))))
  t.same(
    all.map((d) => [d?.index, d?.data[0]]),
    [
      [1, 8],
      [2, 9],
      [3, 10],
    ],
  )
  t.ok((all[2]?.latency?.p99 ?? 0) >= (all[2]?.latency?.p50 ?? Infinity), 'percentiles are running')
  t.match(stream.stats, { framesIn: 4, framesOut: 4, dropped: 0, scenes: 1 })
  await stream.close()
  t.equal(engine.open, 0)
})

t.test("'latest' computes the newest frame, and the dropped ones resolve as undefined", async (t) => {
  const engine = new EchoEngine()
  engine.hold()
  const stream = streamOn(engine, { queue: 'latest' })
  const pushed = [1, 2, 3, 4].map((value) => stream.push(frame(value)))
  await wait(5)
  engine.release()
  const depths = await Promise.all(pushed)
  t.same(
    depths.map((d) => d?.data[0]),
    [1, undefined, undefined, 4],
    'the first was under way, 2 and 3 waited',
  )
  t.match(stream.stats, { framesIn: 4, framesOut: 2, dropped: 2 })
  t.equal(depths[3]?.dropped, 2)
})

t.test("'all' has a bound, and says so", async (t) => {
  const engine = new EchoEngine()
  engine.hold()
  const stream = streamOn(engine, { queueLimit: 2 })
  const pushed = [1, 2, 3].map((value) => stream.push(frame(value)))
  await t.rejects(stream.push(frame(4)), { code: 'QUEUE_FULL', message: /2 frames are waiting/ })
  engine.release()
  t.same(
    (await Promise.all(pushed)).map((d) => d?.data[0]),
    [1, 2, 3],
    'nothing that was taken in is lost',
  )
})

t.test('a reset begins anew with the next frame, which may have another size', async (t) => {
  const engine = new EchoEngine()
  const stream = streamOn(engine)
  await stream.push(frame(1))
  await stream.push(frame(2))
  await t.rejects(stream.push(frame(3, { width: 6 })), {
    code: 'FRAME_SIZE_CHANGED',
    message: 'Expected frames of 4×2, received 6×2; call reset() before frames of another size',
  })
  stream.reset()
  const depth = await stream.push(frame(4, { width: 6 }))
  t.match(depth, { index: 3, width: 6, scene: { index: 1, cut: true } }, 'the refused frame counts')
  await stream.push(frame(5, { width: 6, discontinuity: true }))
  t.same(engine.order, [
    [1, true],
    [2, false],
    [4, true],
    [5, true],
  ])
  t.equal(stream.stats.scenes, 3)
  t.equal(engine.open, 1, 'the old size is let go')
})

t.test('a dropped frame passes its reset on to the one that takes its place', async (t) => {
  const engine = new EchoEngine()
  const stream = streamOn(engine, { queue: 'latest' })
  await stream.push(frame(1))
  engine.hold()
  const running = stream.push(frame(2))
  await wait(5)
  stream.reset()
  const dropped = stream.push(frame(3))
  const taken = stream.push(frame(4))
  engine.release()
  t.same([(await running)?.data[0], await dropped, (await taken)?.data[0]], [2, undefined, 4])
  t.same(engine.order.at(-1), [4, true])
})

t.test('a frame that fails is not remembered, and the next one goes on', async (t) => {
  const engine = new EchoEngine()
  const stream = streamOn(engine)
  await stream.push(frame(1))
  engine.failAt = 2
  engine.nonFiniteAt = 3
  await t.rejects(stream.push(frame(2)), { code: 'ENGINE_FAILED' })
  await t.rejects(stream.push(frame(3)), { code: 'DEPTH_NOT_FINITE', message: /3 values .* frame 2/ })
  await t.rejects(stream.push({ data: new Uint8Array(5), width, height }), {
    code: 'FRAME_INVALID',
    message: 'Frame 3: Expected 24 bytes (4×2 rgb24) for data, received Uint8Array of 5 bytes',
  })
  t.match(await stream.push(frame(5)), { index: 4, scene: { index: 0 } })
})

t.test('streams of one engine take turns, however much one of them asks', async (t) => {
  const engine = new EchoEngine()
  engine.hold()
  const [greedy, modest] = [streamOn(engine), streamOn(engine)]
  const many = Array.from({ length: 10 }, (_, i) => greedy.push(frame(i)))
  const few = Array.from({ length: 3 }, (_, i) => modest.push(frame(100 + i)))
  await wait(5)
  engine.release()
  await Promise.all([...many, ...few])
  const turns = engine.order.map(([value]) => (value >= 100 ? 'modest' : 'greedy'))
  t.same(turns.slice(0, 6), ['greedy', 'modest', 'greedy', 'modest', 'greedy', 'modest'])
})

t.test('close rejects what waits, also through the adapters', async (t) => {
  const engine = new EchoEngine()
  engine.hold()
  const stream = streamOn(engine)
  const pushed = [1, 2].map((value) => stream.push(frame(value)))
  const looping = (async () => {
    for await (const depth of stream.depths([frame(3)])) t.fail(`got ${depth.index}`)
  })()
  const rejected = [...pushed, looping].map((promise: Promise<unknown>) => t.rejects(promise, { code: 'CLOSED' }))
  await wait(5)
  await stream.close()
  await Promise.all(rejected)
  await stream.close()
  await t.rejects(stream.push(frame(1)), { code: 'CLOSED', message: 'The stream was closed' })
  await t.rejects(stream.snapshot(), { code: 'CLOSED' })
  engine.release()
})

t.test('an aborted signal closes with its reason', async (t) => {
  const engine = new EchoEngine()
  engine.hold()
  const controller = new AbortController()
  const stream = streamOn(engine, { signal: controller.signal })
  const reason = new Error('enough')
  const rejected = t.rejects(stream.push(frame(1)), reason)
  await wait(5)
  controller.abort(reason)
  await rejected
  await t.rejects(stream.push(frame(1)), reason)
  engine.release()
})

t.test('options are checked', (t) => {
  const bad: readonly [object, RegExp][] = [
    [{ queue: 'newest' }, /Expected one of all, latest for queue, received "newest"/],
    [{ queueLimit: 0 }, /queueLimit/],
    [{ stabilize: 1 }, /stabilize/],
    [{ sceneCuts: { threshold: 0 } }, /threshold/],
    [{ sceneCuts: { minLength: 0.5 } }, /minLength/],
    [{ sceneCuts: { treshold: 3 } }, /only threshold, minLength/],
    [{ fps: 30 }, /only queue/],
    [{ queue: 'latest', queueLimit: 3 }, /queueLimit has no effect with queue 'latest'/],
  ]
  for (const [options, message] of bad)
    t.throws(() => checkStreamOptions(options, false), { code: 'INVALID_OPTION', message })
  t.throws(() => checkStreamOptions({ stabilize: true }, true), { message: /metric/ })
  t.end()
})

t.test('resets, snapshots and restores keep the order in which they were asked for', async (t) => {
  const engine = new EchoEngine()
  const stream = streamOn(engine)
  for (const value of [1, 2]) await stream.push(frame(value))
  const bytes = await stream.snapshot()
  stream.reset()
  await t.rejects(stream.snapshot(), { code: 'SNAPSHOT_MISMATCH' }, 'after a reset there is nothing to go on from')
  await stream.restore(bytes)
  await stream.push(frame(3))
  t.same(engine.order.at(-1), [3, false], 'a reset before a restore does not undo it')
  stream.reset()
  await stream.prepare(6, height)
  t.match(await stream.push(frame(4, { width: 6 })), { width: 6 }, 'another size may be prepared after a reset')

  const latest = streamOn(engine, { queue: 'latest' })
  await latest.push(frame(1))
  engine.hold()
  const running = latest.push(frame(2))
  await wait(5)
  const dropped = latest.push(frame(3, { discontinuity: true }))
  const restored = latest.restore(bytes)
  const last = latest.push(frame(4))
  engine.release()
  t.same([(await running)?.data[0], await dropped], [2, undefined])
  await restored
  await last
  t.same(engine.order.at(-1), [4, false], 'a dropped reset stays before the restore')
})

t.test('a frame that is refused leaves its discontinuity to the next one', async (t) => {
  const engine = new EchoEngine()
  const stream = streamOn(engine, { queueLimit: 1 })
  await stream.push(frame(1))
  await t.rejects(stream.push({ ...frame(2), data: new Uint8Array(1), discontinuity: true }), { code: 'FRAME_INVALID' })
  await stream.push(frame(3))
  t.same(engine.order.at(-1), [3, true])
  engine.hold()
  const held = [stream.push(frame(4)), stream.push(frame(5))]
  await wait(5)
  await t.rejects(stream.push(frame(6, { discontinuity: true })), { code: 'QUEUE_FULL' })
  engine.release()
  await Promise.all(held)
  await stream.push(frame(7))
  t.same(engine.order.at(-1), [7, true])
})

t.test('indices are those of the frames that came, times never go back', async (t) => {
  const engine = new EchoEngine()
  const stream = streamOn(engine, { queue: 'latest' })
  engine.hold()
  const pushed = [1, 2, 3, 4].map((value) => stream.push(frame(value)))
  await wait(5)
  engine.release()
  t.same(
    (await Promise.all(pushed)).map((depth) => depth?.index),
    [0, undefined, undefined, 3],
  )
  const bytes = await stream.snapshot()
  const restored = stream.restore(bytes)
  const after = stream.push(frame(5))
  await restored
  const depth = await after
  t.equal(depth?.index, 4)
  t.ok((depth?.timestampMs ?? -1) >= 0)
})

t.test('what a frame may not be', async (t) => {
  const stream = streamOn(new EchoEngine())
  const bad: readonly [object, RegExp][] = [
    [frame(1, { timestampMs: NaN }), /Frame 0: Expected a finite number of milliseconds for timestampMs, received NaN/],
    [{ ...frame(1), discontinuity: 'no' }, /Frame 1: Expected true or false for discontinuity, received "no"/],
    [{}, /Frame 2: .* for width/],
  ]
  for (const [wrong, message] of bad)
    await t.rejects(stream.push(wrong as StreamFrame), { code: 'FRAME_INVALID', message })
  await t.rejects(stream.push(undefined as unknown as StreamFrame), { code: 'FRAME_INVALID' })
  t.throws(() => stream.depths(undefined as unknown as StreamFrame[]), { code: 'INVALID_OPTION', message: /iterable/ })
  for (const sides of [[0, 2], [1.5, 2], [NaN, 1], [1e9, 1], []] as [number, number][])
    await t.rejects(stream.prepare(...sides), { code: 'INVALID_OPTION', message: /pixels from 1 to 32768 for width/ })
})

t.test('frames that waited for the network to be loaded do not count into the percentiles', async (t) => {
  const engine = new EchoEngine()
  const open = engine.openStream.bind(engine)
  engine.openStream = async (geometry) => {
    await wait(200)
    return open(geometry)
  }
  const stream = streamOn(engine)
  await Promise.all([1, 2, 3].map((value) => stream.push(frame(value))))
  t.equal(stream.stats.latency, undefined)
  await stream.push(frame(4))
  const { p99 = NaN } = stream.stats.latency ?? {}
  t.ok(p99 > 0 && p99 < 200)
})
