// Owns: running the graphs with ONNX Runtime, frame after frame, for parity tests.
// Must not know: engines, windows.

import { readFile, rm, writeFile } from 'node:fs/promises'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { encodeModel, type GraphData } from '../../dist/esm/prepare/graph/onnx-proto.js'
import type { PreparedGraph, PreparedGraphs } from '../../dist/esm/prepare/graph/prepare-graphs.js'
import { toFloat16, toFloat32 } from '../../dist/esm/prepare/checkpoint/float-formats.js'
import { planStep } from '../../dist/esm/plan/step-plan.js'
import { readGraph } from './onnx-reader.js'

export interface WindowRun {
  /** Outputs of the encoder, by name, one array a frame. */
  readonly features: ReadonlyMap<string, readonly Float32Array[]>
  /** One array a frame. */
  readonly path3: readonly Float32Array[]
  /** One map a frame. */
  readonly depth: readonly Float32Array[]
}

/** Changes a graph before it is run. */
export type GraphChange = (graph: GraphData) => GraphData

export type Outputs = Readonly<Record<string, Float32Array>>

/** A loaded graph; float16 ports take and give float32 arrays. */
export class TestGraph {
  readonly #session: InferenceSession

  private constructor(session: InferenceSession) {
    this.#session = session
  }

  static async load(path: string, change?: GraphChange): Promise<TestGraph> {
    const changed = `${path}.changed.onnx` // its weights are found beside it
    if (change !== undefined) await writeFile(changed, encodeModel(change(readGraph(await readFile(path))), 'test'))
    try {
      const options = { executionProviders: ['cpu'], logSeverityLevel: 3 } as const
      return new TestGraph(await InferenceSession.create(change === undefined ? path : changed, options))
    } finally {
      await rm(changed, { force: true })
    }
  }

  static async use<T>(
    path: string,
    change: GraphChange | undefined,
    use: (graph: TestGraph) => Promise<T>,
  ): Promise<T> {
    const graph = await TestGraph.load(path, change)
    try {
      return await use(graph)
    } finally {
      await graph.release()
    }
  }

  shape(input: string): readonly number[] {
    return this.#input(input).shape
  }

  get outputs(): readonly string[] {
    return this.#session.outputNames
  }

  async run(feeds: Readonly<Record<string, Float32Array | BigInt64Array | undefined>>): Promise<Outputs> {
    const tensors = Object.entries(feeds).map(([name, data]): [string, Tensor] => {
      const { type, shape } = this.#input(name)
      if (data === undefined) throw new Error(`nothing for ${name}`)
      return [name, data instanceof BigInt64Array ? new Tensor(data, shape) : floatTensor(data, type, shape)]
    })
    const found = await this.#session.run(Object.fromEntries(tensors))
    return Object.fromEntries(Object.entries(found).map(([name, value]) => [name, floats(value)]))
  }

  release(): Promise<void> {
    return this.#session.release()
  }

  #input(name: string): { type: string; shape: number[] } {
    const found = this.#session.inputMetadata.find((value) => value.name === name)
    if (!found?.isTensor) throw new Error(`no input ${name}`)
    return { type: found.type, shape: found.shape.map(Number) }
  }
}

function floatTensor(data: Float32Array, type: string, shape: number[]): Tensor {
  return type === 'float16' ? new Tensor('float16', toFloat16(data), shape) : new Tensor('float32', data, shape)
}

function floats(value: Tensor): Float32Array {
  if (value.data instanceof Float32Array) return value.data
  if (value.type !== 'float16' || !ArrayBuffer.isView(value.data)) throw new Error('no float output')
  // Uint16Array, or Float16Array where the runtime has it.
  const { buffer, byteOffset, byteLength } = value.data
  return toFloat32(new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength), 'float16')
}

export type WindowGraphs = Pick<PreparedGraphs, 'encoder' | 'temporalHead' | 'depthDecoder'>

export interface RunOptions {
  readonly change?: GraphChange
  /** Positions whose depth is computed; default: all. */
  readonly wanted?: readonly number[]
}

