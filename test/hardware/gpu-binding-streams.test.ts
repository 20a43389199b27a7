// Owns: tests of streams in the addon's GPU part, on a double of the GPU, against a model of its arithmetic.
// Must not know: windows, the engine in lib.

import t from 'tap'
import type { NativeGpuStreams, NativeStepEntry, NativeStepResult } from '../../dist/esm/native/gpu-types.js'
import { largestError } from '../support/compare.js'
import {
  doubleAddon,
  doubleMissing,
  grey,
  inputHeight,
  inputWidth,
  openDouble,
  rejection,
  smallSlots,
  SmallNetwork,
} from '../support/gpu-double.js'
import { decoded, encoded, stepPath } from '../support/gpu-double-model.js'
import { transfer } from '../support/lost-buffers.js'

const size = { width: 20, height: 12 }

const none = new Float32Array(0)
const depthOf = (result: NativeStepResult | undefined): Float32Array => result?.depth ?? none

/** Frame n of a stream that sees all frames before it, as long as there are slots. */
function entry(row: number, n: number, value: number): NativeStepEntry {
  const slots = Array.from({ length: smallSlots }, (_, slot) => slot)
  return {
    ...{ row, picture: grey(value), fit: false, wantsDepth: true },
    positions: [...slots, n],
    visible: [...slots.map((slot) => slot < n), true],
    write: n === 0 ? slots : [n % smallSlots],
  }
}

/** One stream as it should be. */
class ModelRow {
  readonly slots = new Array<number>(smallSlots).fill(0)

  step({ picture, positions, visible, write }: NativeStepEntry): Float32Array<ArrayBuffer> {
    const frame = encoded(doubleAddon(), picture, inputWidth, inputHeight)
    const map = decoded(stepPath(frame, this.slots, { positions, visible }), frame, inputWidth, inputHeight)
    for (const slot of write) this.slots[slot] = frame + 0.375
    return map
  }
}

function upsampled(map: Float32Array, scale = 1, shift = 0, width = size.width, height = size.height) {
  const out = new Float32Array(width * height)
  doubleAddon().upsample(map, inputWidth, inputHeight, out, width, height, scale, shift, 1)
  return out
}

async function depths(streams: NativeGpuStreams, row: number, values: readonly number[]): Promise<Float32Array[]> {
  const all: Float32Array[] = []
  for (const [n, value] of values.entries()) {
    const [result] = await streams.step([entry(row, n, value)])
    all.push(depthOf(result))
  }
  return all
}

