// Owns: tests of the stitcher as JavaScript sees it: promises, one call at a time, ends in mid-flight.
// Must not know: the arithmetic, which the native tests hold to account.

import { spawnSync } from 'node:child_process'
import t from 'tap'
import { loadAddon } from '../../dist/esm/native/addon.js'
import type { NativeStitcher, StitcherOptions, StitchStep } from '../../dist/esm/native/types.js'
import { resizable, waysToLose } from '../support/lost-buffers.js'

const { Stitcher } = loadAddon()
const small: StitcherOptions = { mapWidth: 5, mapHeight: 4, frameWidth: 9, frameHeight: 8, threads: 2 }
const large: StitcherOptions = { mapWidth: 518, mapHeight: 294, frameWidth: 1280, frameHeight: 720, threads: 2 }
const nothing: StitchStep = {
  align: [],
  blend: { slot: 0, count: 0 },
  append: { slot: 0, count: 0 },
  remember: [],
  forget: [],
  hold: 0,
}

const map = (o: StitcherOptions, scale = 1): Float32Array =>
  Float32Array.from({ length: o.mapWidth * o.mapHeight }, (_, i) => scale * (1 + ((i * 7919) % 101)))
const maps = (o: StitcherOptions, count: number, scale = 1): Float32Array[] =>
  Array.from({ length: count }, () => map(o, scale))

/** Four slots: two frames leave, two stay, the first is remembered. */
const first: StitchStep = { ...nothing, append: { slot: 0, count: 4 }, remember: [{ slot: 0, frame: 0 }], hold: 2 }
const second: StitchStep = {
  ...nothing,
  align: [{ slot: 0, frame: 0 }],
  blend: { slot: 1, count: 2 },
  append: { slot: 3, count: 1 },
  forget: [0],
}

t.test('two windows: fitted, blended and given out in order', async (t) => {
  const stitcher = new Stitcher(small)
  t.equal(stitcher.held, 0)
  const { frames: out, ...fit } = await stitcher.stitch(maps(small, 4), first)
  t.same(fit, { scale: 1, shift: 0, degenerate: false, anew: false, leftOut: 0, nonFinite: 0 })
  t.equal(stitcher.held, 2)
  t.equal(out.length, 2)
  t.ok(out.every((frame) => frame instanceof Float32Array && frame.length === 72))
  t.equal(out[0]?.[0], 1)
  const { frames: rest, ...result } = await stitcher.stitch([map(small, 4), null, ...maps(small, 2, 4)], second)
  t.equal(rest.length, 3)
  t.ok(Math.abs(result.scale - 0.25) < 1e-6)
  t.ok(Math.abs(result.shift) < 1e-5)
  t.equal(stitcher.held, 0)
  for (const frame of rest) t.ok(frame.every((value, i) => Math.abs(value - (out[0]?.[i] ?? Number.NaN)) < 1e-3))
})

t.test('the event loop goes on while a window is stitched', async (t) => {
  const stitcher = new Stitcher({ ...large, threads: 1 })
  const step = { ...nothing, append: { slot: 0, count: 32 } }
  let settled = false
  let ticks = 0
  const job = stitcher.stitch(maps(large, 32), step).finally(() => (settled = true))
  const tick = (): void => {
    if (settled) return
    ticks++
    setImmediate(tick)
  }
  tick()
  await job
  t.ok(ticks > 1, `${ticks} ticks`)
})

t.test('a second call while one is in flight is refused; afterwards there is room again', async (t) => {
  const stitcher = new Stitcher(large)
  const step = { ...nothing, append: { slot: 0, count: 4 } }
  const running = stitcher.stitch(maps(large, 4), step)
  t.equal(stitcher.held, 0)
  await t.rejects(stitcher.stitch([], nothing), {
    name: 'Error',
    message: 'Expected the previous stitch to have settled, received a second call',
  })
  await running
  await stitcher.stitch([], nothing)
})

