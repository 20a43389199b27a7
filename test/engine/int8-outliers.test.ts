// Owns: a test of int8 on networks with the outliers that trained vision transformers have.
// Must not know: how channels are scaled.

import path from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { VideoDepth } from 'video-depth'
import { fixtures } from '../support/checkpoint-files.js'
import { kernels, noKernels } from '../support/runtimes.js'
import { seededCheckpoint } from '../support/seeded.js'

t.setTimeout(300_000)

type Plant = (kind: 'tokens' | 'channels', magnitude: number, from: string, to: string) => Promise<void>

t.test('S with outliers planted: int8 holds', { skip: kernels.length === 0 && noKernels }, async (t) => {
  const script = path.resolve(fixtures, '../../benchmarks/plant-outliers.mjs')
  const { plantOutliers } = (await import(pathToFileURL(script).href)) as { plantOutliers: Plant }
  const folder = t.testdir()
  const plain = await seededCheckpoint('S', folder)
  const figure = async (checkpoint: string): Promise<number> => {
    const model = await VideoDepth.load({ checkpoint, cacheDir: folder, inputSize: 70, precision: 'int8' })
    await model.close()
    return model.engineInfo.check?.absRel ?? NaN
  }
  const without = await figure(plain)
  const channels = path.join(folder, 'channels.safetensors')
  await plantOutliers('channels', 100, plain, channels)
  const large = await figure(channels)
  // Without scales of channels: 0.0426.
  t.ok(large <= 0.013 && Math.abs(large - without) <= 0.002, `channels × 100: ${large}, from ${without}`)
  const tokens = path.join(folder, 'tokens.safetensors')
  await plantOutliers('tokens', 300, plain, tokens)
  const massive = await figure(tokens)
  t.ok(massive > without && massive <= 0.02, `tokens × 300: ${massive}`)
})
