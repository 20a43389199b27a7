// Owns: one graph under construction: typed values with known shapes, constants, names.
// Must not know: the network, operators' shape rules (operators.ts).

import type { WeightsIndex } from './weights-file.js'
import {
  bytesPerElement,
  encodeModel,
  type Attribute,
  type DataType,
  type GraphData,
  type InitializerData,
  type NodeData,
  type ValueData,
} from './onnx-proto.js'

/** Raised with every change of what is emitted: it is part of every cache key. */
export const emitterVersion = '4'

/** A tensor in the graph. Shapes are static: no symbolic extents. */
export type Value = ValueData

export type Shape = readonly number[]

export class GraphBuilder {
  readonly #name: string
  readonly #weights: WeightsIndex
  readonly #nodes: NodeData[] = []
  readonly #initializers = new Map<string, InitializerData>()
  readonly #inputs: Value[] = []
  readonly #outputs = new Map<string, Value>()
  readonly #values = new Map<string, Value>()
  readonly #names = new Map<string, number>()
  #scope = ''

  constructor(name: string, weights: WeightsIndex) {
    this.#name = name
    this.#weights = weights
  }

  /** Prefixes the names of all nodes made inside. */
  within<T>(scope: string, build: () => T): T {
    const outer = this.#scope
    this.#scope = outer === '' ? scope : `${outer}/${scope}`
    try {
      return build()
    } finally {
      this.#scope = outer
    }
  }

  input(name: string, type: DataType, shape: Shape): Value {
    const value = { name, type, shape }
    this.#inputs.push(value)
    return value
  }

  /** Declares `value` a result of the graph, under this name. */
  output(name: string, value: Value): void {
    const isFree =
      this.#values.has(value.name) && ![...this.#outputs.values()].some((other) => other.name === value.name)
    this.#outputs.set(name, isFree ? value : this.node('Identity', [value], value.type, value.shape))
  }

  /**
   * A tensor of the weights file.
   *
   * @param shape another shape of as many elements, or of fewer: then the tensor's first ones
   */
  weight(name: string, shape?: Shape): Value {
    const placed = this.#weights.tensors.get(name)
    if (placed === undefined) throw new Error(`the weights file holds no ${name}`)
    const { type, offset } = placed
    const extents = shape ?? placed.shape
    const bytes = elementCount(extents) * bytesPerElement[type]
    if (bytes > placed.bytes) throw new Error(`${name} has fewer than ${elementCount(extents)} elements`)
    const full = bytes === placed.bytes && sameShape(extents, placed.shape)
    const unique = full ? name : `${name}[${extents.join('x')}]`
    return this.#initializer({ name: unique, type, shape: extents, data: { file: this.#weights.file, offset, bytes } })
  }

  has(weight: string): boolean {
    return this.#weights.tensors.has(weight)
  }

  /** An int64 list, as shapes and indices are given. */
  integers(values: readonly number[]): Value {
    const data = new Uint8Array(BigInt64Array.from(values, BigInt).buffer)
    return this.#initializer({ name: `int64(${values.join(',')})`, type: 'int64', shape: [values.length], data })
  }

  /** `count` times the same float32. */
  filled(value: number, count: number): Value {
    const data = new Uint8Array(new Float32Array(count).fill(value).buffer)
    return this.#initializer({ name: `float32(${value})x${count}`, type: 'float32', shape: [count], data })
  }

  /** A float32 table that belongs to this graph alone. */
  table(name: string, shape: Shape, values: Float32Array): Value {
    if (elementCount(shape) !== values.length) throw new Error(`${name} does not fit [${shape.join(', ')}]`)
    const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    return this.#initializer({ name, type: 'float32', shape, data })
  }

  #initializer(data: InitializerData): Value {
    if (!this.#initializers.has(data.name)) this.#initializers.set(data.name, data)
    return { name: data.name, type: data.type, shape: data.shape }
  }

  /** The caller (operators.ts) answers for type and shape. */
  node(
    operator: string,
    inputs: readonly Value[],
    type: DataType,
    shape: Shape,
    attributes: Readonly<Record<string, Attribute>> = {},
    domain = '',
  ): Value {
    const base = this.#scope === '' ? operator : `${this.#scope}/${operator}`
    const used = this.#names.get(base) ?? 0
    this.#names.set(base, used + 1)
    const name = used === 0 ? base : `${base}_${used}`
    const value = { name: `${name}:0`, type, shape }
    this.#nodes.push({
      name,
      operator,
      domain,
      inputs: inputs.map((input) => input.name),
      output: value.name,
      attributes,
    })
    this.#values.set(value.name, value)
    return value
  }

  /** Inputs and outputs by name. */
  ports(): { inputs: Record<string, Shape>; outputs: Record<string, Shape> } {
    return {
      inputs: Object.fromEntries(this.#inputs.map(({ name, shape }) => [name, shape])),
      outputs: Object.fromEntries([...this.#outputs].map(([name, { shape }]) => [name, shape])),
    }
  }

  serialize(): Uint8Array {
    return encodeModel(this.#finish(), emitterVersion)
  }

  #finish(): GraphData {
    const renamed = new Map([...this.#outputs].map(([name, value]) => [value.name, name]))
    const rename = (name: string): string => renamed.get(name) ?? name
    return {
      name: this.#name,
      nodes: this.#nodes.map((node) => ({ ...node, inputs: node.inputs.map(rename), output: rename(node.output) })),
      initializers: [...this.#initializers.values()],
      inputs: this.#inputs,
      outputs: [...this.#outputs].map(([name, { type, shape }]) => ({ name, type, shape })),
      inner: [...this.#values.values()].filter(({ name }) => !renamed.has(name)),
    }
  }
}

export function elementCount(shape: Shape): number {
  return shape.reduce((a, b) => a * b, 1)
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis])
}
