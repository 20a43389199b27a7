// Owns: tests of windows in the addon's GPU part, on a double of the GPU, against a model of its arithmetic.
// Must not know: streams, the engine in lib.

import t from 'tap'
import type { NativeGpuWindows } from '../../dist/esm/native/gpu-types.js'
import type { StitchStep } from '../../dist/esm/native/types.js'
import { largestError } from '../support/compare.js'
import {
  doubleAddon,
  doubleMissing,
  grey,
  inputHeight,
  inputWidth,
  openDouble,
  rejection,
  SmallNetwork,
} from '../support/gpu-double.js'
import { decoded, encoded, windowPaths } from '../support/gpu-double-model.js'

const all = [0, 1, 2, 3]
const none = { slot: 0, count: 0 }
const plain: StitchStep = { align: [], blend: none, append: none, remember: [], forget: [], hold: 0 }

async function filled(windows: NativeGpuWindows, values: readonly number[]): Promise<void> {
  for (const [slot, value] of values.entries()) await windows.encode(grey(value), slot)
}

/** The network's maps of greys. */
function modelMaps(values: readonly number[]): Float32Array<ArrayBuffer>[] {
  const frames = values.map((value) => encoded(doubleAddon(), grey(value), inputWidth, inputHeight))
  return windowPaths(frames).map((path, i) => decoded(path, frames[i] ?? Number.NaN, inputWidth, inputHeight))
}

