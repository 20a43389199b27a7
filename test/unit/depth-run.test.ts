// Owns: tests of a run's order, counts, errors and clean-up, on an engine that computes nothing.
// Must not know: how depth is computed, files.

import t, { type Test } from 'tap'
import { DepthRun, type DepthRunOptions } from '../../dist/esm/video/run.js'
import type { Engine, EngineSession, SessionGeometry, WindowDepth } from '../../dist/esm/engine/engine.js'
import type { DepthFrame, RgbFrame } from '../../dist/esm/base/frame.js'
import type { FrameSource } from '../../dist/esm/io/sources/source.js'
import type { StitchStep } from '../../dist/esm/native/types.js'
import { windowStrategy } from '../../dist/esm/plan/strategy.js'
import { EchoEngine } from '../support/echo-engine.js'

const width = 4
const height = 3

interface EchoDepth extends WindowDepth {
  readonly maps: readonly (Float32Array | null)[]
}

/** Keeps each frame's first byte as its feature and gives it back as depth, so that order shows. */
class EchoSession implements EngineSession {
  readonly geometry: SessionGeometry
  readonly timings = { preprocess: 0, encode: 0, temporalHead: 0, depthDecoder: 0, stitch: 0 }
  readonly slots = new Map<number, number>()
  readonly encodedFrames: number[] = []
  closed = false
  /** Windows that begin anew, by their running number. */
  readonly #anewAt: readonly number[]
  #windows = 0
  #held: Float32Array[] = []

  constructor(geometry: SessionGeometry, anewAt: readonly number[]) {
    this.geometry = geometry
    this.#anewAt = anewAt
  }

  encode(frame: RgbFrame, slot: number): Promise<void> {
    this.slots.set(slot, frame.timestampMs)
    this.encodedFrames.push(frame.timestampMs)
    return Promise.resolve()
  }

  decode(slots: readonly number[], wanted: readonly number[]): Promise<EchoDepth> {
    const maps = slots.map((slot, position) =>
      wanted.includes(position) ? Float32Array.of(this.slots.get(slot) ?? Number.NaN) : null,
    )
    return Promise.resolve({ backend: 'cpu', maps })
  }

