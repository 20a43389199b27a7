// Owns: tests of a stream as an async iterable and as Web streams, on an engine that computes nothing.
// Must not know: how depth is computed, files.

import { setTimeout as wait } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { EchoEngine, frame, streamOn } from '../support/echo-engine.js'

/** A camera that gives so many frames and then nothing more, until it is closed. */
function silentCamera(count: number) {
  let [given, closed] = [0, false]
  const camera = {
    isClosed: () => closed,
    [Symbol.asyncIterator]: () => ({
      next: () =>
        given < count
          ? Promise.resolve({ done: false as const, value: frame(given++) })
          : new Promise<IteratorReturnResult<undefined>>(() => undefined),
      return: () => {
        closed = true
        return Promise.resolve({ done: true as const, value: undefined })
      },
    }),
  }
  return camera
}

t.test('the async iterable gives every depth, then the error of the frames', async (t) => {
  const stream = streamOn(new EchoEngine())
  async function* camera() {
    for (let i = 0; i < 5; i++) yield frame(i)
    await wait(1)
    throw new Error('unplugged')
  }
  const seen: (number | undefined)[] = []
  await t.rejects(
    (async () => {
      for await (const { data } of stream.depths(camera())) seen.push(data[0])
    })(),
    { message: 'unplugged' },
  )
  t.same(seen, [0, 1, 2, 3, 4])
})

t.test('leaving the loop closes the frames and leaves the stream usable', async (t) => {
  const stream = streamOn(new EchoEngine())
  let closed = false
  function* camera() {
    try {
      for (let i = 0; ; i++) yield frame(i % 200)
    } finally {
      closed = true
    }
  }
  for await (const { index } of stream.depths(camera())) if (index === 3) break
  await wait(5)
  t.ok(closed)
  t.match(await stream.push(frame(9)), { data: { 0: 9 } })
})

t.test("with 'latest' a slow reader gets new frames, not old ones", async (t) => {
  const stream = streamOn(new EchoEngine(), { queue: 'latest' })
  let end: () => void = () => undefined
  const ended = new Promise<void>((resolve) => (end = resolve))
  async function* camera() {
    for (let i = 0; i < 40; i++) {
      yield frame(i)
      await wait(1)
    }
    end()
  }
  const seen: number[] = []
  for await (const { data } of stream.depths(camera())) {
    seen.push(data[0] ?? -1)
    await ended
  }
  t.ok(seen.length < 5, `${seen.length} of 40 frames`)
  t.equal(seen.at(-1), 39, 'the last one is never dropped')
  const { framesIn, framesOut, dropped } = stream.stats
  t.same([framesIn, framesOut + dropped], [40, 40])
})

t.test('the Web streams: everything in order, and errors go through', async (t) => {
  const stream = streamOn(new EchoEngine())
  const camera = ReadableStream.from([0, 1, 2, 3].map((value) => frame(value)))
  const seen: number[] = []
  for await (const { data } of camera.pipeThrough(stream.transform())) seen.push(data[0] ?? -1)
  t.same(seen, [0, 1, 2, 3])

  const bad = ReadableStream.from([frame(1), { ...frame(2), data: new Uint8Array(1) }])
  const reader = bad.pipeThrough(stream.transform()).getReader()
  t.match(await reader.read(), { value: { data: { 0: 1 } } })
  await t.rejects(reader.read(), { code: 'FRAME_INVALID' })

  const cancelled = ReadableStream.from([0, 1, 2, 3, 4, 5, 6].map((value) => frame(value)))
  for await (const depth of cancelled.pipeThrough(stream.transform())) if (depth.data[0] === 1) break
  t.match(await stream.push(frame(77)), { data: { 0: 77 } })
})

t.test('a reader of Web streams that never reads holds nobody else up', async (t) => {
  const engine = new EchoEngine()
  const [unread, other] = [streamOn(engine), streamOn(engine)]
  const pair = unread.transform()
  const writing = ReadableStream.from([1, 2, 3, 4].map((value) => frame(value))).pipeTo(pair.writable)
  writing.catch(() => undefined)
  t.match(await other.push(frame(5)), { data: { 0: 5 } })
  t.equal(engine.order.length, 1, 'nothing is computed that nobody asked for')
  await pair.readable.cancel()
})