/** Encoder and decoder must have batches of 1. @param frames preprocessed, one a slot of the window */
export async function runWindow(
  graphs: WindowGraphs,
  frames: readonly Float32Array[],
  { change, wanted = [...frames.keys()] }: RunOptions = {},
): Promise<WindowRun> {
  const features = new Map<string, Float32Array[]>()
  await TestGraph.use(graphs.encoder, change, async (encoder) => {
    for (const pixels of frames) {
      for (const [name, value] of Object.entries(await encoder.run({ pixels }))) {
        const list = features.get(name)
        if (list === undefined) features.set(name, [value])
        else list.push(value)
      }
    }
  })
  const path3 = await TestGraph.use(graphs.temporalHead, change, async (head) => {
    const [layer3, layer4] = ['layer3', 'layer4'].map((name) => joined(features.get(name) ?? []))
    return split((await head.run({ layer3, layer4 }))['path3'], frames.length)
  })
  const depth = await TestGraph.use(graphs.depthDecoder, change, async (decoder) => {
    const maps: Float32Array[] = []
    for (const i of wanted) {
      const feeds = { path3: path3[i], layer1: features.get('layer1')?.[i], layer2: features.get('layer2')?.[i] }
      maps.push(depthOf(await decoder.run(feeds)))
    }
    return maps
  })
  return { features, path3, depth }
}

export interface StepRun {
  readonly path3: Float32Array
  /** By name of the output. */
  readonly states: ReadonlyMap<string, Float32Array>
}

/** Steps of one stream over `frames`. @param step a graph for one stream */
export async function runSteps(
  encoder: string,
  step: PreparedGraph,
  frames: readonly Float32Array[],
  change?: GraphChange,
): Promise<StepRun[]> {
  const features: Outputs[] = []
  await TestGraph.use(encoder, change, async (graph) => {
    for (const pixels of frames) features.push(await graph.run({ pixels }))
  })
  return TestGraph.use(step.path, change, async (graph) => {
    const memory = newMemory(step)
    const runs: StepRun[] = []
    for (const [i, { layer3, layer4 }] of features.entries()) {
      const { path3, ...states } = await graph.run({ layer3, layer4, ...memoryFeeds(memory), ...stepFeeds(i) })
      if (path3 === undefined) throw new Error('no path3')
      remember(memory, states, i)
      runs.push({ path3, states: new Map(Object.entries(states)) })
    }
    return runs
  })
}

/** What one stream remembers, by name of the state: [pixels, slots, width]. */
export type StepMemory = ReadonlyMap<string, { readonly data: Float32Array; readonly shape: readonly number[] }>

export function newMemory({ ports }: PreparedGraph): StepMemory {
  const inputs = Object.entries(ports.inputs).filter(([name]) => name.startsWith('remembered'))
  return new Map(
    inputs.map(([name, [, ...shape]]) => {
      const data = new Float32Array(shape.reduce((a, b) => a * b, 1))
      return [name.replace('remembered', 'state'), { data, shape }]
    }),
  )
}

export function memoryFeeds(memory: StepMemory): Record<string, Float32Array> {
  return Object.fromEntries([...memory].map(([name, { data }]) => [name.replace('state', 'remembered'), data]))
}

/** @param frame since the stream began */
export function stepFeeds(frame: number): { positions: BigInt64Array; mask: Float32Array } {
  const { positions, visible } = planStep(frame)
  return {
    positions: BigInt64Array.from(positions, BigInt),
    mask: Float32Array.from(visible, (seen) => (seen ? 0 : -Infinity)),
  }
}

export function remember(memory: StepMemory, states: Outputs, frame: number): void {
  for (const [name, { data, shape }] of memory) {
    const [pixels = 0, slots = 0, width = 0] = shape
    const state = states[name]
    if (state?.length !== pixels * width) throw new Error(`${name} does not fit`)
    for (const slot of planStep(frame).write) {
      for (let pixel = 0; pixel < pixels; pixel++)
        data.set(state.subarray(pixel * width, (pixel + 1) * width), (pixel * slots + slot) * width)
    }
  }
}

function depthOf({ depth }: Outputs): Float32Array {
  if (depth === undefined) throw new Error('no depth')
  return depth
}

export function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

export function split(all: Float32Array | undefined, count: number): Float32Array[] {
  const each = (all?.length ?? 0) / count
  return Array.from({ length: count }, (_, i) => all?.subarray(i * each, (i + 1) * each) ?? new Float32Array())
}
