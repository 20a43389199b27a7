// Owns: parity of the emitted graphs with upstream's own code, stage by stage, on the seeded test network.
// Must not know: engines, videos.

import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { prepareGraphs, type PreparedGraphs } from '../../dist/esm/prepare/graph/prepare-graphs.js'
import { prepareWeights } from '../../dist/esm/prepare/graph/prepare-weights.js'
import { buildTemporalHead } from '../../dist/esm/prepare/graph/temporal-head.js'
import { cpuVariant } from '../../dist/esm/prepare/graph/variant.js'
import { weightsIndex } from '../../dist/esm/prepare/graph/weights-file.js'
import type { Precision } from '../../dist/esm/prepare/graph/weights.js'
import { fixtures, tinyPth } from '../support/checkpoint-files.js'
import { relativeError } from '../support/compare.js'
import { readNpz } from '../support/npz.js'
import { referencePreprocess } from '../support/reference-preprocess.js'
import { runWindow } from '../support/run-graphs.js'

const expected = await readNpz(path.join(fixtures, 'tiny_expected.npz'))
const video = await readNpz(path.join(fixtures, 'tiny_frames.npz'))

function reference(name: string): Float32Array {
  const data = expected.get(name)?.data
  if (!(data instanceof Float32Array)) throw new Error(`${name} is no float32 array`)
  return data
}

function preprocessed(): Float32Array[] {
  const frames = video.get('frames')?.data
  if (!(frames instanceof Uint8Array)) throw new Error('frames are no bytes')
  const bytes = 72 * 128 * 3
  return Array.from({ length: 32 }, (_, i) =>
    referencePreprocess(frames.subarray(i * bytes, (i + 1) * bytes), 128, 72, 126, 70),
  )
}

async function graphs(cacheDir: string, precision: Precision, windowLength = 32): Promise<PreparedGraphs> {
  const weights = await prepareWeights({ checkpoint: tinyPth, cacheDir, precision })
  return prepareGraphs(weights, { rows: 5, cols: 9, windowLength, encoderBatch: 1, decoderBatch: 1, tapOutputs: true })
}

const frames = preprocessed()

t.test('frames as upstream preprocesses them', (t) => {
  // Upstream's resize rounds to float32 between the axes.
  for (const i of [0, 31]) t.ok(relativeError(frames[i], reference(`preprocessed_frame${i}`)) < 1e-5)
  t.end()
})

t.test('float32: encoder taps and the depth of a window', async (t) => {
  const run = await runWindow(await graphs(t.testdir(), 'fp32'), frames)
  // Seen: 4e-7 and 2e-6; the project's bound is 1e-3. Summation order differs between processors.
  for (const tap of [0, 3]) {
    const found = run.features.get(`tap${tap}`)?.[0]
    t.ok(relativeError(found, reference(`features_frame0_tap${tap}`)) < 2e-5, `tap ${tap}`)
  }
  const wanted = reference('window_depth')
  const size = 70 * 126
  for (const [i, map] of run.depth.entries()) {
    const error = relativeError(map, wanted.subarray(i * size, (i + 1) * size))
    if (!(error < 1e-4)) t.fail(`frame ${i}: ${error}`)
  }
  t.equal(run.depth.length, 32)
})

t.test('cutting the temporal attention by pixels changes nothing', async (t) => {
  const prepared = await graphs(t.testdir(), 'fp32', 4)
  const index = weightsIndex(prepared.architecture, 'fp32')
  const shape = { rows: 5, cols: 9, windowLength: 4 }
  const [whole, cut] = [1e9, 7].map((limit) =>
    buildTemporalHead(prepared.architecture, index, shape, 'fp32', cpuVariant, new Map(), () => limit).serialize(),
  )
  const outputs: Float32Array[][] = []
  for (const bytes of [whole, cut]) {
    const temporalHead = path.join(path.dirname(prepared.encoder), 'cut.onnx')
    await writeFile(temporalHead, bytes ?? '')
    outputs.push([...(await runWindow({ ...prepared, temporalHead }, frames.slice(0, 4))).depth])
  }
  for (const i of [0, 1, 2, 3]) {
    t.ok(relativeError(outputs[1]?.[i], outputs[0]?.[i]) < 1e-5)
  }
})

t.test('a shorter and a longer window than the stored table run and stay finite', async (t) => {
  for (const length of [1, 48]) {
    const run = await runWindow(
      await graphs(t.testdir(), 'fp32', length),
      Array.from({ length }, (_, i) => frames[i % 32] ?? new Float32Array(0)),
    )
    t.equal(run.depth.length, length)
    t.ok(run.depth.every((map) => map.every((value) => Number.isFinite(value) && value >= 0)))
  }
})
