// Owns: the test that the addon's classes trust neither receivers nor arguments.
// Must not know: what any of them does.

import t, { type Test } from 'tap'
import { loadAddon } from '../../dist/esm/native/addon.js'
import { NativeModel } from '../../dist/esm/engine/cpu/native/native-model.js'
import { prepareWeights } from '../../dist/esm/prepare/graph/prepare-weights.js'
import type { NativeCpu, NativeCpuModel, NativeCpuModelOptions } from '../../dist/esm/native/cpu-types.js'
import { tinyPth } from '../support/checkpoint-files.js'
import { checkArguments, checkClasses, type Anything } from '../support/receivers.js'

const { cpu, ContentMeter, Stitcher } = loadAddon()

t.test('classes of the addon refuse foreign receivers and survive nonsense', async (t) => {
  const sides = { mapWidth: 5, mapHeight: 4, frameWidth: 9, frameHeight: 8 }
  await checkClasses(t, {
    Stitcher: new Stitcher({ ...sides, threads: 1 }),
    ContentMeter: new ContentMeter(),
  })
  for (const name of ['preprocess', 'toRgb', 'upsample', 'fitMap'] as const)
    await checkArguments(t, name, Reflect.get(loadAddon(), name) as Anything)
})

/** A model and a network, as the engine makes them. */
async function realNetwork(t: Test, { kernels, Model }: NativeCpu): Promise<Record<string, object>> {
  const weights = await prepareWeights({ checkpoint: tinyPth, cacheDir: t.testdir(), precision: 'fp32' })
  const made: NativeCpuModel[] = []
  const watched = new Proxy(Model, {
    construct: (target, [options]: [NativeCpuModelOptions]) => {
      const model = new target(options)
      made.push(model)
      return model
    },
  })
  const native = { kernels, Model: watched }
  new NativeModel(native, weights, { kernels: kernels[0] ?? 'avx2', precision: 'fp32', threads: 1 })
  const [model] = made
  if (model === undefined) throw new Error('no model was made')
  const { gridSize } = weights.architecture
  return { NativeCpuModel: model, NativeCpuNetwork: model.network(gridSize, gridSize, null) }
}

const missing = (cpu === null || cpu.kernels.length === 0) && 'no kernels for this processor'
t.test('the network’s classes, too', { skip: missing }, async (t) => {
  if (cpu !== null) await checkClasses(t, await realNetwork(t, cpu))
})

t.test('a getter on a foreign receiver says what it expected', (t) => {
  t.throws(() => Reflect.get(Stitcher.prototype as object, 'held', {}) as unknown, {
    name: 'TypeError',
    message: 'Expected an object of the class Stitcher for this, received an object',
  })
  t.end()
})
