// Owns: the list of all graphs that engines ask for, in every variant, and emitting them.
// Must not know: what is done with them.

import {
  prepareDepthDecoder,
  prepareEncoder,
  prepareStreamStep,
  prepareTemporalHead,
  type PreparedGraph,
} from '../../dist/esm/prepare/graph/prepare-graphs.js'
import type { PreparedWeights } from '../../dist/esm/prepare/graph/prepare-weights.js'
import type { GraphVariant } from '../../dist/esm/prepare/graph/variant.js'
import { stateSlots } from '../../dist/esm/plan/step-plan.js'
import { cores, type Checkpoints, type Grid } from './fp16-stages.js'

export interface Batches {
  readonly encoder: readonly number[]
  readonly decoder: readonly number[]
  readonly streams: readonly number[]
  readonly windowLength: number
}

export const everyBatch: Batches = { encoder: [1, 2, 11], decoder: [1, 8], streams: [1, 2, 8], windowLength: 32 }
export const leastBatches: Batches = { encoder: [1], decoder: [1], streams: [1], windowLength: 32 }

/** The fp16 plan with each attention core, float32, and float32 between float16 ports: the decoder is a fallback of the plan. */
export async function everyGraph({ fp32, fp16 }: Checkpoints, grid: Grid, batches: Batches): Promise<PreparedGraph[]> {
  const gpu: GraphVariant = { target: 'gpu', attention: 'fp16' }
  const combinations: [PreparedWeights, GraphVariant][] = [
    ...cores.map((attention): [PreparedWeights, GraphVariant] => [fp16, { ...gpu, attention }]),
    [fp32, gpu],
    [fp32, { ...gpu, handed: 'float16' }],
  ]
  const graphs = new Map<string, PreparedGraph>()
  for (const [weights, variant] of combinations) {
    for (const graph of await graphsOf(weights, variant, grid, batches)) graphs.set(graph.path, graph)
  }
  return [...graphs.values()]
}

async function graphsOf(
  weights: PreparedWeights,
  variant: GraphVariant,
  { rows, cols }: Grid,
  { encoder, decoder, streams, windowLength }: Batches,
): Promise<PreparedGraph[]> {
  const graphs = [await prepareTemporalHead(weights, { rows, cols, windowLength }, variant)]
  for (const encoderBatch of encoder) graphs.push(await prepareEncoder(weights, { rows, cols, encoderBatch }, variant))
  for (const decoderBatch of decoder)
    graphs.push(await prepareDepthDecoder(weights, { rows, cols, decoderBatch }, variant))
  for (const count of streams)
    graphs.push(await prepareStreamStep(weights, { rows, cols, stateSlots, streams: count }, variant))
  return graphs
}
