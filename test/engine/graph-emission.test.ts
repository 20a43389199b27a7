// Owns: tests of what is emitted: TensorRT's rules, declared shapes, weights' layout, position tables.
// Must not know: engines, upstream.

import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import t, { type Test } from 'tap'
import { GraphBuilder } from '../../dist/esm/prepare/graph/builder.js'
import {
  prepareGraphs,
  prepareStreamStep,
  type PreparedGraph,
  type PreparedGraphs,
} from '../../dist/esm/prepare/graph/prepare-graphs.js'
import { stateSlots } from '../../dist/esm/plan/step-plan.js'
import { prepareWeights, type PreparedWeights } from '../../dist/esm/prepare/graph/prepare-weights.js'
import { add, concat, conv, matMul, reshape } from '../../dist/esm/prepare/graph/operators.js'
import { extendTemporalTable, resamplePositions } from '../../dist/esm/prepare/graph/position-tables.js'
import { weightsIndex } from '../../dist/esm/prepare/graph/weights-file.js'
import type { Precision } from '../../dist/esm/prepare/graph/weights.js'
import { openCheckpoint } from '../../dist/esm/prepare/checkpoint/checkpoint.js'
import { tinyPth } from '../support/checkpoint-files.js'
import { readModel } from '../support/onnx-reader.js'

const plain = { rows: 5, cols: 9, windowLength: 32, encoderBatch: 1, decoderBatch: 1 }

async function prepared(
  t: Test,
  precision: Precision,
  shape = plain,
): Promise<{ weights: PreparedWeights; graphs: PreparedGraphs; streamStep: PreparedGraph }> {
  const weights = await prepareWeights({ checkpoint: tinyPth, cacheDir: t.testdir(), precision })
  const graphs = await prepareGraphs(weights, shape)
  return { weights, graphs, streamStep: await prepareStreamStep(weights, { ...shape, stateSlots, streams: 1 }) }
}

/** torch.nn.functional.interpolate of sin(0.7·i) on a 4×4 grid, bicubic, scale factors (n + 0.1)/4; torch 2.13. */
const torchPositions: readonly [rows: number, cols: number, values: readonly number[]][] = [
  [2, 2, [0.2150993, -0.0403761, -0.083353, 0.5440198]],
  [
    3,
    5,
    [
      0.0245368, 0.3516854, 0.6740988, 0.7310068, 0.6066671, -0.1523477, -0.2722647, -0.3535542, -0.2973621, -0.1789772,
      0.4528045, 0.3475081, 0.1251755, -0.1407653, -0.3347309,
    ],
  ],
  [
    4,
    7,
    [
      -0.0686292, 0.1915125, 0.5844045, 0.8920624, 1.0072573, 0.9525811, 0.8692433, 0.4183039, 0.1574535, -0.2512214,
      -0.6346614, -0.8740025, -0.9705239, -0.9906368, -0.7063388, -0.4750533, -0.0985768, 0.313337, 0.644408, 0.8752552,
      0.9926007, 0.7916952, 0.6349674, 0.3666741, 0.0204143, -0.3148549, -0.6068542, -0.7792409,
    ],
  ],
]

type Paths = Pick<PreparedGraphs, 'encoder' | 'temporalHead' | 'depthDecoder'>

const paths = ({ encoder, temporalHead, depthDecoder }: Paths, streamStep: PreparedGraph): string[] => [
  encoder,
  temporalHead,
  depthDecoder,
  streamStep.path,
]

for (const precision of ['fp32', 'fp16'] as const) {
  t.test(`${precision}: only operators that TensorRT takes, every value described, every input defined`, async (t) => {
    const { graphs, streamStep } = await prepared(t, precision)
    for (const file of paths(graphs, streamStep)) {
      const model = readModel(await readFile(file))
      t.same([...model.opsets], [['', 20]])
      const operators = new Set(model.nodes.map(({ operator }) => operator))
      for (const banned of ['Gemm', 'Einsum', 'ScatterND', 'GroupNormalization', 'Identity'])
        t.notOk(operators.has(banned))
      t.ok(precision === 'fp16' || !operators.has('Cast'))
      const defined = new Set(['', ...model.described, ...model.initializers.map(({ name }) => name)])
      for (const { inputs, outputs } of model.nodes) {
        t.ok(inputs.every((name) => defined.has(name)))
        t.equal(outputs.length, 1)
        t.ok(outputs.every((name) => model.described.has(name)))
      }
      const outputs = model.nodes.flatMap((node) => node.outputs)
      t.equal(new Set(outputs).size, outputs.length)
    }
  })

  t.test(`${precision}: weights lie in one file beside the graphs, on pages, without overlap`, async (t) => {
    const { weights, graphs, streamStep } = await prepared(t, precision)
    const index = weightsIndex(weights.architecture, precision)
    t.equal((await stat(path.join(weights.folder, index.file))).size, index.bytes)
    let end = 0
    for (const { offset, bytes } of index.tensors.values()) {
      t.ok(offset % 4096 === 0 && offset >= end)
      end = offset + bytes
    }
    for (const file of paths(graphs, streamStep)) {
      t.equal(path.dirname(file), weights.folder)
      for (const { external } of readModel(await readFile(file)).initializers) {
        if (external.size === 0) continue
        t.equal(external.get('location'), index.file)
        t.ok(Number(external.get('offset')) + Number(external.get('length')) <= index.bytes)
      }
    }
  })
}