if (doubleMissing !== false) void t.test('the GPU part on doubles', { skip: doubleMissing }, () => undefined)
else {
  t.setTimeout(120_000)
  const network = new SmallNetwork(t.testdir())
  const values = [200, 210, 190, 250, 230]

  t.test('a stream gives what the graphs compute, with its memory', async (t) => {
    const engine = await openDouble()
    const streams = await network.streams(engine, [1], 1)
    t.equal(streams.rows, 1)
    t.equal(streams.memoryBytes, 4 * 8 * smallSlots * (32 + 16))
    const model = new ModelRow()
    for (const [n, value] of values.entries()) {
      const one = entry(0, n, value)
      const [result] = await streams.step([one])
      t.match(result, { nonFinite: 0, flat: false, fit: null })
      for (const ms of [result?.preprocessMs, result?.inferMs, result?.postMs])
        t.ok(ms !== undefined && ms >= 0 && ms < 5000)
      t.ok(largestError(depthOf(result), upsampled(model.step(one))) < 1e-4, `frame ${n}`)
    }
    await engine.close()
  })

  t.test('rows that step together are as alone, whatever the batches', async (t) => {
    const engine = await openDouble()
    const alone = await network.streams(engine, [1], 1)
    const orders = [values, values.toReversed(), values.map((value) => value - 5), values.map((value) => value + 5)]
    const expected: Float32Array[][] = []
    for (const order of orders) expected.push(await depths(alone, 0, order))
    for (const [batches, rows] of [
      [[1, 2], 4],
      [[1, 2, 4], 4],
      [[1], 4],
    ] as const) {
      const streams = await network.streams(engine, batches, rows)
      for (let n = 0; n < values.length; n++) {
        // Rows 0 … 3 together, then only some of them.
        const due = n < 3 ? [0, 1, 2, 3] : [3, 1]
        const entries = due.map((row) => entry(row, n, orders[row]?.[n] ?? 0))
        const results = await streams.step(entries)
        t.equal(results.length, due.length)
        for (const [i, row] of due.entries())
          t.ok(
            largestError(depthOf(results[i]), expected[row]?.[n]) < 1e-6,
            `batches ${batches.join()}, frame ${n}, row ${row}`,
          )
      }
      await streams.close()
    }
    await engine.close()
  })

  t.test('finish gives the last map scaled, at any size, and keeps it as the reference of fits', async (t) => {
    const engine = await openDouble()
    const streams = await network.streams(engine, [1], 2)
    const model = new ModelRow()
    const finish = { scale: 2, shift: -0.25, keep: true, width: 11, height: 9 }
    const tooEarly = { message: /^Expected a row with a map for row, received one before its first step/ }
    t.match(await rejection(streams.finish(1, finish)), tooEarly)
    const first = { ...entry(1, 0, 200), wantsDepth: false }
    t.match(await streams.step([first]), [{ depth: null }])
    const map = model.step(first)
    const { postMs, depth } = await streams.finish(1, finish)
    t.ok(postMs >= 0 && postMs < 5000)
    t.ok(largestError(depth, upsampled(map, 2, -0.25, 11, 9)) < 1e-4)
    const second = { ...entry(1, 1, 220), fit: true }
    const [result] = await streams.step([second])
    const fit = doubleAddon().fitMap(model.step(second), map)
    t.match(result?.fit, { degenerate: false })
    t.ok(
      Math.abs((result?.fit?.scale ?? 0) - fit.scale) < 1e-3 && Math.abs((result?.fit?.shift ?? 0) - fit.shift) < 1e-2,
    )
    t.ok(Math.abs((result?.fit?.correlation ?? 0) - 1) < 1e-5)
    const without = { message: /^Expected a row with a reference for fit, received true/ }
    t.match(await rejection(streams.step([{ ...entry(0, 0, 1), fit: true }])), without)
    await engine.close()
  })

  t.test('a state goes from row to row and from pool to pool', async (t) => {
    const engine = await openDouble()
    const [from, to] = [await network.streams(engine, [1, 2], 2), await network.streams(engine, [1], 3)]
    const expected = await depths(to, 2, values)
    await depths(from, 1, values.slice(0, 3))
    const bare = await from.exportState(1, false)
    t.equal(bare.memory.length, from.memoryBytes)
    t.equal(bare.reference, null)
    await from.finish(1, { scale: 1, shift: 0, keep: true, ...size })
    const { memory, reference } = await from.exportState(1, true)
    t.same(memory, bare.memory)
    t.equal(reference?.length, inputWidth * inputHeight)
    const importing = to.importState(0, memory, reference)
    memory.fill(0) // both were copied
    transfer(memory.buffer)
    transfer(reference?.buffer ?? new ArrayBuffer(0))
    await importing
    for (const n of [3, 4]) {
      const one = { ...entry(0, n, values[n] ?? 0), fit: true }
      const [result] = await to.step([one])
      t.ok(largestError(depthOf(result), expected[n]) < 1e-6 && result?.fit !== null)
    }
    await to.importState(0, bare.memory, null)
    const noReference = { message: /^Expected a row with a reference for withReference, received true/ }
    t.match(await rejection(to.exportState(0, true)), noReference)
    const wrong: [unknown, unknown, unknown, RegExp][] = [
      [3, bare.memory, null, /^Expected an integer from 0 to 2 for row, received 3$/],
      [0, bare.memory.subarray(1), null, /^Expected 7680 bytes for memory, received a typed array of 7679 bytes$/],
      [0, [...bare.memory], null, /^Expected a Uint8Array for memory/],
      [0, bare.memory, new Float32Array(3), /^Expected 1176 values for reference/],
      [0, bare.memory, undefined, /^Expected a Float32Array for reference, received undefined$/],
    ]
    for (const [row, bytes, kept, message] of wrong)
      t.match(await rejection(to.importState(row as never, bytes as never, kept as never)), { message })
    t.match(await rejection(to.exportState(0, 1 as never)), { message: /^Expected true or false for withReference/ })
    t.same((await to.exportState(0, false)).memory, bare.memory, 'nothing has changed')
    await engine.close()
  })

  t.test('wrong arguments of step and finish reject and change nothing', async (t) => {
    const engine = await openDouble()
    const streams = await network.streams(engine, [1, 2], 2)
    await depths(streams, 0, values.slice(0, 2))
    const { memory } = await streams.exportState(0, false)
    const good = entry(0, 2, 100)
    const wrong: [unknown, RegExp][] = [
      ['entries', /^Expected an array for entries, received "entries"$/],
      [[null], /^Expected an object for entries\[0\], received null$/],
      [[good, { ...good, row: 2 }], /^Expected an integer from 0 to 1 for entries\[1\]\.row, received 2$/],
      [[good, good], /^Expected each row once for row, received 0 twice/],
      [[{ ...good, positions: [0] }], /^Expected 6 positions and mask values/],
      [[{ ...good, positions: [0, 0, 0, 0, 0, -1] }], /for entries\[0\]\.positions\[5\], received -1$/],
      [
        [{ ...good, visible: [1, 0, 0, 0, 0, 1] }],
        /^Expected true or false for entries\[0\]\.visible\[0\], received 1$/,
      ],
      [[{ ...good, write: [5] }], /^Expected slots below 5 for write, received 5/],
      [[{ ...good, fit: 'yes' }], /^Expected true or false for entries\[0\]\.fit, received "yes"$/],
      [
        [{ ...good, wantsDepth: undefined }],
        /^Expected true or false for entries\[0\]\.wantsDepth, received undefined$/,
      ],
      [[{ ...good, picture: undefined }], /^Expected an object for entries\[0\]\.picture, received undefined$/],
    ]
    for (const [entries, message] of wrong) t.match(await rejection(streams.step(entries as never)), { message })
    t.same(await streams.step([]), [])
    const options = { scale: 1, shift: 0, keep: false, ...size }
    const finishes: [unknown, RegExp][] = [
      [undefined, /^Expected an object for options, received undefined$/],
      [{ ...options, scale: Number.NaN }, /^Expected a finite number for options\.scale, received NaN$/],
      [{ ...options, keep: 0 }, /^Expected true or false for options\.keep, received 0$/],
      [{ ...options, width: 0 }, /for options\.width, received 0$/],
    ]
    for (const [value, message] of finishes) t.match(await rejection(streams.finish(0, value as never)), { message })
    t.same((await streams.exportState(0, false)).memory, memory)
    await engine.close()
  })

  t.test('plans and rows that do not fit are refused', async (t) => {
    const engine = await openDouble()
    const plans = {
      encoders: [await network.plan(engine, 'encoder', 1)],
      steps: [await network.plan(engine, 'stream-step', 1)],
      depthDecoders: [await network.plan(engine, 'depth-decoder', 1)],
    }
    const good = { batches: [1], rows: 1, ...plans }
    const wrong: [object, RegExp][] = [
      [{ ...good, batches: [] }, /^Expected at least one batch for options\.batches, received an array of 0$/],
      [{ ...good, batches: [2] }, /^Expected ascending powers of 2 from 1 for options\.batches, received 2$/],
      [{ ...good, batches: [1, 2] }, /^Expected 2 plans for options\.encoders, received an array of 1$/],
      [{ ...good, rows: 0 }, /^Expected an integer from 1 to 1024 for options\.rows, received 0$/],
      [
        { ...good, steps: [{}] },
        /^Expected a plan that this engine loaded for options\.steps\[0\], received an object$/,
      ],
      [{ ...good, steps: plans.encoders }, /port|layer3|positions/],
    ]
    for (const [options, message] of wrong) t.match(await rejection(engine.openStreams(options as never)), { message })
    await t.resolves(engine.openStreams(good))
    await engine.close()
  })

  t.test('one call a row at a time; other rows may be under way', async (t) => {
    const engine = await openDouble()
    const streams = await network.streams(engine, [1], 2, 'delay 40\n')
    const [a, b] = [entry(0, 0, 200), entry(1, 0, 210)]
    const both = [streams.step([a]), streams.step([b])]
    const message = /^Expected the previous call of row 0 to have settled, received a second one$/
    const state = new Uint8Array(streams.memoryBytes)
    for (const late of [
      () => streams.step([entry(0, 1, 1)]),
      () => streams.finish(0, { scale: 1, shift: 0, keep: false, ...size }),
      () => streams.exportState(0, false),
      () => streams.importState(0, state, null),
    ])
      t.match(await rejection(late()), { message })
    const depthsOfBoth = (await Promise.all(both)).map(([result]) => depthOf(result))
    const [first, second] = [new ModelRow(), new ModelRow()]
    t.ok(largestError(depthsOfBoth[0] ?? none, upsampled(first.step(a))) < 1e-4)
    t.ok(largestError(depthsOfBoth[1] ?? none, upsampled(second.step(b))) < 1e-4)
    await engine.close()
  })

  t.test('closed in mid-flight: what is under way is carried out, what comes later is refused', async (t) => {
    const engine = await openDouble()
    const before = (await engine.memory()).free
    const streams = await network.streams(engine, [1], 1, 'delay 60\n')
    const one = entry(0, 0, 200)
    const stepping = streams.step([one])
    await streams.close()
    await streams.close()
    const [stepped] = await stepping
    t.match(stepped, { nonFinite: 0 })
    t.ok(largestError(depthOf(stepped), upsampled(new ModelRow().step(one))) < 1e-4)
    t.match(await rejection(streams.step([entry(0, 1, 1)])), { code: 'CLOSED', lasting: false })
    t.ok(before - (await engine.memory()).free <= 4096, 'its memory is free again')
    await engine.close()
  })

  t.test('a frame that is not finite is told and not remembered', async (t) => {
    const engine = await openDouble()
    const streams = await network.streams(engine, [1], 1)
    await depths(streams, 0, values.slice(0, 2))
    const { memory } = await streams.exportState(0, false)
    const broken = await network.streams(engine, [1], 1, 'nan\n')
    await broken.importState(0, memory, null)
    t.match(await broken.step([entry(0, 2, 100)]), [{ nonFinite: inputWidth * inputHeight, flat: true }])
    t.same((await broken.exportState(0, false)).memory, memory)
    await engine.close()
  })
}
