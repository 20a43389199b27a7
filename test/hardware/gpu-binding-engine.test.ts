// Owns: tests of lib's TensorRT engine over the addon's GPU part, on a double of the GPU: both sides keep their contract.
// Must not know: the binding's own rules (gpu-binding*.test.ts), the engine's own (tensorrt-*.test.ts).

import t from 'tap'
import { rgbPicture, type NativePicture } from '../../dist/esm/base/pixel-format.js'
import { planStep, stateSlots } from '../../dist/esm/plan/step-plan.js'
import type { NativeStepEntry } from '../../dist/esm/native/gpu-types.js'
import { largestError } from '../support/compare.js'
import { doubleMissing, openDouble, rejection } from '../support/gpu-double.js'
import { loadOnDouble, modelOf, WatchedGpu } from '../support/gpu-double-engine.js'
import { depthsOf, streamed, streamOn, streams, videoOn } from '../support/gpu-engine.js'
import { tinyFrame, type TinyFrame } from '../support/tiny-video.js'

/** Bright, as the model's depth of dark frames is 0 everywhere. */
function brightFrame(index: number): TinyFrame {
  const frame = tinyFrame(index)
  for (const [i, value] of frame.data.entries()) frame.data[i] = 170 + Math.round(value / 4) + 5 * (index % 3)
  return frame
}

const picture = (index: number): NativePicture & { readonly data: Uint8Array<ArrayBuffer> } => {
  const frame = brightFrame(index)
  return { ...rgbPicture({ ...frame, timestampMs: 0 }), data: frame.data }
}

function* clip(from: number, to: number): Generator<TinyFrame> {
  for (let i = from; i < to; i++) yield brightFrame(i)
}