t.test('declared ports, also for odd grids and batches', async (t) => {
  const { graphs, streamStep } = await prepared(t, 'fp32', {
    rows: 3,
    cols: 7,
    windowLength: 16,
    encoderBatch: 2,
    decoderBatch: 4,
  })
  t.same(graphs.ports, {
    encoder: {
      inputs: { pixels: [2, 3, 42, 98] },
      outputs: { layer1: [2, 32, 12, 28], layer2: [2, 32, 6, 14], layer3: [2, 64, 3, 7], layer4: [2, 64, 2, 4] },
    },
    temporalHead: { inputs: { layer3: [16, 64, 3, 7], layer4: [16, 64, 2, 4] }, outputs: { path3: [16, 32, 6, 14] } },
    depthDecoder: {
      inputs: { path3: [4, 32, 6, 14], layer1: [4, 32, 12, 28], layer2: [4, 32, 6, 14] },
      outputs: { depth: [4, 42, 98] },
    },
  })
  // For each module its two attentions: pixels of its map, then its channels.
  const states: [string, number, number][] = [
    ...(['0.0', '0.1'] as const).map((name): [string, number, number] => [name, 21, 64]),
    ...(['1.0', '1.1'] as const).map((name): [string, number, number] => [name, 8, 64]),
    ...(['2.0', '2.1'] as const).map((name): [string, number, number] => [name, 21, 32]),
    ...(['3.0', '3.1'] as const).map((name): [string, number, number] => [name, 84, 32]),
  ]
  t.same(streamStep.ports, {
    inputs: {
      ...{ layer3: [1, 64, 3, 7], layer4: [1, 64, 2, 4], positions: [1, 43], mask: [1, 43] },
      ...Object.fromEntries(states.map(([name, pixels, width]) => [`remembered${name}`, [1, pixels, 42, width]])),
    },
    outputs: {
      path3: [1, 32, 6, 14],
      ...Object.fromEntries(states.map(([name, pixels, width]) => [`state${name}`, [1, pixels, width]])),
    },
  })
})

t.test('the stored position grid is used as it is, others are kept with the graph', async (t) => {
  const { weights, graphs: same } = await prepared(t, 'fp32', { ...plain, rows: 10, cols: 10 })
  const other = await prepareGraphs(weights, { ...plain, rows: 20, cols: 5 })
  const names = async (file: string): Promise<string[]> =>
    readModel(await readFile(file)).initializers.map(({ name }) => name)
  t.ok((await names(same.encoder)).includes('pretrained.positions'))
  t.ok((await names(other.encoder)).includes('positions'))
})

t.test('operators refuse what does not fit', (t) => {
  const g = new GraphBuilder('test', { file: 'none', bytes: 0, tensors: new Map() })
  const a = g.input('a', 'float32', [2, 3])
  const half = g.input('half', 'float16', [2, 3])
  t.throws(() => add(g, a, half), /Add of a \(float32\) and half \(float16\)/)
  t.throws(() => add(g, a, g.input('b', 'float32', [2, 4])), /does not broadcast/)
  t.throws(() => matMul(g, a, a), /MatMul of \[2,3\] and \[2,3\]/)
  t.throws(() => reshape(g, a, [5]), /Reshape/)
  t.throws(() => concat(g, [], 0), /Concat/)
  t.throws(() => conv(g, a, 'absent'), /holds no absent/)
  t.end()
})

t.test('bicubic positions as PyTorch computes them with these scale factors', (t) => {
  const table = Float32Array.from({ length: 16 }, (_, i) => Math.sin(Math.fround(i * Math.fround(0.7))))
  for (const [rows, cols, wanted] of torchPositions) {
    const found = resamplePositions(table, 4, 1, rows, cols)
    t.equal(found.length, wanted.length)
    t.ok(found.every((value, i) => Math.abs(value - (wanted[i] ?? Number.NaN)) < 1e-6))
  }
  t.end()
})

t.test('the temporal table is the sinusoids of the checkpoint, and only such a table is extended', async (t) => {
  const checkpoint = await openCheckpoint(tinyPth)
  t.teardown(() => checkpoint.close())
  const name = 'head.motion_modules.0.temporal_transformer.transformer_blocks.0.attention_blocks.0.pos_encoder.pe'
  const stored = await checkpoint.read(name)
  const extended = extendTemporalTable(stored.subarray(0, 16 * 64), 64, 32)
  t.ok(extended.every((value, i) => Math.abs(value - (stored[i] ?? Number.NaN)) < 2e-6))
  const trained = stored.map((value) => value * 1.01)
  t.throws(() => extendTemporalTable(trained, 64, 48), { code: 'CHECKPOINT_MISMATCH', message: /at most 32/ })
})

t.test('nothing but finished files is left in the cache', async (t) => {
  const { weights } = await prepared(t, 'fp32')
  const names = await readdir(weights.folder)
  t.same(
    names.filter((name) => name.startsWith('.')),
    [],
  )
  t.equal(names.length, 11) // the weights, two notes on them, and four graphs with one each
})
