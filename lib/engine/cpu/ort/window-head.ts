// Owns: the temporal head over the frames of a window, and its input and output buffers.
// Must not know: which frames these are, what becomes of the result.

import type { Tensor } from 'onnxruntime-node'
import { VideoDepthError } from '../../../base/errors.js'
import type { Floats } from '../network.js'
import { tensor, type OrtGraph, type Port } from './ort-graph.js'
import type { OrtFeatures } from './ort-network.js'

export class WindowHead {
  readonly #graph: OrtGraph
  readonly #length: number
  readonly #inputs: readonly { readonly port: Port; readonly buffer: Floats }[]
  readonly #path: Port
  readonly #pathBuffer: Floats

  /** @param length frames */
  constructor(graph: OrtGraph, length: number) {
    this.#graph = graph
    this.#length = length
    this.#inputs = ['layer3', 'layer4'].map((name) => {
      const port = graph.input(name)
      return { port, buffer: new Float32Array(port.length) }
    })
    this.#path = graph.output('path3')
    this.#pathBuffer = new Float32Array(this.#path.length)
  }

  /** @returns path3 of each position, valid until the next call */
  async run(window: readonly OrtFeatures[]): Promise<Float32Array[]> {
    const feeds: Record<string, Tensor> = {}
    for (const [i, { port, buffer }] of this.#inputs.entries()) {
      const perFrame = port.length / this.#length
      for (const [position, features] of window.entries()) {
        const layer = features[i + 2]
        if (layer?.length !== perFrame || window.length !== this.#length)
          throw new VideoDepthError('ENGINE_FAILED', `window of ${window.length} does not fit`)
        buffer.set(layer, position * perFrame)
      }
      feeds[port.name] = tensor(buffer, port.shape)
    }
    await this.#graph.run(feeds, { path3: tensor(this.#pathBuffer, this.#path.shape) })
    const perFrame = this.#path.length / this.#length
    return window.map((_, position) => this.#pathBuffer.subarray(position * perFrame, (position + 1) * perFrame))
  }

  release(): Promise<void> {
    return this.#graph.release()
  }
}
