// Owns: finding or making the graphs that one geometry needs, and the networks that are loaded, by input size.
// Must not know: messages, sessions, videos.

import { setImmediate as breathe } from 'node:timers/promises'
import {
  prepareDepthDecoder,
  prepareEncoder,
  prepareStreamStep,
  prepareTemporalHead,
  type PreparedGraph,
} from '../graph/prepare-graphs.js'
import type { PreparedWeights } from '../graph/prepare-weights.js'
import { patchSize } from '../model/input-size.js'
import { stateSlots } from '../stream/step-plan.js'
import { CpuNetwork } from './cpu-network.js'
import type { StreamHead } from './cpu-stream-head.js'
import type { WindowHead } from './cpu-window-head.js'
import type { LoadProgress } from './engine.js'
import type { RunGate } from './run-gate.js'

/** Graphs that a session or a stream needs. */
const graphsANetwork = 3

export interface Preparation {
  readonly signal: AbortSignal
  readonly onProgress: (progress: LoadProgress) => void
}

/** Network input, pixels, multiples of 14. */
export interface InputGeometry {
  readonly inputWidth: number
  readonly inputHeight: number
}

/** The networks of one checkpoint. */
export class CpuNetworks {
  readonly #weights: PreparedWeights
  readonly #threads: number
  readonly #gate: RunGate
  /** By input size. */
  readonly #networks = new Map<string, CpuNetwork>()

  constructor(weights: PreparedWeights, threads: number, gate: RunGate) {
    this.#weights = weights
    this.#threads = threads
    this.#gate = gate
  }

  async forWindows(
    geometry: InputGeometry & { readonly windowLength: number },
    used: ReadonlySet<CpuNetwork>,
    preparation: Preparation,
  ): Promise<{ network: CpuNetwork; head: WindowHead }> {
    const { windowLength } = geometry
    const graph = graphCounter(preparation)
    const network = await this.#network(geometry, used, graph)
    const shape = { ...gridOf(geometry), windowLength }
    const head = await network.windowHead(windowLength, () => graph(() => prepareTemporalHead(this.#weights, shape)))
    return { network, head }
  }

  async forStreams(
    geometry: InputGeometry,
    used: ReadonlySet<CpuNetwork>,
    preparation: Preparation,
  ): Promise<{ network: CpuNetwork; head: StreamHead }> {
    const graph = graphCounter(preparation)
    const network = await this.#network(geometry, used, graph)
    const shape = { ...gridOf(geometry), stateSlots, streams: 1 }
    const head = await network.streamHead(() => graph(() => prepareStreamStep(this.#weights, shape)))
    return { network, head }
  }

  async #network(geometry: InputGeometry, used: ReadonlySet<CpuNetwork>, graph: GraphStep): Promise<CpuNetwork> {
    const key = `${geometry.inputWidth}x${geometry.inputHeight}`
    const known = this.#networks.get(key)
    if (known !== undefined) return known
    await this.#releaseAllBut(used)
    const grid = gridOf(geometry)
    const network = await CpuNetwork.create(
      () => graph(() => prepareEncoder(this.#weights, { ...grid, encoderBatch: 1 })),
      () => graph(() => prepareDepthDecoder(this.#weights, { ...grid, decoderBatch: 1 })),
      this.#threads,
      this.#gate,
    )
    this.#networks.set(key, network)
    return network
  }

  /** A size that nobody uses is kept until another one is asked for. */
  async #releaseAllBut(used: ReadonlySet<CpuNetwork>): Promise<void> {
    for (const [key, network] of this.#networks) {
      if (used.has(network)) continue
      this.#networks.delete(key)
      await network.release()
    }
  }
}

type GraphStep = (prepare: () => Promise<PreparedGraph>) => Promise<PreparedGraph>

/** Tells of each graph; an abort takes effect before the next one. */
function graphCounter({ signal, onProgress }: Preparation): GraphStep {
  let done = 0
  return async (prepare) => {
    await breathe() // lets an abort in
    signal.throwIfAborted()
    const graph = await prepare()
    onProgress({ phase: 'graphs', fraction: (done + 1) / graphsANetwork })
    onProgress({ phase: 'sessions', fraction: done++ / graphsANetwork }) // loaded next
    return graph
  }
}

function gridOf({ inputWidth, inputHeight }: InputGeometry): { rows: number; cols: number } {
  return { rows: inputHeight / patchSize, cols: inputWidth / patchSize }
}
