// Owns: reading back of an ONNX file, as far as the emitter writes any.
// Must not know: the network.

import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import {
  onnxDataType,
  type Attribute,
  type DataType,
  type GraphData,
  type InitializerData,
  type NodeData,
  type ValueData,
} from '../../dist/esm/prepare/graph/onnx-proto.js'

export interface ReadInitializer {
  readonly name: string
  readonly dims: readonly number[]
  readonly external: ReadonlyMap<string, string>
}

export interface ReadModel {
  readonly opsets: ReadonlyMap<string, number>
  readonly nodes: readonly {
    readonly operator: string
    readonly inputs: readonly string[]
    readonly outputs: readonly string[]
  }[]
  readonly initializers: readonly ReadInitializer[]
  /** Names of inputs, outputs and inner values. */
  readonly described: ReadonlySet<string>
}

type Fields = Map<number, (Uint8Array | number)[]>

function fields(bytes: Uint8Array): Fields {
  const reader = new BinaryReader(bytes)
  const found: Fields = new Map()
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag()
    const value =
      type === WireType.Varint
        ? Number(reader.int64())
        : type === WireType.LengthDelimited
          ? reader.bytes()
          : reader.float()
    const values = found.get(field)
    if (values === undefined) found.set(field, [value])
    else values.push(value)
  }
  return found
}

const messages = (from: Fields, field: number): Fields[] => bytesOf(from, field).map(fields)
const bytesOf = (from: Fields, field: number): Uint8Array[] =>
  (from.get(field) ?? []).filter((v) => v instanceof Uint8Array)
const strings = (from: Fields, field: number): string[] => bytesOf(from, field).map((v) => new TextDecoder().decode(v))
const numbers = (from: Fields, field: number): number[] => (from.get(field) ?? []).filter((v) => typeof v === 'number')
const text = (from: Fields, field: number): string => strings(from, field)[0] ?? ''
const first = (from: Fields, field: number): Fields => messages(from, field)[0] ?? (new Map() as Fields)
const graphOf = (model: Fields): Fields => first(model, 7)

const externalOf = (tensor: Fields): Map<string, string> =>
  new Map(messages(tensor, 13).map((entry) => [text(entry, 1), text(entry, 2)]))

export function readModel(bytes: Uint8Array): ReadModel {
  const model = fields(bytes)
  const graph = graphOf(model)
  return {
    opsets: new Map(messages(model, 8).map((opset) => [text(opset, 1), numbers(opset, 2)[0] ?? 0])),
    nodes: messages(graph, 1).map((node) => ({
      operator: text(node, 4),
      inputs: strings(node, 1),
      outputs: strings(node, 2),
    })),
    initializers: messages(graph, 5).map((tensor) => ({
      name: text(tensor, 8),
      dims: numbers(tensor, 1),
      external: externalOf(tensor),
    })),
    described: new Set([11, 12, 13].flatMap((field) => messages(graph, field).map((value) => text(value, 1)))),
  }
}

/** The graph as the emitter held it, so that a test can change it and write it again. */
export function readGraph(bytes: Uint8Array): GraphData {
  const graph = graphOf(fields(bytes))
  const values = (field: number): ValueData[] => messages(graph, field).map(readValue)
  return {
    name: text(graph, 2),
    nodes: messages(graph, 1).map(readNode),
    initializers: messages(graph, 5).map(readInitializer),
    inputs: values(11),
    outputs: values(12),
    inner: values(13),
  }
}

function readNode(node: Fields): NodeData {
  return {
    name: text(node, 3),
    operator: text(node, 4),
    domain: text(node, 7),
    inputs: strings(node, 1),
    output: text(node, 2),
    attributes: Object.fromEntries(messages(node, 5).map((each) => [text(each, 1), readAttribute(each)])),
  }
}

function readAttribute(attribute: Fields): Attribute {
  const type = numbers(attribute, 20)[0]
  if (type === 1) return { float: numbers(attribute, 2)[0] ?? 0 }
  if (type === 2) return { int: numbers(attribute, 3)[0] ?? 0 }
  return type === 3 ? { string: text(attribute, 4) } : { ints: numbers(attribute, 8) }
}

function readInitializer(tensor: Fields): InitializerData {
  const external = externalOf(tensor)
  const [offset, bytes] = [Number(external.get('offset')), Number(external.get('length'))]
  const file = external.get('location')
  return {
    name: text(tensor, 8),
    type: typeNamed(numbers(tensor, 2)[0]),
    shape: numbers(tensor, 1),
    data: file === undefined ? (bytesOf(tensor, 9)[0] ?? new Uint8Array()) : { file, offset, bytes },
  }
}

function readValue(value: Fields): ValueData {
  const tensor = first(first(value, 2), 1)
  const shape = messages(first(tensor, 2), 1).map((extent) => numbers(extent, 1)[0] ?? 0)
  return { name: text(value, 1), type: typeNamed(numbers(tensor, 1)[0]), shape }
}

function typeNamed(code: number | undefined): DataType {
  const found = (Object.keys(onnxDataType) as DataType[]).find((type) => onnxDataType[type] === code)
  if (found === undefined) throw new Error(`no data type ${code}`)
  return found
}