t.test('wrong arguments reject with the wording and change nothing', async (t) => {
  const stitcher = new Stitcher(small)
  await stitcher.stitch(maps(small, 4), first)
  const stitch = stitcher.stitch.bind(stitcher) as (...args: unknown[]) => Promise<unknown>
  const detached = map(small)
  structuredClone(detached.buffer, { transfer: [detached.buffer as ArrayBuffer] })
  const good = { ...nothing, append: { slot: 0, count: 1 }, hold: 3 }
  const cases: [unknown[], string, string][] = [
    [[], 'TypeError', 'Expected an array for maps, received undefined'],
    [[['x'], good], 'TypeError', 'Expected a Float32Array for maps[0], received "x"'],
    [
      [[new Float64Array(20)], good],
      'TypeError',
      'Expected a Float32Array for maps[0], received a typed array of 160 bytes',
    ],
    [[[undefined], good], 'TypeError', 'Expected a Float32Array for maps[0], received undefined'],
    [[[null], good], 'RangeError', 'Expected a map of 20 values for maps[0], received null'],
    [[[map(small)], null], 'TypeError', 'Expected an object for step, received null'],
    [[[map(small)], { ...good, align: 3 }], 'TypeError', 'Expected an array for step.align, received 3'],
    [
      [[map(small)], { ...good, blend: undefined }],
      'TypeError',
      'Expected an object for step.blend, received undefined',
    ],
    [
      [[map(small)], { ...good, remember: [{ slot: 0, frame: 2 ** 53 }] }],
      'RangeError',
      'Expected an integer from 0 to 9007199254740991 for step.remember[0].frame, received 9007199254740992',
    ],
    [
      [[map(small)], { ...good, hold: 1.5 }],
      'RangeError',
      'Expected an integer from 0 to 4096 for step.hold, received 1.5',
    ],
    [
      [[map(small)], { ...good, forget: [5] }],
      'RangeError',
      'Expected an earlier remembered frame, once for step.forget[0], received 5',
    ],
    [[[detached], { ...good, hold: 2 }], 'RangeError', 'Expected a map of 20 values for maps[0], received 0 values'],
    [[[map(small)], { ...good, hold: 4 }], 'RangeError', 'Expected a count from 0 to 3 for step.hold, received 4'],
    [
      [[map(small)], { ...good, append: { slot: 0, count: 4096 } }],
      'RangeError',
      'Expected slots below 1 for step.append, received 0…4095',
    ],
    [[new Array(5000), good], 'RangeError', 'Expected an array of at most 4096 for maps, received an array of 5000'],
  ]
  for (const [args, name, message] of cases) await t.rejects(stitch(...args), { name, message })
  const thrower = {
    get align(): never {
      throw new Error('getter')
    },
  }
  await t.rejects(stitch([], thrower), { message: 'getter' })
  t.equal(stitcher.held, 2)
  await stitcher.stitch([map(small, 4), null, ...maps(small, 2, 4)], second)
})

t.test('a getter that detaches an array it was given is noticed', async (t) => {
  const stitcher = new Stitcher(small)
  const given = map(small)
  const step = {
    ...nothing,
    append: { slot: 0, count: 1 },
    get hold(): number {
      structuredClone(given.buffer, { transfer: [given.buffer as ArrayBuffer] })
      return 0
    },
  }
  await t.rejects(stitcher.stitch([given], step), {
    message: 'Expected a map of 20 values for maps[0], received 0 values',
  })
})

t.test('maps may be written, transferred and resized as soon as the call has returned', async (t) => {
  const step = { ...nothing, append: { slot: 0, count: 4 } }
  const { frames: wanted } = await new Stitcher(large).stitch(maps(large, 4), step)
  const given = maps(large, 4).map((values) => {
    const array = new Float32Array(resizable(values.byteLength).buffer)
    array.set(values)
    return array
  })
  const job = new Stitcher(large).stitch(given, step)
  for (const [i, lose] of Object.values(waysToLose).entries()) lose(given[i]?.buffer ?? new ArrayBuffer(0))
  const { frames } = await job
  t.equal(frames.length, wanted.length)
  t.ok(frames.every((frame, i) => frame.every((value, p) => value === wanted[i]?.[p])))
})

