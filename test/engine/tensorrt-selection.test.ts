// Owns: tests of which engine is taken, why not another one, and of the options for it.
// Must not know: what the engines compute.

import t from 'tap'
import { chooseKernels, kernelsVariable } from '../../dist/esm/engine/cpu/choose-kernels.js'
import { thisProcessor } from '../../dist/esm/engine/cpu/processor.js'
import { openEngine, type EngineOptions } from '../../dist/esm/engine/open-engine.js'
import { checkLoadOptions, type LoadOptions } from '../../dist/esm/engine/load-options.js'
import { VideoDepth } from 'video-depth'
import { fakeDevice, FakeGpu, nativeError } from '../support/gpu-fake.js'
import { clip, depthsOf, tinyPth, videoOn } from '../support/gpu-engine.js'
import type { GpuProbe } from '../../dist/esm/native/gpu-types.js'

t.setTimeout(300_000)

const cacheDir = t.testdir()
const newGpu = (): FakeGpu => new FakeGpu(tinyPth, cacheDir)
const options = (more: Partial<LoadOptions> = {}): EngineOptions =>
  checkLoadOptions({ checkpoint: tinyPth, cacheDir, threads: 1, ...more })

const noDriver: GpuProbe = { driver: '', problem: 'CUDA driver version is insufficient', devices: [], tensorRt: [] }
const advice = 'video-depth doctor says what is missing and how to install it'
const library = { major: 10, version: '', inferPath: '', parserPath: '' }

function describe(value: unknown): string {
  if (Array.isArray(value)) return `an array of ${value.length}`
  return typeof value === 'string' ? `"${value}"` : String(value)
}

interface Case {
  readonly name: string
  readonly gpu: () => FakeGpu | null
  readonly code: string
  readonly reason: string
  readonly isSurprising: boolean
}

const withProbe = (probed: GpuProbe): FakeGpu => Object.assign(newGpu(), { probed })
const withTensorRt = (...tensorRt: GpuProbe['tensorRt']): FakeGpu =>
  withProbe({ driver: '13.0', problem: '', devices: [fakeDevice], tensorRt })

const cases: readonly Case[] = [
  {
    name: 'no GPU part',
    gpu: () => null,
    code: 'TENSORRT_UNAVAILABLE',
    reason: `The native addon was built without CUDA or without TensorRT's headers; ${advice}`,
    isSurprising: false,
  },
  {
    name: 'no driver',
    gpu: () => withProbe(noDriver),
    code: 'GPU_UNAVAILABLE',
    reason: `No NVIDIA GPU can be used: CUDA driver version is insufficient; ${advice}`,
    isSurprising: false,
  },
  {
    name: 'a driver without a device',
    gpu: () => withProbe({ driver: '13.0', problem: '', devices: [], tensorRt: [] }),
    code: 'GPU_UNAVAILABLE',
    reason: `No NVIDIA GPU can be used: there is none; ${advice}`,
    isSurprising: true,
  },
  {
    name: 'no library',
    gpu: () => withTensorRt({ ...library, problem: 'libnvinfer.so.10: cannot open shared object file' }),
    code: 'TENSORRT_UNAVAILABLE',
    reason: `No TensorRT can be used: version 10: libnvinfer.so.10: cannot open shared object file; ${advice}`,
    isSurprising: true,
  },
  {
    name: 'too old a library',
    gpu: () => withTensorRt({ ...library, version: '10.0.1', problem: '10.0.1 is older than 10.3' }),
    code: 'TENSORRT_UNAVAILABLE',
    reason: `No TensorRT can be used: version 10: 10.0.1 is older than 10.3; ${advice}`,
    isSurprising: true,
  },
  {
    name: 'too old a GPU',
    gpu: () =>
      withProbe({
        ...{ driver: '12.4', problem: '', tensorRt: [] },
        devices: [{ ...fakeDevice, name: 'Tesla V100', computeCapability: '7.0' }],
      }),
    code: 'GPU_UNAVAILABLE',
    reason:
      'Expected a GPU of compute capability 7.5 or later for device, received 0 (Tesla V100, compute capability 7.0)',
    isSurprising: true,
  },
  {
    name: 'out of memory',
    gpu: () => Object.assign(newGpu(), { failOpen: nativeError('GPU_OUT_OF_MEMORY', 'opening the device') }),
    code: 'GPU_OUT_OF_MEMORY',
    reason:
      'The GPU has too little memory left: opening the device. Use a smaller inputSize, fewer videos and streams at once, or backend cpu',
    isSurprising: true,
  },
]

for (const { name, gpu, code, reason, isSurprising } of cases) {
  t.test(`${name}: auto takes the CPU and says why, tensorrt refuses`, async (t) => {
    const engine = await openEngine(options(), { gpu: gpu() })
    t.equal(engine.backend, 'cpu')
    t.same(engine.info, {
      ...{
        backend: 'cpu',
        precision: 'fp32',
        kernels: engine.info.kernels,
        check: undefined,
        gpu: undefined,
        plans: [],
      },
      fallback: { code, reason, isSurprising },
    })
    await engine.close()
    for (const asked of [{ backend: 'tensorrt' }, { precision: 'fp16' }] as const)
      await t.rejects(openEngine(options(asked), { gpu: gpu() }), { code, message: reason })
  })
}

