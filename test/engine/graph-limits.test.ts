// Owns: tests that graphs for a GPU keep within a launch grid, and that files' names tell variants apart.
// Must not know: engines, weights.

import { createHash } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { buildEncoder } from '../../dist/esm/prepare/graph/encoder.js'
import type { GraphBuilder } from '../../dist/esm/prepare/graph/builder.js'
import type { GraphData } from '../../dist/esm/prepare/graph/onnx-proto.js'
import {
  prepareDepthDecoder,
  prepareEncoder,
  prepareStreamStep,
  prepareTemporalHead,
} from '../../dist/esm/prepare/graph/prepare-graphs.js'
import { prepareWeights } from '../../dist/esm/prepare/graph/prepare-weights.js'
import { buildStreamStep } from '../../dist/esm/prepare/graph/stream-step.js'
import { buildTemporalHead } from '../../dist/esm/prepare/graph/temporal-head.js'
import type { GraphVariant } from '../../dist/esm/prepare/graph/variant.js'
import { weightsIndex } from '../../dist/esm/prepare/graph/weights-file.js'
import type { Architecture } from '../../dist/esm/prepare/checkpoint/architecture.js'
import { recipes } from '../../dist/esm/prepare/checkpoint/recipe.js'
import { stateSlots } from '../../dist/esm/plan/step-plan.js'
import { tinyPth } from '../support/checkpoint-files.js'
import { cores } from '../support/fp16-stages.js'
import { readGraph } from '../support/onnx-reader.js'

/** CUDA's limit on a grid's second and third extent. */
const limit = 65535

/** The largest batch of a product of two computed tensors. */
function largestBatch(graph: GraphData): number {
  const shapes = new Map([...graph.inputs, ...graph.inner, ...graph.outputs].map(({ name, shape }) => [name, shape]))
  const batches = graph.nodes
    .filter(
      ({ operator, inputs }) => operator === 'MatMul' && inputs.every((name) => (shapes.get(name)?.length ?? 0) > 2),
    )
    .map(({ output }) => (shapes.get(output) ?? []).slice(0, -2).reduce((a, b) => a * b, 1))
  return Math.max(...batches)
}

function published(size: string): Architecture {
  const recipe = recipes().find((candidate) => candidate.size === size)
  if (recipe === undefined) throw new Error(`no recipe for ${size}`)
  return { ...recipe.dimensions, heads: recipe.dimensions.embedWidth / 64, taps: recipe.taps, size: undefined }
}

const gpu: GraphVariant = { target: 'gpu', attention: 'fp16' }
const wide = { rows: 37, cols: 66 }

for (const precision of ['fp16', 'fp32'] as const) {
  t.test(`${precision}: products at 518×924 stay within a launch grid`, (t) => {
    for (const size of ['S', 'L']) {
      const architecture = published(size)
      const index = weightsIndex(architecture, precision)
      const graphs: Record<string, GraphBuilder> = {
        head: buildTemporalHead(architecture, index, { ...wide, windowLength: 32 }, precision, gpu, new Map()),
        encoder: buildEncoder(
          architecture,
          index,
          { ...wide, encoderBatch: 11 },
          precision,
          gpu,
          new Float32Array(wide.rows * wide.cols * architecture.embedWidth),
        ),
        ...Object.fromEntries(
          [1, 8].map((streams) => [
            `step of ${streams}`,
            buildStreamStep(architecture, index, { ...wide, stateSlots, streams }, precision, gpu),
          ]),
        ),
      }
      for (const [name, graph] of Object.entries(graphs)) {
        const largest = largestBatch(readGraph(graph.serialize()))
        t.ok(largest > 1 && largest <= limit, `${size}, ${name}: ${largest}`)
      }
    }
    t.end()
  })
}

t.test('without a cut they would not', (t) => {
  const architecture = published('S')
  const index = weightsIndex(architecture, 'fp16')
  const head = buildTemporalHead(
    architecture,
    index,
    { ...wide, windowLength: 32 },
    'fp16',
    gpu,
    new Map(),
    () => Infinity,
  )
  const step = buildStreamStep(architecture, index, { ...wide, stateSlots, streams: 8 }, 'fp16', gpu, Infinity)
  t.equal(largestBatch(readGraph(head.serialize())), 4 * 37 * 66 * 8)
  t.equal(largestBatch(readGraph(step.serialize())), 4 * 37 * 66 * 8)
  t.end()
})

t.test('graphs that differ have files of different names', async (t) => {
  const cacheDir = t.testdir()
  const contents = new Map<string, string>()
  const grid = { rows: 3, cols: 5 }
  for (const precision of ['fp32', 'fp16'] as const) {
    const weights = await prepareWeights({ checkpoint: tinyPth, cacheDir, precision })
    for (const attention of cores) {
      for (const target of ['cpu', 'gpu'] as const) {
        for (const handed of [undefined, 'float16', 'float32'] as const) {
          const variant: GraphVariant = handed === undefined ? { target, attention } : { target, attention, handed }
          const graphs = [
            await prepareEncoder(weights, { ...grid, encoderBatch: 1 }, variant),
            await prepareTemporalHead(weights, { ...grid, windowLength: 4 }, variant),
            await prepareStreamStep(weights, { ...grid, stateSlots: 3, streams: 1 }, variant),
            await prepareStreamStep(weights, { ...grid, stateSlots: 3, streams: 2 }, variant),
            await prepareDepthDecoder(weights, { ...grid, decoderBatch: 1 }, variant),
          ]
          for (const { path: file } of graphs) {
            const name = path.basename(file)
            const known = contents.get(name)
            const found = createHash('sha256')
              .update(await readFile(file))
              .digest('hex')
            if (known !== undefined && known !== found) t.fail(`two graphs are named ${name}`)
            contents.set(name, found)
            await rm(file) // so that the next of its name is made anew
          }
        }
      }
    }
  }
  // Cores, targets where they matter, and a handed type that is not the weights' own, for each precision.
  t.equal(contents.size, 2 * (3 * 2 + 3 * 2 * 2 + 2 * 3 * 2 * 2 + 2))
})