t.test('options and receivers are checked', (t) => {
  const create = (options: unknown): NativeStitcher => new Stitcher(options as StitcherOptions)
  t.throws(() => create(undefined), {
    name: 'TypeError',
    message: 'Expected an object for options, received undefined',
  })
  t.throws(() => create({ ...small, threads: 0 }), {
    name: 'RangeError',
    message: 'Expected an integer from 1 to 256 for options.threads, received 0',
  })
  t.throws(() => create({ ...small, mapWidth: '5' }), {
    name: 'TypeError',
    message: 'Expected an integer from 1 to 32768 for options.mapWidth, received "5"',
  })
  const foreign: object[] = [{}, Object.create(Stitcher.prototype as object) as object, loadAddon()]
  const stitch = Reflect.get(Stitcher.prototype as object, 'stitch') as (...args: unknown[]) => unknown
  for (const receiver of foreign) t.throws(() => Reflect.apply(stitch, receiver, [[], nothing]) as undefined)
  t.throws(() => (Stitcher as unknown as () => void)())
  t.end()
})

/** Runs `script` as a process of its own with `Stitcher`, `options`, `work()` (starts one long job) and `Worker`. */
function inChild(script: string): { status: number | null; signal: string | null; stdout: string; stderr: string } {
  const source = `
    import { Worker, isMainThread, parentPort } from 'node:worker_threads'
    import { loadAddon } from ${JSON.stringify(new URL('../../dist/esm/native/addon.js', import.meta.url).href)}
    const { Stitcher } = loadAddon()
    const options = ${JSON.stringify(large)}
    const step = ${JSON.stringify({ ...nothing, append: { slot: 0, count: 12 }, hold: 4 })}
    const work = () => {
      const maps = Array.from({ length: 12 }, () => new Float32Array(options.mapWidth * options.mapHeight))
      return new Stitcher(options).stitch(maps, step)
    }
    ${script}`
  const args = ['--expose-gc', '--input-type=module', '-e', source]
  return spawnSync(process.execPath, args, { encoding: 'utf8' })
}

t.test('workers that are terminated in mid-stitch leave the process whole', (t) => {
  const { status, signal, stdout, stderr } = inChild(`
    const source = 'data:text/javascript,' + encodeURIComponent(\`
      import { parentPort } from 'node:worker_threads'
      import { loadAddon } from ${JSON.stringify(new URL('../../dist/esm/native/addon.js', import.meta.url).href)}
      const { Stitcher } = loadAddon()
      const step = \${JSON.stringify(step)}, options = \${JSON.stringify(options)}
      const work = \${work}
      work().then(() => work())
      work()
      parentPort.postMessage('started')
    \`)
    for (let i = 0; i < 10; i++) {
      const worker = new Worker(new URL(source))
      await new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject))
      if (i % 2 === 0) await new Promise(setImmediate)
      await worker.terminate()
    }
    await work()
    console.log('whole')`)
  t.same({ status, signal, stdout: stdout.trim() }, { status: 0, signal: null, stdout: 'whole' }, stderr)
  t.end()
})

t.test('process.exit in mid-stitch exits', (t) => {
  const { status, signal, stderr } = inChild('work(); work(); process.exit(7)')
  t.same({ status, signal }, { status: 7, signal: null }, stderr)
  t.end()
})

t.test('a stitcher and arrays that nobody holds live until their job has ended', (t) => {
  const { status, signal, stdout, stderr } = inChild(`
    const jobs = Array.from({ length: 6 }, work)
    for (let i = 0; i < 20; i++) { gc(); await new Promise(setImmediate) }
    const results = await Promise.all(jobs)
    for (let i = 0; i < 3; i++) { gc(); await new Promise(setImmediate) }
    console.log(results.length, results.every(({ nonFinite }) => nonFinite === 0))`)
  t.same({ status, signal, stdout: stdout.trim() }, { status: 0, signal: null, stdout: '6 true' }, stderr)
  t.end()
})