t.test('auto takes the GPU where it is there', async (t) => {
  const gpu = newGpu()
  const engine = await openEngine(options(), { gpu })
  t.equal(engine.backend, 'tensorrt')
  await engine.close()
  const cpu = await openEngine(options({ backend: 'cpu' }), { gpu })
  t.match(cpu.info, { backend: 'cpu', precision: 'fp32', fallback: undefined })
  await cpu.close()
  t.equal(gpu.open_.engines, 0)
})

t.test('a device that is not there', async (t) => {
  const message = 'Expected a GPU that is there for device, received 3: 0 (Fake GPU)'
  for (const backend of ['tensorrt', 'auto'] as const) {
    const refused = openEngine(options({ backend, device: 3 }), { gpu: newGpu() })
    await t.rejects(refused, { code: 'GPU_UNAVAILABLE', message }, backend)
  }
  await t.rejects(openEngine(options({ device: 0 }), { gpu: withProbe(noDriver) }), { code: 'GPU_UNAVAILABLE' })
  const turing = Object.assign(newGpu(), { device: { ...fakeDevice, computeCapability: '7.5' } })
  await (await openEngine(options({ device: 0, backend: 'tensorrt' }), { gpu: turing })).close()
})

t.test('auto never changes the engine in mid-video', async (t) => {
  const gpu = newGpu()
  const engine = await openEngine(options(), { gpu })
  gpu.failNext.set('decode', nativeError('GPU_FAILED', 'an illegal memory access', true))
  await t.rejects(depthsOf(videoOn(engine, clip(0, 3))), { code: 'GPU_FAILED' })
  t.equal(engine.backend, 'tensorrt')
  await t.rejects(depthsOf(videoOn(engine, clip(0, 3))), { code: 'GPU_FAILED' })
  await engine.close()
})

t.test('a bad checkpoint is no reason for another engine', async (t) => {
  const gpu = newGpu()
  const missing = openEngine(options({ checkpoint: 'missing.pth' }), { gpu })
  await t.rejects(missing, { code: 'CHECKPOINT_UNREADABLE' })
  t.equal(gpu.open_.engines, 0)
  const abort = AbortSignal.abort(new Error('not now'))
  await t.rejects(openEngine(options({ signal: abort }), { gpu }), { message: 'not now' })
})

t.test('options that make no sense', async (t) => {
  const refused: readonly [Partial<LoadOptions>, string][] = [
    [{ backend: 'gpu' as 'cpu' }, 'Expected one of auto, cpu, tensorrt for backend, received "gpu"'],
    [{ precision: 'int4' as 'fp16' }, 'Expected one of fp16, fp32, int8 for precision, received "int4"'],
    [{ backend: 'tensorrt', precision: 'int8' }, "precision 'int8' needs backend 'cpu' or 'auto'"],
    [
      { precision: 'int8', device: 0 },
      "device has no effect with precision 'int8', which runs on processors: remove it",
    ],
    [{ backend: 'cpu', precision: 'fp16' }, "precision 'fp16' needs backend 'tensorrt' or 'auto'"],
    [{ backend: 'cpu', device: 0 }, "device has no effect with backend 'cpu': remove it"],
    [{ device: -1 }, 'Expected a whole number from 0 to 1023 for device, received -1'],
    [{ tensorrtPath: [''] }, 'Expected a folder, or a list of folders for tensorrtPath, received an array of 1'],
    [{ streamBatch: 3 as 4 }, 'Expected one of 1, 2, 4, 8 for streamBatch, received 3'],
    [{ batchDelayMs: 5 }, 'batchDelayMs needs streamBatch 2, 4 or 8'],
    [{ backend: 'cpu', batchDelayMs: 5 }, "batchDelayMs has no effect with backend 'cpu': remove it"],
    ...([-1, 101, Number.NaN, '5', null, [5]] as const).map((value): [Partial<LoadOptions>, string] => [
      { streamBatch: 2, batchDelayMs: value as number },
      `Expected a number of milliseconds from 0 to 100 for batchDelayMs, received ${describe(value)}`,
    ]),
  ]
  for (const [more, message] of refused)
    await t.rejects(VideoDepth.load({ checkpoint: tinyPth, ...more }), { code: 'INVALID_OPTION', message })
})

t.test('a model says which engine it got', async (t) => {
  const model = await VideoDepth.load({ checkpoint: tinyPth, cacheDir, backend: 'cpu', precision: 'fp32' })
  const expected = {
    backend: 'cpu',
    precision: 'fp32',
    check: undefined,
    fallback: undefined,
    gpu: undefined,
    plans: [],
  }
  const { kernels, ...info } = model.engineInfo
  t.same(info, expected)
  t.equal(kernels, chooseKernels(thisProcessor(), process.env[kernelsVariable]))
  await model.close()
})