t.test('closing, aborting and leaving end a loop that waits for a silent camera', async (t) => {
  const engine = new EchoEngine()
  const controller = new AbortController()
  const reason = new Error('enough')
  const closed = streamOn(engine)
  const aborted = streamOn(engine, { signal: controller.signal })
  const cameras = [silentCamera(1), silentCamera(1)] as const
  const loops = [closed, aborted].map(async (stream, i) => {
    for await (const { data } of stream.depths(cameras[i] ?? [])) t.equal(data[0], 0)
  })
  await wait(20)
  await closed.close()
  controller.abort(reason)
  await t.rejects(loops[0] ?? Promise.resolve(), { code: 'CLOSED' })
  await t.rejects(loops[1] ?? Promise.resolve(), reason)

  const left = streamOn(engine)
  const camera = silentCamera(1)
  const depths = left.depths(camera)
  await depths.next()
  const waiting = depths.next()
  await wait(5)
  await depths.return?.()
  t.same(await waiting, { done: true, value: undefined })
  await wait(5)
  t.same(
    [...cameras, camera].map((each) => each.isClosed()),
    [true, true, true],
  )
})

t.test("with 'latest' frames that are there at once leave others their turn", async (t) => {
  const stream = streamOn(new EchoEngine(), { queue: 'latest' })
  function* endless() {
    for (let i = 0; ; i++) yield frame(i & 127)
  }
  let ticks = 0
  const timer = setInterval(() => ticks++, 1)
  const seen: number[] = []
  for await (const { index } of stream.depths(endless())) {
    seen.push(index)
    await wait(2)
    // On a busy machine there may be no more than one turn between two reads, and nothing to drop.
    if (index > seen.length || seen.length === 1000) break
  }
  clearInterval(timer)
  t.ok(ticks > 0)
  t.ok((seen.at(-1) ?? 0) > seen.length, 'and some are dropped')
})

t.test('an engine error ends both Web streams, and the camera is told', async (t) => {
  const engine = new EchoEngine()
  engine.failAt = 1
  const stream = streamOn(engine)
  let cancelled: unknown
  let next = 0
  const camera = new ReadableStream({
    pull: (controller) => controller.enqueue(frame(next++)),
    cancel: (reason) => {
      cancelled = reason
    },
  })
  const pair = stream.transform()
  const piping = camera.pipeTo(pair.writable)
  const piped = t.rejects(piping, { code: 'ENGINE_FAILED' })
  const reader = pair.readable.getReader()
  t.match(await reader.read(), { value: { data: { 0: 0 } } })
  await t.rejects(reader.read(), { code: 'ENGINE_FAILED' })
  await piped
  t.match(cancelled, { code: 'ENGINE_FAILED' })
})

t.test('closing the stream, cancelling the reader and aborting the writer end Web streams at once', async (t) => {
  const engine = new EchoEngine()
  const silent = () => new ReadableStream({ pull: () => new Promise<void>(() => undefined) })
  const stream = streamOn(engine)
  const pair = stream.transform()
  const piped = t.rejects(silent().pipeTo(pair.writable), { code: 'CLOSED' })
  const read = t.rejects(pair.readable.getReader().read(), { code: 'CLOSED' })
  await wait(5)
  await stream.close()
  await Promise.all([piped, read])

  const other = streamOn(engine)
  const cancelled = other.transform()
  const stopped = t.rejects(silent().pipeTo(cancelled.writable), { message: 'no more' })
  await cancelled.readable.cancel(new Error('no more'))
  await stopped

  const aborted = other.transform()
  const writer = aborted.writable.getWriter()
  void writer.write(frame(1)).catch(() => undefined)
  const blocked = t.rejects(writer.write(frame(2)))
  await wait(5)
  await writer.abort(new Error('gone'))
  await blocked
  await t.rejects(aborted.readable.getReader().read(), { message: 'gone' })
  t.match(await other.push(frame(9)), { data: { 0: 9 } }, 'the stream itself goes on')
})

t.test('Web streams of a stream that has ended say so', async (t) => {
  const stream = streamOn(new EchoEngine())
  await stream.close()
  const { readable, writable } = stream.transform()
  await t.rejects(readable.getReader().read(), { code: 'CLOSED' })
  await t.rejects(writable.getWriter().write(frame(1)), { code: 'CLOSED' })
})

t.test('frames that have been computed are not kept', async (t) => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const stream = streamOn(new EchoEngine())
  const [rows, bytes] = [1000, 1_000_000]
  async function* camera() {
    for (let i = 0; i < 100; i++) {
      yield { data: new Uint8Array(bytes), width: rows, height: rows, pixelFormat: 'gray8' as const }
      await wait(1)
    }
  }
  // What goes is given back by a thread of V8's, in its own time: what a leak keeps never goes.
  const settled = async (limit: number) => {
    for (let attempt = 0; attempt < 100; attempt++) {
      collect()
      if (process.memoryUsage().arrayBuffers < limit) return true
      await wait(100)
    }
    return false
  }
  let frames = 0
  for await (const { index } of stream.depths(camera())) {
    frames++
    // A frame, its copy and its depth of 4 MB are under way; all frames until here would be 180 MB.
    if (index === 89) t.ok(await settled(40 * bytes), `${process.memoryUsage().arrayBuffers} bytes are held`)
  }
  t.equal(frames, 100)
})