/** Looks again and again; a test that waits in vain ends by tap's own limit. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve))
}

const near = (a: readonly Float32Array[], b: readonly Float32Array[]): number =>
  a.length === b.length && a.length > 0 ? Math.max(...a.map((map, i) => largestError(map, b[i]))) : Infinity

if (doubleMissing !== false) void t.test('the GPU part on doubles', { skip: doubleMissing }, () => undefined)
else {
  t.setTimeout(280_000)
  /** Graphs are made once for all tests of this file. */
  const cacheDir = t.testdir()

  t.test('a video of three windows: the depth of the model, in order, and the memory back', async (t) => {
    const gpu = new WatchedGpu()
    const engine = await loadOnDouble(gpu, cacheDir)
    const expected = await depthsOf(videoOn(modelOf(engine), clip(0, 58)))
    const run = videoOn(engine, clip(0, 58))
    const indices: number[] = []
    const depths: Float32Array[] = []
    for await (const { index, data } of run) {
      indices.push(index)
      depths.push(data)
    }
    t.same(
      indices,
      Array.from({ length: 58 }, (_, i) => i),
    )
    t.ok(near(depths, expected) < 1e-3, `${near(depths, expected)}`)
    t.match(run.summary, {
      framesIn: 58,
      framesOut: 58,
      framesEncoded: 58,
      windows: 3,
      flatMaps: 0,
      degenerateWindows: 0,
    })
    const free = async (): Promise<number> => (await gpu.natives[0]?.memory())?.free ?? 0
    const after = await free()
    await depthsOf(videoOn(engine, clip(0, 58)))
    t.equal(await free(), after, 'a video leaves nothing on the device')
    await engine.close()
    const next = await openDouble()
    const { free: all, total } = await next.memory()
    t.equal(all, total, 'nor does the engine')
    await next.close()
  })

  t.test('windows are called as the contract says', async (t) => {
    const gpu = new WatchedGpu()
    const engine = await loadOnDouble(gpu, cacheDir)
    await depthsOf(videoOn(engine, clip(0, 58)))
    gpu.calls.length = 0
    const of = (name: string) => gpu.calls.filter((call) => call.of === name)
    // The first stitch ends when the next window's first frame is there, however fast it was.
    gpu.hold = (call) =>
      call === of('stitch')[0] ? until(() => of('encode').some(({ begun }) => begun > call.begun)) : undefined
    await depthsOf(videoOn(engine, clip(0, 58)))
    t.same([of('encode').length, of('decode').length, of('stitch').length], [58, 3, 3])
    for (const name of ['encode', 'decode', 'stitch'])
      t.ok(
        of(name).every(({ begun }, i) => i === 0 || (of(name)[i - 1]?.ended ?? Infinity) < begun),
        `${name}, one by one`,
      )
    for (const [i, { begun, ended }] of of('stitch').entries()) {
      t.ok((of('decode')[i]?.ended ?? Infinity) < begun, 'after its window was decoded')
      t.ok(ended < (of('decode')[i + 1]?.begun ?? Infinity), 'before the next one is')
    }
    const during = of('encode').filter(({ begun }) => of('stitch').some((s) => s.begun < begun && begun < s.ended))
    t.ok(during.length > 0, 'the next window is encoded meanwhile')
    await engine.close()
  })

  t.test('timings are seconds of the device', async (t) => {
    const gpu = new WatchedGpu()
    gpu.extra = 'delay 20'
    const engine = await loadOnDouble(gpu, t.testdir())
    const run = videoOn(engine, clip(0, 58))
    await depthsOf(run)
    const { preprocess, encode, temporalHead, depthDecoder, stitch } = run.summary.seconds
    t.ok(temporalHead >= 3 * 0.02 && temporalHead < 3, `${temporalHead} s for 3 runs of 20 ms`)
    t.ok(encode >= 6 * 0.02 && encode < 6, `${encode} s for 6 runs of 20 ms`)
    t.ok(depthDecoder >= 8 * 0.02 && depthDecoder < 8, `${depthDecoder} s for 8 runs of 20 ms`)
    t.ok(preprocess > 0 && preprocess < 3 && stitch > 0 && stitch < 3)
    const stream = await engine.openStream(streams)
    const result = await stream.step(picture(0), planStep(0))
    t.ok(result.inferMs >= 60 && result.inferMs < 3000, `${result.inferMs} ms for 3 runs of 20 ms`)
    t.ok(result.preprocessMs >= 0 && result.preprocessMs < 1000 && result.postMs >= 0 && result.postMs < 1000)
    await engine.close()
  })

  t.test('a run that is left, or whose engine closes, in mid-flight', async (t) => {
    const gpu = new WatchedGpu()
    const engine = await loadOnDouble(gpu, cacheDir)
    await depthsOf(videoOn(engine, clip(0, 40)))
    const { free } = (await gpu.natives[0]?.memory()) ?? { free: 0 }
    for await (const { index } of videoOn(engine, clip(0, 58))) if (index === 3) break
    t.equal((await gpu.natives[0]?.memory())?.free, free)
    let closing: Promise<void> | undefined
    const running = async (): Promise<never> => {
      for await (const { index } of videoOn(engine, clip(0, 58))) if (index === 3) closing = engine.close()
      throw new Error('carried out')
    }
    t.match(await rejection(running()), { code: 'CLOSED' })
    await closing
  })

  t.test('streams: the depth of the model, stabilized or not', async (t) => {
    const gpu = new WatchedGpu()
    const engine = await loadOnDouble(gpu, cacheDir)
    await (await engine.openStream(streams)).close() // checks the plans
    for (const stabilize of [false, true]) {
      const expected = await streamed(streamOn(modelOf(engine), { stabilize }), clip(0, 45))
      gpu.calls.length = 0
      const found = await streamed(streamOn(engine, { stabilize }), clip(0, 45))
      const [ours, theirs] = [found, expected].map((all) => all.map(({ data }) => data))
      t.equal(found.length, 45)
      t.ok(near(ours ?? [], theirs ?? []) < 1e-2, `${near(ours ?? [], theirs ?? [])}`)
      const entries = gpu.calls
        .filter(({ of }) => of === 'step')
        .map(({ values }) => (values[0] as NativeStepEntry[])[0])
      t.equal(entries.length, 45)
      t.same(
        entries[0]?.write,
        Array.from({ length: stateSlots }, (_, slot) => slot),
        'all slots take the first frame',
      )
      t.ok(entries.every((entry) => entry?.visible.length === stateSlots + 1 && entry.visible.at(-1) === true))
      t.ok(entries.every((entry) => entry?.wantsDepth === !stabilize))
      t.equal(
        entries.findIndex((entry) => entry?.fit === true),
        stabilize ? 32 : -1,
        'held to frame 31',
      )
      const finished = gpu.calls.filter(({ of }) => of === 'finish')
      const kept = finished.findIndex(({ values }) => (values[1] as { keep: boolean }).keep)
      t.same([finished.length, kept], stabilize ? [45, 31] : [0, -1])
    }
    await engine.close()
  })

  t.test('streams that step together are as alone', async (t) => {
    const gpu = new WatchedGpu()
    const engine = await loadOnDouble(gpu, cacheDir, { streamBatch: 2, batchDelayMs: 200 })
    const ranges = [0, 13] as const
    const expected = []
    for (const from of ranges) expected.push(await streamed(streamOn(modelOf(engine)), clip(from, from + 12)))
    gpu.calls.length = 0
    const found = await Promise.all(ranges.map((from) => streamed(streamOn(engine), clip(from, from + 12))))
    for (const [i, all] of found.entries()) {
      const error = near(
        all.map(({ data }) => data),
        expected[i]?.map(({ data }) => data) ?? [],
      )
      t.ok(error < 1e-2, `${error}`)
    }
    const sizes = gpu.calls.filter(({ of }) => of === 'step').map(({ values }) => (values[0] as unknown[]).length)
    t.ok(sizes.filter((size) => size === 2).length >= 6, `together ${sizes.join()}`)
    await engine.close()
  })

  t.test('a place that a stream left in mid-step is free for the next one', async (t) => {
    const gpu = new WatchedGpu()
    gpu.extra = 'delay 100'
    const engine = await loadOnDouble(gpu, t.testdir(), { streamBatch: 2, batchDelayMs: 0 })
    const [staying, leaving] = [await engine.openStream(streams), await engine.openStream(streams)]
    await Promise.all([staying.step(picture(0), planStep(0)), leaving.step(picture(1), planStep(0))])
    const state = await leaving.exportState()
    const torn = rejection(leaving.step(picture(2), planStep(1)))
    await new Promise(setImmediate)
    const closing = leaving.close()
    t.match(await torn, { code: 'CLOSED' })
    await closing
    const next = await engine.openStream(streams)
    await next.importState(state)
    const [a, b] = [await next.step(picture(3), planStep(1)), await staying.step(picture(3), planStep(1))]
    t.equal(a.nonFinite, 0)
    t.ok(largestError(a.depth, b.depth) > 0, 'each has its own memory')
    const memory = gpu.calls.filter(({ of }) => of === 'importState')
    t.equal(memory.length, 1)
    await engine.close()
  })

  t.test('a state that is exported goes on elsewhere, bit for bit', async (t) => {
    const engine = await loadOnDouble(new WatchedGpu(), cacheDir)
    const geometry = { ...streams, stabilized: true }
    const [a, b] = [await engine.openStream(geometry), await engine.openStream(geometry)]
    for (let n = 0; n < 35; n++) await a.step(picture(n), planStep(n))
    const state = await a.exportState()
    t.equal(state.reference?.length, streams.inputWidth * streams.inputHeight)
    await b.importState(state)
    for (let n = 35; n < 38; n++) {
      const [one, other] = [await a.step(picture(n), planStep(n)), await b.step(picture(n), planStep(n))]
      t.equal(largestError(other.depth, one.depth), 0)
      t.same(other.stabilization, one.stabilization)
    }
    await engine.close()
  })
}
