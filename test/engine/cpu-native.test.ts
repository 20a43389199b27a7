// Owns: tests of the adapter between the CPU engine and the addon's own network, on a fake one.
// Must not know: what the addon computes, workers.

import t, { type Test } from 'tap'
import { NativeModel } from '../../dist/esm/engine/cpu/native/native-model.js'
import type { CpuNetwork, Preparation } from '../../dist/esm/engine/cpu/network.js'
import { CpuNetworks } from '../../dist/esm/engine/cpu/networks.js'
import { CpuStream } from '../../dist/esm/engine/cpu/stream.js'
import type { LoadProgress } from '../../dist/esm/engine/engine.js'
import { loadAddon } from '../../dist/esm/native/addon.js'
import { resamplePositions } from '../../dist/esm/prepare/graph/position-tables.js'
import { prepareWeights, type PreparedWeights } from '../../dist/esm/prepare/graph/prepare-weights.js'
import { readWeight, weightsIndex } from '../../dist/esm/prepare/graph/weights-file.js'
import { rgbPicture } from '../../dist/esm/base/pixel-format.js'
import { planStep, stateSlots } from '../../dist/esm/plan/step-plan.js'
import path from 'node:path'
import { tinyPth } from '../support/checkpoint-files.js'
import { FakeNativeCpu } from '../support/native-cpu-fake.js'

const weightsOf = (t: Test): Promise<PreparedWeights> =>
  prepareWeights({ checkpoint: tinyPth, cacheDir: t.testdir(), precision: 'fp32' })

const preparation: Preparation = { signal: new AbortController().signal, onProgress: () => undefined }
const options = { kernels: 'avx2', precision: 'fp32', threads: 2 } as const

t.test('the model is made from the weights file and the architecture, once', async (t) => {
  const weights = await weightsOf(t)
  const native = new FakeNativeCpu()
  const model = new NativeModel(native, weights, { ...options, precision: 'int8' })
  await model.network({ rows: 2, cols: 3 }, preparation)
  await model.network({ rows: 3, cols: 2 }, preparation)
  const { architecture } = weights
  const index = weightsIndex(architecture, 'fp32')
  t.equal(native.models.length, 1)
  const [made] = native.models
  t.match(made, { kernels: 'avx2', precision: 'int8', threads: 2, weights: path.join(weights.folder, index.file) })
  const { embedWidth, depth, features, outChannels, temporalLength, taps } = architecture
  t.match(made, { embedWidth, depth, features, outChannels, temporalLength, taps })
  t.same(Object.keys(made?.tensors ?? {}), [...index.tensors.keys()])
  for (const [name, { offset, shape }] of index.tensors) t.same(made?.tensors[name], { offset, shape })
})

t.test('positions: those stored where the grid is theirs, else resampled', async (t) => {
  const weights = await weightsOf(t)
  const { gridSize, embedWidth } = weights.architecture
  const native = new FakeNativeCpu()
  const model = new NativeModel(native, weights, options)
  await model.network({ rows: gridSize, cols: gridSize }, preparation)
  await model.network({ rows: 2, cols: 3 }, preparation)
  const index = weightsIndex(weights.architecture, 'fp32')
  const table = await readWeight(path.join(weights.folder, index.file), index, 'pretrained.positions')
  t.equal(native.networks[0]?.positions, null)
  t.same(native.networks[1]?.positions, resamplePositions(table, gridSize, embedWidth, 2, 3))
})

t.test('temporal tables: those stored up to their length, extended beyond', async (t) => {
  const weights = await weightsOf(t)
  const native = new FakeNativeCpu()
  const model = new NativeModel(native, weights, options)
  const network = await model.network({ rows: 1, cols: 1 }, preparation)
  const windowOf = (length: number): Uint8Array<ArrayBuffer>[] => Array.from({ length }, () => network.newFeatures())
  for (const length of [16, 32, 48]) {
    await network.loadWindows(length)
    await network.head(windowOf(length))
  }
  const tables = native.networks[0]?.tables
  t.same(tables?.slice(0, 2), [null, null])
  const { outChannels, features, temporalLength } = weights.architecture
  t.equal(temporalLength, 32)
  const widths = [outChannels[2], outChannels[3], features, features].flatMap((width) => [width, width])
  t.same(
    tables?.[2]?.map(({ length }) => length),
    widths.map((width) => 48 * width),
  )
  const index = weightsIndex(weights.architecture, 'fp32')
  const name = 'head.motion_modules.1.temporal_transformer.transformer_blocks.0.attention_blocks.1.pos_encoder.pe'
  const stored = await readWeight(path.join(weights.folder, index.file), index, name)
  t.same(tables?.[2]?.[3]?.subarray(0, stored.length), stored, 'in the order in which the attentions run')
  await t.rejects(network.head(windowOf(20)), { code: 'ENGINE_FAILED', message: 'no head for a window of 20' })
})

