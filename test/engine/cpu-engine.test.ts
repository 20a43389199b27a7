// Owns: tests of the CPU engine's life: the event loop during inference, closing, aborting, crashing, bad loads.
// Must not know: what the network computes.

import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { CpuEngine } from '../../dist/esm/engine/cpu/cpu-engine.js'
import packageRoot from '../../dist/esm/package-root.cjs'
import { VideoDepth, fromFrames, type LoadOptions } from 'video-depth'
import { tinyTensors, writeSafetensors } from '../support/checkpoint-files.js'
import { testOnAll } from '../support/runtimes.js'

t.setTimeout(300_000)

const checkpoint = path.join(packageRoot, 'test', 'fixtures', 'tiny.pth')
const width = 128
const height = 72

function* frames(count: number) {
  for (let i = 0; i < count; i++) yield { data: new Uint8Array(width * height * 3).fill(40 + i), width, height }
}

/** One cache for all tests of this file but those about the cache. */
const cacheDir = t.testdir()
const load = (options: Partial<LoadOptions> = {}) =>
  VideoDepth.load({ checkpoint, inputSize: 140, cacheDir, ...options })

t.test('timers tick on the main thread while the network runs', async (t) => {
  const model = await load()
  let ticks = 0
  const timer = setInterval(() => ticks++, 5)
  let sinceLast = 0
  for await (const { index } of model.process(frames(60))) {
    if (index === 0) sinceLast = ticks
  }
  clearInterval(timer)
  // A blocked thread would have given a handful: one for each time that a frame was handed over.
  t.ok(sinceLast > 20, `${sinceLast} ticks of 5 ms before the first frame, ${ticks} in all`)
  await model.close()
})

t.test('close in mid-flight rejects what is under way', async (t) => {
  const model = await load()
  const run = model.process(frames(200))
  await run.next()
  const next = (async () => {
    for (;;) if ((await run.next()).done === true) return
  })()
  const rejected = t.rejects(next, { code: 'CLOSED' })
  await model.close()
  await rejected
  await model.close()
  t.throws(() => model.process(frames(1)), { code: 'CLOSED', message: 'The model was closed' })
})

t.test('a model is disposed of by its scope', async (t) => {
  const model = await load()
  await model[Symbol.asyncDispose]()
  t.throws(() => model.process(frames(1)), { code: 'CLOSED' })
})

t.test('several videos at once take turns and agree with one alone', async (t) => {
  const model = await load({ inputSize: 28 })
  const collect = async (): Promise<Float32Array[]> => {
    const all: Float32Array[] = []
    for await (const { data } of model.process(frames(40))) all.push(data)
    return all
  }
  const alone = await collect()
  for (const together of await Promise.all([collect(), collect(), collect()])) {
    t.ok(together.length === 40 && together.every((map, i) => map.every((value, p) => value === alone[i]?.[p])))
  }
  await model.close()
})

t.test('abort while a window is computed', async (t) => {
  const model = await load()
  const abort = new AbortController()
  function* aborting() {
    for (const frame of frames(100)) {
      if (frame.data[0] === 60) abort.abort(new Error('enough')) // frame 20 of a window's 32
      yield frame
    }
  }
  await t.rejects(model.process(aborting(), { signal: abort.signal }).next(), { message: 'enough' })
  t.equal((await model.process(frames(1)).next()).done, false, 'the model goes on')
  await model.close()
})

t.test('a worker that dies rejects what is pending, and says what to do', async (t) => {
  const workerFile = path.join(packageRoot, 'dist-test', 'support', 'crashing-worker.js')
  const engine = await CpuEngine.load({ checkpoint, precision: 'fp32', threads: 1, workerFile })
  const geometry = {
    frameWidth: width,
    frameHeight: height,
    inputWidth: 14,
    inputHeight: 14,
    windowLength: 32,
    slots: 32,
  }
  const session = await engine.openSession(geometry)
  const [frame] = [...frames(1)].map((rgb) => ({ ...rgb, timestampMs: 0 }))
  if (frame === undefined) return
  const message = "The CPU engine's worker ended unexpectedly (exit code 7). Load the model again to go on."
  await t.rejects(session.encode(frame, 0), { code: 'ENGINE_CRASHED', message })
  await t.rejects(session.encode(frame, 0), { code: 'ENGINE_CRASHED', message })
  await engine.close()
})