if (doubleMissing !== false) void t.test('the GPU part on doubles', { skip: doubleMissing }, () => undefined)
else {
  t.setTimeout(120_000)
  const network = new SmallNetwork(t.testdir())
  const greys = [200, 220, 240, 255]

  t.test('encode, decode, readMaps and stitch give what the graphs compute', async (t) => {
    const engine = await openDouble()
    const windows = await network.windows(engine)
    await filled(windows, greys)
    t.same(await windows.decode(all, all), { nonFinite: 0, flat: [] })
    t.ok(windows.deviceMs.depthDecoder > 0 && windows.deviceMs.stitch === 0, 'times so far')
    const expected = modelMaps(greys)
    const maps = await windows.readMaps([3, 1, 0, 2])
    t.equal(maps.length, 4)
    for (const [i, position] of [3, 1, 0, 2].entries())
      t.ok(largestError(maps[i] ?? new Float32Array(0), expected[position]) < 1e-5, `map ${position}`)

    const cpu = new (doubleAddon().Stitcher)({
      ...{ mapWidth: inputWidth, mapHeight: inputHeight, frameWidth: 20, frameHeight: 12, threads: 1 },
    })
    const steps: StitchStep[] = [
      {
        ...plain,
        append: { slot: 0, count: 4 },
        remember: [
          { slot: 0, frame: 0 },
          { slot: 2, frame: 2 },
        ],
        hold: 2,
      },
      {
        ...{
          align: [
            { slot: 1, frame: 0 },
            { slot: 3, frame: 2 },
          ],
          blend: { slot: 0, count: 2 },
        },
        ...{ append: { slot: 2, count: 2 }, remember: [], forget: [0, 2], hold: 1 },
      },
      { ...plain, append: { slot: 0, count: 1 }, hold: 0 },
    ]
    for (const step of steps) {
      const count = cpu.held + step.append.count - step.hold
      t.equal(windows.held, cpu.held)
      const [result, reference] = [await windows.stitch(step), await cpu.stitch(expected, step)]
      t.ok(result.frames.length === count && reference.frames.length === count)
      t.match(result, { degenerate: reference.degenerate, nonFinite: 0 })
      t.ok(Math.abs(result.scale - reference.scale) < 1e-4 && Math.abs(result.shift - reference.shift) < 1e-4)
      for (const [i, frame] of result.frames.entries()) t.ok(largestError(frame, reference.frames[i]) < 1e-4)
    }
    t.equal(windows.held, 0)
    const { preprocess, encode, temporalHead, depthDecoder, stitch } = windows.deviceMs
    for (const ms of [preprocess, encode, temporalHead, depthDecoder, stitch]) t.ok(ms > 0 && ms < 10_000)
    await engine.close()
  })

  t.test('values that are not finite, and flat maps, are told', async (t) => {
    const engine = await openDouble()
    const windows = await network.windows(engine, { extra: 'nan\n' })
    await filled(windows, greys)
    t.same(await windows.decode(all, [1]), { nonFinite: inputWidth * inputHeight, flat: [1] })
    t.match(await windows.stitch({ ...plain, append: { slot: 1, count: 1 } }), {
      ...{ nonFinite: inputWidth * inputHeight, scale: 1, shift: 0 },
    })
    const black = await network.windows(engine, { extra: 'wrong -1000\n' })
    await filled(black, greys)
    t.same(await black.decode(all, [0, 3]), { nonFinite: 0, flat: [0, 3] })
    await engine.close()
  })

  t.test('wrong arguments reject and change nothing', async (t) => {
    const engine = await openDouble()
    const windows = await network.windows(engine)
    await filled(windows, greys)
    const picture = grey(9)
    const encodes: [unknown, unknown, RegExp][] = [
      [picture, 8, /^Expected a slot below 8 for slot, received 8/],
      [picture, -1, /^Expected an integer from 0 to 4096 for slot, received -1$/],
      [picture, '1', /for slot, received "1"$/],
      [undefined, 0, /^Expected an object for picture, received undefined$/],
      [{ ...picture, data: [1] }, 0, /for picture\.data, received an array of 1$/],
      [{ ...picture, width: 0 }, 0, /picture\.width|width/],
      [{ ...picture, pixelFormat: 'cmyk' }, 0, /received "cmyk"$/],
      [{ ...picture, data: picture.data.subarray(1) }, 0, /239/],
    ]
    for (const [value, slot, message] of encodes)
      t.match(await rejection(windows.encode(value as never, slot as never)), { message })
    const decodes: [unknown, unknown, RegExp][] = [
      [[0, 1, 2], [0], /^Expected 4 slots for slots, received 3/],
      [[0, 1, 2, 7], [0], /^Expected slots that hold a frame for slots, received 7/],
      [all, [4], /^Expected positions below 4 for wanted, received 4/],
      ['0123', [0], /^Expected an array for slots, received "0123"$/],
      [[0, 1, 2, 0.5], [0], /for slots\[3\], received 0\.5$/],
    ]
    for (const [slots, wanted, message] of decodes)
      t.match(await rejection(windows.decode(slots as never, wanted as never)), { message })
    const append = { ...plain, append: { slot: 0, count: 2 } }
    t.match(await rejection(windows.stitch(append)), { message: /Expected .*map/ }, 'before any decode')
    await windows.decode(all, [0, 1])
    const stitches: [unknown, RegExp][] = [
      [{ ...append, hold: 3 }, /hold/],
      [{ ...plain, append: { slot: 1, count: 2 } }, /map/],
      [{ ...plain, append: { slot: 0, count: 4000 } }, /append/],
      [{ ...append, align: [{ slot: 0, frame: 3 }] }, /frame/],
      [{ ...append, forget: [3] }, /forget/],
      [{ ...append, append: undefined }, /^Expected an object for step\.append, received undefined$/],
    ]
    for (const [step, message] of stitches) t.match(await rejection(windows.stitch(step as never)), { message })
    t.match(await rejection(windows.readMaps([2])), {
      message: /^Expected positions of the last decode for positions, received 2/,
    })
    t.equal(windows.held, 0)
    const { frames: out, ...fit } = await windows.stitch(append)
    t.match(fit, { scale: 1, shift: 0 })
    t.equal(out.length, 2)
    t.ok(out.every((frame) => frame.every((value) => value >= 0)))
    await engine.close()
  })

  t.test('options that do not fit are refused, and what was allocated is freed', async (t) => {
    const engine = await openDouble()
    const before = await engine.memory()
    for (const [options, message] of [
      [{ slots: 0 }, /^Expected an integer from 1 to 4096 for options\.slots, received 0$/],
      [{ slots: 4097 }, /for options\.slots, received 4097$/],
      [{ width: 40_000 }, /^Expected an integer from 1 to 32768 for options\.frameWidth, received 40000$/],
      [{ height: 0.5 }, /for options\.frameHeight, received 0\.5$/],
    ] as const)
      t.match(await rejection(network.windows(engine, options)), { message })
    const large = (): Promise<Error> => rejection(network.windows(engine, { extra: 'workspace 2000000000\n' }))
    t.match(await large(), { code: 'GPU_OUT_OF_MEMORY', lasting: false })
    t.ok(before.free - (await engine.memory()).free <= 4096, 'all but the small plans’ scratch block')
    const windows = await network.windows(engine)
    await filled(windows, greys)
    for (let i = 0; i < 4; i++) {
      if (i > 1) t.match(await large(), { code: 'GPU_OUT_OF_MEMORY' })
      await windows.encode(grey(greys[3] ?? 0), 3)
      t.match(await windows.decode(all, all), { nonFinite: 0 })
      const maps = await windows.readMaps(all)
      const expected = modelMaps(greys)
      t.ok(
        maps.every((map, k) => largestError(map, expected[k]) < 1e-5),
        'others’ scratch memory is not lost with it',
      )
    }
    await engine.close()
  })

  t.test('a second call of the same kind is refused while one is under way; the first is not the worse', async (t) => {
    const engine = await openDouble()
    const windows = await network.windows(engine, { extra: 'delay 50\n' })
    await filled(windows, greys)
    const first = windows.decode(all, all)
    const message = /^Expected the previous decode to have settled, received a second call$/
    t.match(await rejection(windows.decode(all, [0])), { message })
    t.match(await rejection(windows.readMaps([0])), { message: /^Expected the previous/ })
    const encoding = windows.encode(grey(1), 4)
    t.match(await rejection(windows.encode(grey(2), 5)), { message: /^Expected the previous encode to have settled/ })
    await Promise.all([first, encoding])
    const stitching = windows.stitch({ ...plain, append: { slot: 0, count: 4 } })
    t.match(await rejection(windows.stitch(plain)), { message: /^Expected the previous stitch to have settled/ })
    const { frames: out } = await stitching
    t.ok(out.every((frame) => frame.every((value) => value > 0)))
    await engine.close()
  })

  t.test('the picture is taken within the call; the next window may be encoded while one is decoded', async (t) => {
    const engine = await openDouble()
    const windows = await network.windows(engine, { extra: 'delay 30\n', batch: 3 })
    for (const [slot, value] of greys.entries()) {
      const picture = grey(value)
      const encoding = windows.encode(picture, slot)
      picture.data.fill(0)
      structuredClone(picture.data.buffer, { transfer: [picture.data.buffer as ArrayBuffer] })
      await encoding
    }
    const decoding = windows.decode(all, all)
    for (const slot of [4, 5, 6, 7]) await windows.encode(grey(10 + slot), slot)
    await decoding
    const maps = await windows.readMaps(all)
    const expected = modelMaps(greys)
    t.ok(maps.every((map, i) => largestError(map, expected[i]) < 1e-5))
    await engine.close()
  })

  t.test('a getter that begins another call does not get two under way', async (t) => {
    const engine = await openDouble()
    const windows = await network.windows(engine)
    await filled(windows, greys)
    await windows.decode(all, all)
    let inner: Promise<unknown> | undefined
    const step = {
      ...plain,
      get hold(): number {
        inner ??= windows.stitch({ ...plain, append: { slot: 0, count: 1 } })
        return 0
      },
    }
    t.match(await rejection(windows.stitch(step)), { message: /^Expected the previous stitch to have settled/ })
    t.match(await inner, { nonFinite: 0 })
    await engine.close()
  })

  t.test('a plan may be released while windows use it; closed windows free their memory', async (t) => {
    const engine = await openDouble()
    const before = (await engine.memory()).free
    const [encoder, temporalHead, depthDecoder] = [
      await network.plan(engine, 'encoder', 1),
      await network.plan(engine, 'temporal-head', 4, 'delay 100\n'),
      await network.plan(engine, 'depth-decoder', 4),
    ]
    const options = { encoder, temporalHead, depthDecoder, frameWidth: 20, frameHeight: 12, slots: 4 }
    const windows = await engine.openWindows(options)
    for (const plan of [encoder, temporalHead, depthDecoder]) plan.release()
    t.match(await rejection(engine.openWindows(options)), { code: 'CLOSED' })
    await filled(windows, greys)
    const decoding = windows.decode(all, all)
    await windows.close()
    await windows.close()
    t.match(await decoding, { nonFinite: 0, flat: [] }, 'what was under way is carried out')
    for (const late of [windows.decode(all, [0]), windows.encode(grey(1), 0), windows.stitch(plain)])
      t.match(await rejection(late), { code: 'CLOSED', lasting: false })
    const { free } = await engine.memory()
    t.ok(before - free <= 4096, 'but for the scratch memory that all plans share')
    await engine.close()
  })

  t.test('the JavaScript thread goes on while the GPU computes', async (t) => {
    const engine = await openDouble()
    const windows = await network.windows(engine, { extra: 'delay 200\n' })
    await filled(windows, greys)
    let ticks = 0
    const timer = setInterval(() => ticks++, 5)
    await windows.decode(all, all)
    clearInterval(timer)
    t.ok(ticks > 1, `${ticks} ticks`) // a blocked thread gives none; a busy machine not many more
    await engine.close()
  })
}
