// Owns: the network at one size as ONNX Runtime's graphs, and the buffers between them.
// Must not know: where graphs come from, threads, messages, videos, what a session keeps.

import { VideoDepthError } from '../../../base/errors.js'
import type { StepPlan } from '../../../plan/step-plan.js'
import type { CpuNetwork, Floats, Preparation } from '../network.js'
import { tensor, type OrtGraph, type Port } from './ort-graph.js'
import { StreamHead, type OrtMemory } from './stream-head.js'
import { WindowHead } from './window-head.js'

/** The encoder's four outputs. */
export type OrtFeatures = readonly Floats[]

const featureNames = ['layer1', 'layer2', 'layer3', 'layer4'] as const

/** Loads the temporal head's graphs when they are first needed. */
export interface HeadGraphs {
  readonly windows: (length: number, preparation: Preparation) => Promise<OrtGraph>
  /** The graph of a single stream, and the names of its outputs. */
  readonly streams: (preparation: Preparation) => Promise<{ readonly graph: OrtGraph; readonly outputs: string[] }>
}

export class OrtNetwork implements CpuNetwork<OrtFeatures, OrtMemory> {
  readonly pixels: Floats
  readonly #encoder: OrtGraph
  readonly #decoder: OrtGraph
  readonly #headGraphs: HeadGraphs
  readonly #featurePorts: readonly Port[]
  readonly #path: Port
  readonly #depth: Port
  readonly #pixels: Port
  readonly #windowHeads = new Map<number, WindowHead>()
  #streamHead: StreamHead | undefined
  /** path3 of each position of the last `head` or `step`. */
  #paths: readonly Float32Array[] = []

  /** @param encoder and @param decoder with batches of 1; all graphs are the network's to release */
  constructor(encoder: OrtGraph, decoder: OrtGraph, headGraphs: HeadGraphs) {
    this.#encoder = encoder
    this.#decoder = decoder
    this.#headGraphs = headGraphs
    this.#featurePorts = featureNames.map((name) => encoder.output(name))
    this.#path = decoder.input('path3')
    this.#depth = decoder.output('depth')
    this.#pixels = encoder.input('pixels')
    this.pixels = new Float32Array(this.#pixels.length)
  }

  newFeatures(): OrtFeatures {
    return this.#featurePorts.map(({ length }) => new Float32Array(length))
  }

  newMap(): Floats {
    return new Float32Array(this.#depth.length)
  }

  newMemory(): OrtMemory {
    return this.#streams().newMemory()
  }

  async loadWindows(length: number, preparation: Preparation): Promise<void> {
    if (this.#windowHeads.has(length)) return
    this.#windowHeads.set(length, new WindowHead(await this.#headGraphs.windows(length, preparation), length))
  }

  async loadStreams(preparation: Preparation): Promise<void> {
    if (this.#streamHead !== undefined) return
    const { graph, outputs } = await this.#headGraphs.streams(preparation)
    this.#streamHead = new StreamHead(graph, outputs)
  }

  encode(features: OrtFeatures): Promise<void> {
    const fetches = Object.fromEntries(this.#featurePorts.map((p, i) => [p.name, tensor(features[i], p.shape)]))
    return this.#encoder.run({ pixels: tensor(this.pixels, this.#pixels.shape) }, fetches)
  }

  async head(window: readonly OrtFeatures[]): Promise<void> {
    const head = this.#windowHeads.get(window.length)
    if (head === undefined) throw new VideoDepthError('ENGINE_FAILED', `no head for a window of ${window.length}`)
    this.#paths = await head.run(window)
  }

  async step(features: OrtFeatures, memory: OrtMemory, plan: StepPlan): Promise<void> {
    this.#paths = [await this.#streams().run(features, memory, plan)]
  }

  remember(memory: OrtMemory, slots: readonly number[]): void {
    this.#streams().commit(memory, slots)
  }

  decode(position: number, features: OrtFeatures, map: Floats): Promise<void> {
    const feeds = {
      path3: tensor(this.#paths[position], this.#path.shape),
      layer1: tensor(features[0], this.#featurePorts[0]?.shape),
      layer2: tensor(features[1], this.#featurePorts[1]?.shape),
    }
    return this.#decoder.run(feeds, { depth: tensor(map, this.#depth.shape) })
  }

  async release(): Promise<void> {
    const heads = [...this.#windowHeads.values(), ...(this.#streamHead === undefined ? [] : [this.#streamHead])]
    await Promise.all([this.#encoder, this.#decoder, ...heads].map((graph) => graph.release()))
  }

  #streams(): StreamHead {
    if (this.#streamHead === undefined) throw new VideoDepthError('ENGINE_FAILED', 'the head for streams is not loaded')
    return this.#streamHead
  }
}