  stitch(depth: WindowDepth, { append, hold }: StitchStep) {
    const { maps } = depth as EchoDepth
    const all = [...this.#held, ...maps.slice(append.slot, append.slot + append.count)]
    const out = all.slice(0, all.length - hold)
    this.#held = all.slice(all.length - hold).filter((map) => map !== null)
    const frames = out.map((map) => map ?? Float32Array.of(Number.NaN))
    const anew = this.#anewAt.includes(this.#windows++)
    const fit = { scale: 1, shift: 0, degenerate: anew, anew, leftOut: anew ? 2 : 0 }
    return Promise.resolve({ frames, ...fit, nonFinite: 0, flat: 0 })
  }

  close(): Promise<void> {
    this.closed = true
    return Promise.resolve()
  }
}

interface SourceTrouble {
  readonly failAt?: number
  readonly resizeAt?: number
}

function source(count: number, { failAt, resizeAt }: SourceTrouble = {}): FrameSource & { closed: boolean } {
  async function* frames(): AsyncGenerator<RgbFrame> {
    for (let i = 0; i < count; i++) {
      await Promise.resolve()
      if (i === failAt) throw new Error('broken here')
      const size = { width: i === resizeAt ? width + 1 : width, height }
      yield { ...size, data: new Uint8Array(size.width * size.height * 3), timestampMs: i }
    }
  }
  const info = { name: 'test', width, height, frameRate: 24, frameCount: count, frameCountExact: true }
  return {
    info,
    closed: false,
    [Symbol.asyncIterator]: frames,
    close() {
      this.closed = true
      return Promise.resolve()
    },
  }
}

function start(from: ReturnType<typeof source>, options: Partial<DepthRunOptions> = {}, anewAt: number[] = []) {
  let session: EchoSession | undefined
  const engine: Engine = Object.assign(new EchoEngine(), {
    openSession: (geometry: SessionGeometry) => {
      session = new EchoSession(geometry, anewAt)
      return Promise.resolve(session)
    },
  })
  const run = new DepthRun(
    { engine, kind: 'disparity', inputSize: () => ({ width: 14, height: 14 }) },
    { strategy: windowStrategy(), openSource: () => Promise.resolve(from), ...options },
  )
  return { run, session: () => session }
}

async function collect(t: Test, run: DepthRun): Promise<{ indices: number[]; error: unknown }> {
  const indices: number[] = []
  try {
    for await (const frame of run) {
      if (frame.data[0] !== frame.index || frame.timestampMs !== frame.index)
        t.fail(`frame ${frame.index} is another`, frame)
      indices.push(frame.index)
    }
    return { indices, error: undefined }
  } catch (error) {
    return { indices, error }
  }
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

for (const count of [1, 2, 22, 23, 25, 26, 31, 32, 33, 44, 45, 54, 200]) {
  t.test(`${count} frames in, ${count} out, each encoded once`, async (t) => {
    const from = source(count)
    const { run, session } = start(from)
    t.same(await collect(t, run), { indices: upTo(count), error: undefined })
    t.same(session()?.encodedFrames, upTo(count))
    t.match(run.summary, { framesIn: count, framesOut: count, framesEncoded: count })
    t.ok(session()?.closed && from.closed, 'session and source are closed')
  })
}

t.test('windows that begin anew are scenes of their own, from the first frame that they give', async (t) => {
  for (const [stitching, starts] of [
    ['upstream', [25, 69]],
    ['overlap-align', [32, 80]],
  ] as const) {
    const from = source(100)
    const { run } = start(from, { strategy: windowStrategy(stitching) }, [1, 3])
    const scenes: DepthFrame['scene'][] = []
    const reasons = new Set<string | undefined>()
    for await (const { scene, aligned } of run) {
      scenes.push(scene)
      reasons.add(aligned.reason)
    }
    t.same(
      scenes.flatMap(({ cut }, i) => (cut ? [i] : [])),
      starts,
    )
    t.same(
      scenes.map(({ index }) => index),
      scenes.map((_, i) => starts.filter((start) => start <= i).length),
    )
    t.same([...reasons], [undefined, 'no-content'])
    t.match(run.summary, { begunAnew: starts, scenes: 3, degenerateWindows: 2 })
  }
})

t.test('a source that fails gives what came, then its error', async (t) => {
  for (const failAt of [1, 25, 32, 40]) {
    const { indices, error } = await collect(t, start(source(60, { failAt })).run)
    t.same(indices, upTo(failAt))
    t.match(error, { message: 'broken here' })
  }
})

t.test('a source that fails at once gives its error', async (t) => {
  const { indices, error } = await collect(t, start(source(60, { failAt: 0 })).run)
  t.same(indices, [])
  t.match(error, { message: 'broken here' })
})

t.test('no frames', async (t) => {
  const { error } = await collect(t, start(source(0)).run)
  t.match(error, { code: 'SOURCE_EMPTY', message: 'test has no frames' })
})

t.test('a frame of another size ends the video there', async (t) => {
  const { indices, error } = await collect(t, start(source(60, { resizeAt: 37 })).run)
  t.same(indices, upTo(37))
  t.match(error, { code: 'FRAME_SIZE_CHANGED', message: 'Expected every frame to be 4×3, received 5×3 at frame 37' })
})

t.test('leaving the loop closes everything', async (t) => {
  const from = source(200)
  const { run, session } = start(from)
  for await (const frame of run) if (frame.index === 30) break
  t.ok(session()?.closed && from.closed)
  t.same(await run.next(), { done: true, value: undefined })
})

t.test('a slow reader stops the source: one window is read ahead at most', async (t) => {
  const { run, session } = start(source(500))
  await run.next()
  for (let i = 0; i < 100; i++) await new Promise((resolve) => setImmediate(resolve))
  t.equal(session()?.encodedFrames.length, 32 + 22)
  await run.return()
})

t.test('abort rejects with its reason and closes everything', async (t) => {
  const abort = new AbortController()
  const from = source(200)
  const { run, session } = start(from, { signal: abort.signal })
  const reason = new Error('enough')
  const seen: DepthFrame[] = []
  await t.rejects(async () => {
    for await (const frame of run) {
      seen.push(frame)
      if (frame.index === 40) abort.abort(reason)
    }
  }, reason)
  t.equal(seen.length, 41)
  t.ok(session()?.closed && from.closed)
})

t.test('a signal that was aborted before opens nothing', async (t) => {
  const { run, session } = start(source(10), { signal: AbortSignal.abort(new Error('never')) })
  await t.rejects(run.next(), { message: 'never' })
  t.equal(session(), undefined)
})

t.test('progress counts up', async (t) => {
  const seen: number[] = []
  const { run } = start(source(40), {
    onProgress: ({ framesEncoded, framesOut }) => seen.push(framesEncoded + framesOut),
  })
  await collect(t, run)
  t.equal(Math.max(...seen), 80)
})

t.test('abort and return do not wait for a source that is stuck', async (t) => {
  const stuck = { ...source(0), [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) }
  const abort = new AbortController()
  const { run } = start(stuck, { signal: abort.signal })
  const next = run.next()
  setImmediate(() => abort.abort(new Error('enough')))
  await t.rejects(next, { message: 'enough' })
  const other = start(stuck).run
  const pending = other.next()
  setImmediate(() => void other.return())
  await t.rejects(pending, { code: 'CLOSED' })
})

t.test('what opens after the run was ended is closed again', async (t) => {
  const late = source(3)
  let opened: (value: typeof late) => void = () => undefined
  const { run, session } = start(late, { openSource: () => new Promise((resolve) => (opened = resolve)) })
  const next = run.next()
  setImmediate(() => void run.return())
  await t.rejects(next, { code: 'CLOSED' })
  opened(late)
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(late.closed, true)
  t.equal(session(), undefined)
})
