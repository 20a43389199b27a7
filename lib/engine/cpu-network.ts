// Owns: the graphs of one input size on the CPU, and the scratch buffers that all of its users share.
// Must not know: threads, messages, videos, what a session keeps. Its calls block the thread that makes them.

import type { PreparedGraph } from '../graph/prepare-graphs.js'
import { OrtGraph, tensor, type Floats, type Port } from './ort.js'
import { StreamHead } from './cpu-stream-head.js'
import { WindowHead } from './cpu-window-head.js'
import type { RunGate } from './run-gate.js'

/** What is kept of one frame: the encoder's four outputs. */
export type Features = readonly Floats[]

const featureNames = ['layer1', 'layer2', 'layer3', 'layer4'] as const

/** Gives a graph's file; what it prepares is told where that takes time. */
export type GraphFile = () => Promise<PreparedGraph>

export class CpuNetwork {
  readonly #threads: number
  readonly #gate: RunGate
  readonly #encoder: OrtGraph
  readonly #decoder: OrtGraph
  readonly #featurePorts: readonly Port[]
  readonly #path: Port
  readonly #depth: Port
  readonly #pixels: Port
  readonly #windowHeads = new Map<number, WindowHead>()
  #streamHead: StreamHead | undefined
  /** [3, H, W] input of the encoder, filled by the caller before `encode`. */
  readonly pixels: Floats

  private constructor(threads: number, gate: RunGate, encoder: OrtGraph, decoder: OrtGraph) {
    this.#threads = threads
    this.#gate = gate
    this.#encoder = encoder
    this.#decoder = decoder
    this.#featurePorts = featureNames.map((name) => encoder.output(name))
    this.#path = decoder.input('path3')
    this.#depth = decoder.output('depth')
    this.#pixels = encoder.input('pixels')
    this.pixels = new Float32Array(this.#pixels.length)
  }

  /** @param encoder and @param decoder with batches of 1 */
  static async create(encoder: GraphFile, decoder: GraphFile, threads: number, gate: RunGate): Promise<CpuNetwork> {
    const first = await OrtGraph.load((await encoder()).path, threads, gate)
    try {
      return new CpuNetwork(threads, gate, first, await OrtGraph.load((await decoder()).path, threads, gate))
    } catch (error) {
      await first.release()
      throw error
    }
  }

  /** Loaded when it is first asked for. */
  async windowHead(length: number, graph: GraphFile): Promise<WindowHead> {
    const known = this.#windowHeads.get(length)
    if (known !== undefined) return known
    const head = new WindowHead(await OrtGraph.load((await graph()).path, this.#threads, this.#gate), length)
    this.#windowHeads.set(length, head)
    return head
  }

  /** Loaded when it is first asked for. */
  async streamHead(graph: GraphFile): Promise<StreamHead> {
    if (this.#streamHead === undefined) {
      const { path, ports } = await graph()
      this.#streamHead = new StreamHead(
        await OrtGraph.load(path, this.#threads, this.#gate),
        Object.keys(ports.outputs),
      )
    }
    return this.#streamHead
  }

  newFeatures(): Features {
    return this.#featurePorts.map(({ length }) => new Float32Array(length))
  }

  newMap(): Floats {
    return new Float32Array(this.#depth.length)
  }

  /** Encodes `pixels` into `features`. */
  encode(features: Features): Promise<void> {
    const fetches = Object.fromEntries(this.#featurePorts.map((p, i) => [p.name, tensor(features[i], p.shape)]))
    return this.#encoder.run({ pixels: tensor(this.pixels, this.#pixels.shape) }, fetches)
  }

  /** @param path3 of one frame, from a head; @param map receives [H, W] */
  decode(path3: Float32Array, features: Features, map: Floats): Promise<void> {
    const feeds = {
      path3: tensor(path3, this.#path.shape),
      layer1: tensor(features[0], this.#featurePorts[0]?.shape),
      layer2: tensor(features[1], this.#featurePorts[1]?.shape),
    }
    return this.#decoder.run(feeds, { depth: tensor(map, this.#depth.shape) })
  }

  async release(): Promise<void> {
    const heads = [...this.#windowHeads.values(), ...(this.#streamHead === undefined ? [] : [this.#streamHead])]
    await Promise.all([this.#encoder, this.#decoder, ...heads].map((graph) => graph.release()))
  }
}
