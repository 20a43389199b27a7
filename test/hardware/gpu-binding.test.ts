// Owns: tests of the addon's GPU part on a double of the GPU: what is there, opening, plans, wrong arguments, closing.
// Must not know: what windows and streams compute, the engine in lib.

import t from 'tap'
import { setTimeout as after } from 'node:timers/promises'
import {
  doubleGpu,
  doubleMissing,
  folderOf,
  grey,
  openDouble,
  rejection,
  smallGraph,
  SmallNetwork,
} from '../support/gpu-double.js'
import { resizable, waysToLose } from '../support/lost-buffers.js'

if (doubleMissing !== false) void t.test('the GPU part on doubles', { skip: doubleMissing }, () => undefined)
else {
  t.setTimeout(120_000)
  const network = new SmallNetwork(t.testdir())

  t.test('what the addon was compiled with, and what is there', async (t) => {
    const gpu = doubleGpu()
    t.match(gpu.compiled, { cuda: /^\d+\.\d+$/, tensorRt: ['11.1.0', '10.6.0'] })
    const probe = await gpu.probe([folderOf('trt10')])
    t.match(probe, { driver: '13.0', problem: '' })
    t.same(probe.devices, [
      {
        ...{ index: 0, name: 'Double GPU 0', computeCapability: '9.0' },
        ...{ memoryBytes: 2 ** 30, multiprocessors: 132 },
      },
    ])
    const [eleven, ten] = probe.tensorRt
    t.match(ten, { major: 10, version: '10.6.0', problem: '' })
    t.ok(ten?.inferPath.startsWith(folderOf('trt10')) === true && ten.parserPath.startsWith(folderOf('trt10')))
    t.match(eleven, { major: 11, version: '', problem: /./ })
  })

  t.test('wrong arguments of probe and open reject', async (t) => {
    const gpu = doubleGpu()
    const wrong: [unknown, unknown, RegExp][] = [
      ['0', [], /^Expected an integer from 0 to 1024 for device, received "0"$/],
      [-1, [], /^Expected an integer from 0 to 1024 for device, received -1$/],
      [0.5, [], /for device, received 0\.5$/],
      [0, 'here', /^Expected an array for folders, received "here"$/],
      [0, ['here', 3], /^Expected a path for folders\[1\], received 3$/],
      [0, new Array(65).fill('x'), /^Expected an array of at most 64 for folders, received an array of 65$/],
    ]
    for (const [device, folders, message] of wrong)
      t.match(await rejection(gpu.open(device as number, folders as string[])), { message })
    t.match(await rejection(gpu.probe(undefined as never)), { message: /^Expected an array for folders/ })
    t.match(await rejection(gpu.open(1, [folderOf('trt10')])), {
      code: 'GPU_UNAVAILABLE',
      message: 'Expected a device below 1 for device, received 1',
    })
  })

  t.test('a plan is built with progress, and loaded with its ports', async (t) => {
    const engine = await openDouble()
    const steps: [string, number][] = []
    const request = {
      onnxPath: await network.file(smallGraph('encoder', 3)),
      workspaceBytes: 4096,
      optimizationLevel: 3,
    }
    const { plan: bytes, timingCache } = await engine.build(request, (phase, fraction) => steps.push([phase, fraction]))
    t.ok(steps.length > 4 && steps.every(([, fraction]) => fraction >= 0 && fraction <= 1))
    t.ok(steps.every(([phase]) => phase.length > 0))
    t.ok(bytes instanceof Uint8Array && bytes.length > 100 && bytes.byteOffset === 0)
    const again = await engine.build({ ...request, timingCache }, () => undefined)
    t.equal(again.timingCache.length, timingCache.length + 1, 'the timing cache was used')
    const plan = await engine.loadPlan(bytes)
    t.same(plan.ports, [
      { name: 'pixels', isInput: true, type: 'float32', shape: [3, 3, 28, 42] },
      { name: 'layer1', isInput: false, type: 'float32', shape: [3, 4, 8, 12] },
      { name: 'layer2', isInput: false, type: 'float32', shape: [3, 4, 4, 6] },
      { name: 'layer3', isInput: false, type: 'float32', shape: [3, 8, 2, 3] },
      { name: 'layer4', isInput: false, type: 'float32', shape: [3, 8, 1, 2] },
    ])
    t.equal(plan.scratchBytes, 1024)
    t.match(JSON.parse(await plan.layers()), { Layers: ['encoder'] })
    plan.release()
    plan.release()
    t.match(await rejection(plan.layers()), { code: 'CLOSED' })
    await engine.close()
  })

  t.test('a build that fails, or cannot be read, leaves the engine usable', async (t) => {
    const engine = await openDouble()
    const failing = async (extra: string) => rejection(network.built(engine, smallGraph('encoder', 1, extra)))
    t.match(await failing('fail parse\n'), { code: 'PLAN_FAILED', lasting: false, message: /\/blocks\.0\/Add/ })
    t.match(await failing('fail build\n'), { code: 'PLAN_FAILED', message: /Could not find any implementation/ })
    t.match(await failing('fail memory\n'), { code: 'GPU_OUT_OF_MEMORY' })
    t.match(await failing('nonsense\n'), { code: 'PLAN_FAILED' })
    const missing = { onnxPath: '/nowhere/at-all.onnx', workspaceBytes: 4096, optimizationLevel: 3 }
    t.match(await rejection(engine.build(missing, () => undefined)), { code: 'PLAN_FAILED' })
    t.ok((await network.plan(engine, 'encoder', 1)).ports.length > 0)
    await engine.close()
  })

  t.test('a build is cancelled from its own progress callback, and the next one is not', async (t) => {
    const engine = await openDouble()
    const onnxPath = await network.file(smallGraph('encoder', 1, 'slow 20\n'))
    const request = { onnxPath, workspaceBytes: 4096, optimizationLevel: 3 }
    let calls = 0
    const cancelled = engine.build(request, () => {
      calls++
      engine.cancelBuild()
    })
    t.match(await rejection(cancelled), { code: 'ABORTED', lasting: false })
    t.ok(calls > 0 && calls < 10, `${calls} calls`)
    engine.cancelBuild()
    t.ok((await engine.build(request, () => undefined)).plan.length > 0)
    await engine.close()
  })

  t.test('one build at a time; other calls go on', async (t) => {
    const engine = await openDouble()
    const onnxPath = await network.file(smallGraph('encoder', 1, 'slow 1\nendless\n'))
    const request = { onnxPath, workspaceBytes: 4096, optimizationLevel: 3 }
    const first = engine.build(request, () => undefined)
    const message = 'Expected the previous build to have settled, received a second call'
    t.match(await rejection(engine.build(request, () => undefined)), { message })
    t.match(await engine.memory(), { free: Number, total: 2 ** 30 }, 'answered while the build runs')
    engine.cancelBuild()
    t.match(await rejection(first), { code: 'ABORTED' }, 'the second call did not take that back')
    await engine.close()
  })

  t.test('a damaged plan, and another version’s, are refused', async (t) => {
    const [engine, other] = [await openDouble('trt10'), await openDouble('trt11')]
    const bytes = await network.built(engine, smallGraph('encoder', 1))
    const damaged = bytes.slice()
    damaged[damaged.length - 3] = (damaged[damaged.length - 3] ?? 0) ^ 1
    t.match(await rejection(engine.loadPlan(damaged)), { code: 'PLAN_FAILED', message: /damaged/ })
    t.match(await rejection(engine.loadPlan(bytes.subarray(0, 20))), { code: 'PLAN_FAILED' })
    t.match(await rejection(engine.loadPlan(new Uint8Array(0))), { code: 'PLAN_FAILED' })
    t.match(await rejection(other.loadPlan(bytes)), { code: 'PLAN_FAILED', message: /another version/ })
    t.ok(await engine.loadPlan(bytes), 'nothing else is the worse for it')
    t.ok(await engine.loadPlan(new Uint8Array(new Uint8Array([0, ...bytes]).buffer, 1)), 'at an offset')
    await Promise.all([engine.close(), other.close()])
  })

  t.test('wrong arguments of an engine’s calls reject and change nothing', async (t) => {
    const engine = await openDouble()
    const request = { onnxPath: '/x', workspaceBytes: 4096, optimizationLevel: 3 }
    const wrong: [unknown, unknown, RegExp][] = [
      [undefined, undefined, /^Expected an object for request, received undefined$/],
      [{ ...request, onnxPath: 7 }, undefined, /^Expected a string for request\.onnxPath, received 7$/],
      [{ ...request, workspaceBytes: -1 }, undefined, /^Expected an integer from 0 to \d+ for request\.workspaceBytes/],
      [{ ...request, optimizationLevel: 6 }, undefined, /from 0 to 5 for request\.optimizationLevel, received 6$/],
      [{ ...request, timingCache: [1] }, undefined, /^Expected a Uint8Array for request\.timingCache/],
      [request, undefined, /^Expected a function for onProgress, received undefined$/],
    ]
    for (const [value, callback, message] of wrong)
      t.match(await rejection(engine.build(value as never, callback as never)), { message })
    for (const plan of [undefined, 'plan', [1, 2], new Float32Array(4), new ArrayBuffer(8)])
      t.match(await rejection(engine.loadPlan(plan as never)), { message: /^Expected a Uint8Array for plan, received/ })
    const getter = {
      get onnxPath(): string {
        throw new Error('from the getter')
      },
    }
    t.match(await rejection(engine.build(getter as never, () => undefined)), { message: 'from the getter' })
    const other = await openDouble()
    const [foreign, own] = [await network.plan(other, 'encoder', 1), await network.plan(engine, 'encoder', 1)]
    const size = { frameWidth: 8, frameHeight: 8, slots: 4 }
    for (const encoder of [undefined, {}, foreign, engine, { ...own }, Object.create(own) as unknown]) {
      const options = { encoder, temporalHead: own, depthDecoder: own, ...size }
      const message = /^Expected a plan that this engine loaded for options\.encoder, received/
      t.match(await rejection(engine.openWindows(options as never)), { message })
    }
    t.match(await rejection(engine.openWindows({ encoder: own, temporalHead: own, depthDecoder: own, ...size })), {
      message: /^(?!.*undefined).*temporal|layer|path3/i,
    })
    const before = await engine.memory()
    t.ok((await network.plan(engine, 'encoder', 1)).ports.length > 0)
    t.same(await engine.memory(), before)
    await Promise.all([engine.close(), other.close()])
  })

  t.test('objects that JavaScript makes of the addon’s classes reject', async (t) => {
    const engine = await openDouble()
    const plan = await network.plan(engine, 'encoder', 1)
    const made = <T extends object>(object: T): T => new (object.constructor as new () => T)()
    t.throws(() => made(plan).layers(), { message: /^Expected a plan that `loadPlan` gave for this/ })
    made(plan).release()
    t.throws(() => made(engine).memory(), { message: /^Expected an engine that `open` gave for this/ })
    t.throws(() => made(engine).close(), { message: /^Expected an engine that `open` gave for this/ })
    made(engine).cancelBuild()
    t.throws(() => (plan.layers as () => unknown).call(engine), 'a method on another object')
    await engine.close()
  })

  t.test('a plan’s bytes may be written, transferred and resized as soon as the call has returned', async (t) => {
    const engine = await openDouble()
    const bytes = await network.built(engine, smallGraph('encoder', 1))
    const wanted = (await engine.loadPlan(bytes)).ports
    for (const [way, lose] of Object.entries(waysToLose)) {
      const { buffer, data } = resizable(bytes.length)
      data.set(bytes)
      const loading = engine.loadPlan(data)
      lose(buffer)
      t.same((await loading).ports, wanted, way)
    }
    await engine.close()
  })

  t.test('close: in mid-flight, twice, and what comes after it', async (t) => {
    const engine = await openDouble()
    const plan = await network.plan(engine, 'encoder', 1)
    const onnxPath = await network.file(smallGraph('encoder', 1, 'slow 50\n'))
    const request = { onnxPath, workspaceBytes: 4096, optimizationLevel: 3 }
    const building = rejection(engine.build(request, () => undefined))
    const waiting = engine.memory()
    await after(20)
    const closing = engine.close()
    t.equal(engine.close(), closing, 'one and the same promise')
    const refused = await Promise.all(
      [engine.memory(), engine.loadPlan(new Uint8Array(3)), plan.layers()].map(rejection),
    )
    for (const error of refused) t.match(error, { code: 'CLOSED', lasting: false })
    t.match(await rejection(engine.build(request, () => undefined)), { code: 'CLOSED' })
    await closing
    t.match((await building).code, /ABORTED|CLOSED/, 'the build ended early')
    t.match(await waiting, { total: Number }, 'nothing waits for a build')
    plan.release()
    engine.cancelBuild()
    await engine.close()
  })

  t.test('closing the engine in mid-flight rejects what waits and resolves', async (t) => {
    const engine = await openDouble()
    const windows = await network.windows(engine, { extra: 'delay 60\n' })
    const all = [0, 1, 2, 3]
    for (const slot of all) await windows.encode(grey(200), slot)
    const decoding = rejection(windows.decode(all, [0]).then(() => Promise.reject(new Error('carried out'))))
    const encoding = rejection(windows.encode(grey(1), 4).then(() => Promise.reject(new Error('carried out'))))
    await engine.close()
    for (const error of [await decoding, await encoding])
      t.match(`${error.code} ${error.message}`, /CLOSED|carried out/)
    t.match(await rejection(windows.encode(grey(1), 4)), { code: 'CLOSED' })
    await windows.close()
    t.equal(windows.held, 0)
  })

  t.test('two engines at once are apart', async (t) => {
    const [a, b] = [await openDouble(), await openDouble()]
    const plan = await network.plan(b, 'encoder', 1)
    await a.close()
    t.match(JSON.parse(await plan.layers()), { Layers: ['encoder'] })
    await b.close()
  })
}