t.test('an open model does not keep the process alive; a run that is waited for does', async (t) => {
  const script = `
    import { VideoDepth } from 'video-depth'
    const model = await VideoDepth.load(${JSON.stringify({ checkpoint, inputSize: 28, cacheDir })})
    const frames = [{ data: new Uint8Array(192), width: 8, height: 8 }]
    for await (const { index } of model.process(frames)) console.log('frame', index)`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    cwd: packageRoot,
  })
  t.equal(stdout, 'frame 0\n')
})

t.test('process.exit in mid-flight keeps its exit code', async (t) => {
  const script = `
    import { VideoDepth } from 'video-depth'
    const model = await VideoDepth.load(${JSON.stringify({ checkpoint, inputSize: 140, cacheDir })})
    function* frames() { for (;;) yield { data: new Uint8Array(${width * height * 3}), width: ${width}, height: ${height} } }
    const run = model.process(frames())
    await run.next()
    void run.next()
    setTimeout(() => process.exit(3), 100)`
  const child = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { cwd: packageRoot })
  await t.rejects(child, { code: 3 })
})

t.test('a thread of the user’s that is terminated in mid-flight leaves the process alive', async (t) => {
  const inThread = `
    import('video-depth').then(async ({ VideoDepth }) => {
      const model = await VideoDepth.load(${JSON.stringify({ checkpoint, inputSize: 280, cacheDir })})
      function* frames() { for (;;) yield { data: new Uint8Array(${width * height * 3}), width: ${width}, height: ${height} } }
      const run = model.process(frames())
      await run.next()
      void run.next()
      setTimeout(() => require('node:worker_threads').parentPort.postMessage('computing'), 100)
    })`
  const script = `
    import { Worker } from 'node:worker_threads'
    const worker = new Worker(${JSON.stringify(inThread)}, { eval: true, execArgv: [] })
    await new Promise((resolve) => worker.once('message', resolve))
    await worker.terminate()
    console.log('alive')`
  const child = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    cwd: packageRoot,
  })
  t.equal(child.stdout, 'alive\n')
})

t.test('loading reports its progress, and takes the cache the next time', async (t) => {
  const fresh = t.testdir()
  const phases = new Set<string>()
  const onProgress = ({ phase }: { phase: string }): void => void phases.add(phase)
  const model = await load({ cacheDir: fresh, onProgress })
  await model.process(frames(1)).next()
  await model.close()
  t.same([...phases], ['hash', 'convert', 'sessions'])
  phases.clear()
  await (await load({ cacheDir: fresh, onProgress })).close()
  t.same([...phases], ['sessions'], 'weights are packed each time')
})