t.test('one frame after another, one position after another', async (t) => {
  const native = new FakeNativeCpu()
  const network = await new NativeModel(native, await weightsOf(t), options).network({ rows: 1, cols: 2 }, preparation)
  t.equal(network.pixels.length, 3 * 14 * 28)
  await network.loadWindows(2)
  const window = [network.newFeatures(), network.newFeatures()]
  for (const [i, features] of window.entries()) {
    network.pixels.fill(10 * (i + 1))
    await network.encode(features)
  }
  await network.head(window)
  const maps: number[][] = []
  for (const [position, features] of window.entries()) {
    const map = network.newMap()
    await network.decode(position, features, map)
    maps.push([map.length, map[0] ?? NaN])
  }
  t.same(maps, [
    [14 * 28, 10],
    [14 * 28, 21],
  ])
  const failure = new Error('as asked')
  for (const call of [
    () => network.encode(network.newFeatures()),
    () => network.head(window),
    () => network.step(network.newFeatures(), network.newMemory(), planStep(0)),
    () => network.decode(0, network.newFeatures(), network.newMap()),
  ]) {
    if (native.networks[0] !== undefined) native.networks[0].failure = failure
    await t.rejects(call(), failure)
  }
})

t.test('a step’s plan in the addon’s types', async (t) => {
  const native = new FakeNativeCpu()
  const network = await new NativeModel(native, await weightsOf(t), options).network({ rows: 1, cols: 1 }, preparation)
  await network.loadStreams()
  const memory = network.newMemory()
  t.equal(memory.export().length, 4 * stateSlots)
  const plan = planStep(50)
  await network.step(network.newFeatures(), memory, plan)
  network.remember(memory, plan.write)
  t.same(native.networks[0]?.steps, [
    { positions: Int32Array.from(plan.positions), visible: Uint8Array.from(plan.visible, Number) },
  ])
})

t.test('a network is shared by its users, and dropped when another size comes and nobody uses it', async (t) => {
  const native = new FakeNativeCpu()
  const networks = new CpuNetworks(new NativeModel(native, await weightsOf(t), options))
  const none = new Set<CpuNetwork>()
  const small = { inputWidth: 14, inputHeight: 14 }
  const other = { inputWidth: 28, inputHeight: 14 }
  const first = await networks.forStreams(small, none, preparation)
  t.equal(await networks.forWindows({ ...small, windowLength: 32 }, none, preparation), first)
  await networks.forStreams(other, new Set([first]), preparation)
  t.equal(await networks.forStreams(small, none, preparation), first, 'used, so kept')
  await networks.forStreams({ inputWidth: 42, inputHeight: 14 }, none, preparation)
  t.not(await networks.forStreams(small, none, preparation), first)
  t.same(
    native.networks.map(({ rows, cols }) => [rows, cols]),
    [
      [1, 1],
      [1, 2],
      [1, 3],
      [1, 1],
    ],
  )
})

t.test('an abort before a network is made', async (t) => {
  const native = new FakeNativeCpu()
  const model = new NativeModel(native, await weightsOf(t), options)
  const controller = new AbortController()
  const seen: LoadProgress[] = []
  const making = model.network(
    { rows: 1, cols: 1 },
    { signal: controller.signal, onProgress: (progress) => void seen.push(progress) },
  )
  controller.abort(new Error('enough'))
  await t.rejects(making, { message: 'enough' })
  t.same([seen, native.networks], [[], []])
})

t.test('a stream goes on from its state, and takes no other arithmetic’s', async (t) => {
  const native = new FakeNativeCpu()
  const network = await new NativeModel(native, await weightsOf(t), options).network({ rows: 1, cols: 1 }, preparation)
  const geometry = { frameWidth: 14, frameHeight: 14, inputWidth: 14, inputHeight: 14, stabilized: false }
  const streamOf = (variant: string): CpuStream =>
    new CpuStream({ addon: loadAddon(), network, variant, threads: 1 }, geometry)
  const picture = (value: number) =>
    rgbPicture({ data: new Uint8Array(14 * 14 * 3).fill(value), width: 14, height: 14, timestampMs: 0 })
  const check = (): Promise<void> => Promise.resolve()
  const [stream, twin] = [streamOf('avx2-fp32-v1'), streamOf('avx2-fp32-v1')]
  for (const i of [0, 1, 2]) await stream.step(picture(200 + i), planStep(i), check)
  const state = stream.exportState()
  t.equal(state.variant, 'avx2-fp32-v1')
  twin.importState(structuredClone(state))
  const [here, there] = [stream, twin].map((each) => each.step(picture(220), planStep(3), check))
  t.same((await there)?.depth, (await here)?.depth)
  t.throws(() => streamOf('neon-fp32-v1').importState(structuredClone(state)), {
    code: 'SNAPSHOT_MISMATCH',
    message: "The state is of another arithmetic (avx2-fp32-v1) than this stream's (neon-fp32-v1)",
  })
  t.throws(() => streamOf('avx2-int8-v1').importState(structuredClone(state)), { code: 'SNAPSHOT_MISMATCH' })
  const short = { ...structuredClone(state), memory: new Uint8Array(8) }
  t.throws(() => twin.importState(short), { code: 'SNAPSHOT_MISMATCH', message: /another size/ })
})
