// Owns: a checkpoint as ONNX Runtime's graphs: finding or making those of one size, and telling of it.
// Must not know: what a graph computes, messages, sessions.

import { setImmediate as breathe } from 'node:timers/promises'
import {
  prepareDepthDecoder,
  prepareEncoder,
  prepareStreamStep,
  prepareTemporalHead,
  type PreparedGraph,
} from '../../../prepare/graph/prepare-graphs.js'
import type { PreparedWeights } from '../../../prepare/graph/prepare-weights.js'
import { stateSlots } from '../../../plan/step-plan.js'
import type { CpuModel, Grid, Preparation } from '../network.js'
import { OrtGraph } from './ort-graph.js'
import { OrtNetwork, type HeadGraphs } from './ort-network.js'
import type { RunGate } from './run-gate.js'

/** Graphs that a session or a stream needs: encoder, depth decoder, temporal head. */
const graphsANetwork = 3

export class OrtModel implements CpuModel {
  readonly #weights: PreparedWeights
  readonly #threads: number
  readonly #gate: RunGate

  /** @param threads of one operator, ≥ 1 */
  constructor(weights: PreparedWeights, threads: number, gate: RunGate) {
    this.#weights = weights
    this.#threads = threads
    this.#gate = gate
  }

  async network(grid: Grid, preparation: Preparation): Promise<OrtNetwork> {
    const encoder = await this.#load(0, preparation, () => prepareEncoder(this.#weights, { ...grid, encoderBatch: 1 }))
    try {
      const shape = { ...grid, decoderBatch: 1 }
      const decoder = await this.#load(1, preparation, () => prepareDepthDecoder(this.#weights, shape))
      return new OrtNetwork(encoder.graph, decoder.graph, this.#heads(grid))
    } catch (error) {
      await encoder.graph.release()
      throw error
    }
  }

  #heads(grid: Grid): HeadGraphs {
    return {
      windows: async (windowLength, preparation) => {
        const prepare = (): Promise<PreparedGraph> => prepareTemporalHead(this.#weights, { ...grid, windowLength })
        return (await this.#load(2, preparation, prepare)).graph
      },
      streams: async (preparation) => {
        const shape = { ...grid, stateSlots, streams: 1 }
        const { graph, ports } = await this.#load(2, preparation, () => prepareStreamStep(this.#weights, shape))
        return { graph, outputs: Object.keys(ports.outputs) }
      },
    }
  }

  /** @param index 0…2, of the graph among those of a network */
  async #load(
    index: number,
    { signal, onProgress }: Preparation,
    prepare: () => Promise<PreparedGraph>,
  ): Promise<PreparedGraph & { readonly graph: OrtGraph }> {
    await breathe() // lets an abort in
    signal.throwIfAborted()
    const prepared = await prepare()
    onProgress({ phase: 'graphs', fraction: (index + 1) / graphsANetwork })
    onProgress({ phase: 'sessions', fraction: index / graphsANetwork }) // loaded next
    return { ...prepared, graph: await OrtGraph.load(prepared.path, this.#threads, this.#gate) }
  }
}