t.test('an aborted load leaves nothing half written', async (t) => {
  const fresh = t.testdir()
  const reason = new Error('not now')
  await t.rejects(load({ cacheDir: fresh, signal: AbortSignal.abort(reason) }), reason)
  const abort = new AbortController()
  const onProgress = (): void => abort.abort(reason)
  await t.rejects(load({ cacheDir: fresh, signal: abort.signal, onProgress }), reason)
  const files = readdirSync(fresh, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  t.same(
    files.filter(({ name }) => name.includes('weights') || name.startsWith('.tmp')),
    [],
  )
})

t.test('options that make no sense', async (t) => {
  const refused: [object, string][] = [
    [{ checkpoint: '' }, 'Expected a file path for checkpoint, received ""'],
    [{ inputSize: 13 }, 'Expected a whole number from 14 to 4096 for inputSize, received 13'],
    [{ inputSize: 51.8 }, 'Expected a whole number from 14 to 4096 for inputSize, received 51.8'],
    [{ metric: 'yes' }, 'Expected true or false for metric, received "yes"'],
    [{ backend: 'tpu' }, 'Expected one of auto, cpu, tensorrt for backend, received "tpu"'],
    [{ precision: 'fp64' }, 'Expected one of fp16, fp32, int8 for precision, received "fp64"'],
    [{ threads: 0 }, 'Expected a whole number from 1 to 256 for threads, received 0'],
    [{ signal: {} }, 'Expected an AbortSignal for signal, received an object of type Object'],
    [
      { inputsize: 70 },
      /^Expected only checkpoint, inputSize, .* for options, received "inputsize"$/ as unknown as string,
    ],
  ]
  for (const [options, message] of refused) await t.rejects(load(options), { code: 'INVALID_OPTION', message })
  const model = await load({ inputSize: 28 })
  t.throws(() => model.process(frames(1), { stitching: 'none' as 'paper' }), { code: 'INVALID_OPTION' })
  t.throws(() => model.process(frames(1), { maxLen: 0 }), { code: 'INVALID_OPTION' })
  t.throws(() => model.process(frames(1), { targetFps: 0 }), { code: 'INVALID_OPTION' })
  await model.close()
})

t.test('a callback that throws fails its call, not the process', async (t) => {
  const onProgress = (): void => {
    throw new Error('mine')
  }
  await t.rejects(load({ cacheDir: t.testdir(), onProgress }), { message: 'mine' })
  await t.rejects(load({ onProgress: 'loud' as unknown as () => void }), { code: 'INVALID_OPTION' })
  const model = await load({ inputSize: 28 })
  await t.rejects(model.process(frames(3), { onProgress }).next(), { message: 'mine' })
  await model.close()
})

t.test('an abort does not wait for sessions that are being made', async (t) => {
  const abort = new AbortController()
  const opening = new Promise<void>((resolve) => {
    const onProgress = ({ phase }: { phase: string }): void => {
      if (phase === 'sessions') resolve()
    }
    void load({ inputSize: 210, onProgress }).then(async (model) => {
      await t.rejects(model.process(frames(1), { signal: abort.signal }).next(), { message: 'enough' })
      t.equal((await model.process(frames(1)).next()).done, false, 'the model goes on')
      await model.close()
      done()
    })
  })
  let done: () => void = () => undefined
  const ended = new Promise<void>((resolve) => (done = resolve))
  await opening
  abort.abort(new Error('enough'))
  await ended
})

t.test('closing the model ends a run whose source has not given a frame', async (t) => {
  const model = await load({ inputSize: 28 })
  const never = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) }
  const next = model.process(never).next()
  const rejected = t.rejects(next, { code: 'CLOSED', message: 'The model was closed' })
  setImmediate(() => void model.close())
  await rejected
  await model.close()
})

t.test('a source that is open already has its own options', async (t) => {
  const model = await load({ inputSize: 28 })
  const source = await fromFrames(frames(5), { maxLen: 2 })
  t.throws(() => model.process(source, { maxLen: 3 }), {
    code: 'INVALID_OPTION',
    message: 'maxLen has no effect on a source that is open already: give it to what opens the source',
  })
  let count = 0
  for await (const frame of model.process(source)) count += frame.index >= 0 ? 1 : 0
  t.equal(count, 2)
  await t.rejects(model.process(null as unknown as string).next(), { code: 'INVALID_OPTION' })
  await model.close()
})

t.test('a dozen models at once are no leak to Node', async (t) => {
  const warnings: string[] = []
  const onWarning = ({ name }: Error): void => void warnings.push(name)
  process.on('warning', onWarning)
  const models = await Promise.all(Array.from({ length: 12 }, () => load({ threads: 1 })))
  await Promise.all(models.map((model) => model.close()))
  process.off('warning', onWarning)
  t.same(warnings, [])
})

testOnAll('a network whose numbers overflow is told of, not hidden', async (t) => {
  const tensors = await tinyTensors()
  tensors.get('pretrained.norm.weight')?.values.fill(3e38)
  const file = path.join(t.testdir(), 'overflows.safetensors')
  await writeSafetensors(file, tensors)
  const model = await load({ checkpoint: file, inputSize: 28 })
  await t.rejects(model.process(frames(1)).next(), { code: 'DEPTH_NOT_FINITE' })
  await model.close()
})

t.test('a checkpoint that is not there', async (t) => {
  await t.rejects(load({ checkpoint: 'missing.pth' }), { code: 'CHECKPOINT_UNREADABLE', message: /missing\.pth/ })
})

t.test('a checkpoint that has gone, but is in the cache, is missed by name', async (t) => {
  const copy = path.join(t.testdir(), 'copy.pth')
  mkdirSync(path.dirname(copy), { recursive: true })
  copyFileSync(checkpoint, copy)
  await (await load({ checkpoint: copy })).close()
  rmSync(copy)
  await t.rejects(load({ checkpoint: copy }), { code: 'CHECKPOINT_UNREADABLE' })
})
