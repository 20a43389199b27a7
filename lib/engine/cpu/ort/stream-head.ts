// Owns: the temporal head for one new frame, the memory that its attentions keep, and how a new state enters it.
// Must not know: which frames are remembered, videos.

import { Tensor } from 'onnxruntime-node'
import type { StepPlan } from '../../../plan/step-plan.js'
import type { Bytes, Floats, StreamMemory } from '../network.js'
import { tensor, type OrtGraph, type Port } from './ort-graph.js'
import type { OrtFeatures } from './ort-network.js'

interface StatePort {
  /** [1, pixels, slots, width] */
  readonly remembered: Port
  /** Where it begins in a stream's memory, bytes: the attentions' parts lie one after another. */
  readonly start: number
  readonly state: Port
  /** The state of the last frame, until it is committed. */
  readonly buffer: Floats
}

/** All slots, of each attention [1, pixels, slots, width] float32. */
export class OrtMemory implements StreamMemory {
  #bytes: Bytes

  constructor(length: number) {
    this.#bytes = new Uint8Array(length)
  }

  get bytes(): Bytes {
    return this.#bytes
  }

  export(): Bytes {
    return this.#bytes.slice()
  }

  import(bytes: Bytes): void {
    const { length } = this.#bytes
    if (bytes.length !== length) throw new RangeError(`Expected ${length} bytes for state, received ${bytes.length}`)
    this.#bytes = bytes.slice()
  }

  release(): void {
    this.#bytes = new Uint8Array(0)
  }
}

export class StreamHead {
  readonly #graph: OrtGraph
  readonly #layer3: Port
  readonly #layer4: Port
  readonly #path: Port
  readonly #pathBuffer: Floats
  readonly #states: readonly StatePort[]
  readonly #memoryBytes: number

  /** @param graph a step of one stream; @param outputs names of its outputs */
  constructor(graph: OrtGraph, outputs: readonly string[]) {
    this.#graph = graph
    this.#layer3 = graph.input('layer3')
    this.#layer4 = graph.input('layer4')
    this.#path = graph.output('path3')
    this.#pathBuffer = new Float32Array(this.#path.length)
    let start = 0
    this.#states = outputs
      .filter((name) => name.startsWith('state'))
      .map((name) => {
        const state = graph.output(name)
        const remembered = graph.input(name.replace('state', 'remembered'))
        const port = { state, remembered, start, buffer: new Float32Array(state.length) }
        start += remembered.length * Float32Array.BYTES_PER_ELEMENT
        return port
      })
    this.#memoryBytes = start
  }

  newMemory(): OrtMemory {
    return new OrtMemory(this.#memoryBytes)
  }

  /** Leaves `memory` as it is. @returns path3, valid until the next call */
  async run(features: OrtFeatures, { bytes }: OrtMemory, { positions, visible }: StepPlan): Promise<Floats> {
    const feeds: Record<string, Tensor> = {
      layer3: tensor(features[2], this.#layer3.shape),
      layer4: tensor(features[3], this.#layer4.shape),
      positions: new Tensor('int64', BigInt64Array.from(positions, BigInt), [1, positions.length]),
      mask: new Tensor(
        'float32',
        Float32Array.from(visible, (seen) => (seen ? 0 : -Infinity)),
        [1, visible.length],
      ),
    }
    const fetches: Record<string, Tensor> = { path3: tensor(this.#pathBuffer, this.#path.shape) }
    for (const { remembered, start, state, buffer } of this.#states) {
      feeds[remembered.name] = tensor(partOf(bytes, start, remembered), remembered.shape)
      fetches[state.name] = tensor(buffer, state.shape)
    }
    await this.#graph.run(feeds, fetches)
    return this.#pathBuffer
  }

  /** Puts the states of the last `run` into these slots of `memory`. */
  commit({ bytes }: OrtMemory, slots: readonly number[]): void {
    for (const { remembered, start, buffer } of this.#states) {
      const part = partOf(bytes, start, remembered)
      const [, pixels = 0, count = 0, width = 0] = remembered.shape
      for (const slot of slots) writeSlot(part, buffer, slot, { pixels, count, width })
    }
  }

  release(): Promise<void> {
    return this.#graph.release()
  }
}

function partOf({ buffer, byteOffset }: Bytes, start: number, { length }: Port): Floats {
  return new Float32Array(buffer, byteOffset + start, length)
}

interface MemoryShape {
  readonly pixels: number
  /** Slots. */
  readonly count: number
  readonly width: number
}

/** Element by element: a view a pixel would cost more than the copy. */
function writeSlot(part: Floats, state: Floats, slot: number, { pixels, count, width }: MemoryShape): void {
  for (let pixel = 0, from = 0; pixel < pixels; pixel++) {
    let to = (pixel * count + slot) * width
    for (let i = 0; i < width; i++) part[to++] = state[from++] as number
  }
}
