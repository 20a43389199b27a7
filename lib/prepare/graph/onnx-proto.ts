// Owns: the ONNX file format: field numbers of onnx.proto (public schema, IR version 9) and their wire encoding.
// Must not know: the network, what operators mean.

import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'

export type DataType = 'float32' | 'float16' | 'int64'

export const bytesPerElement: Readonly<Record<DataType, number>> = { float32: 4, float16: 2, int64: 8 }

/** TensorProto.DataType */
export const onnxDataType: Readonly<Record<DataType, number>> = { float32: 1, float16: 10, int64: 7 }

/** AttributeProto.AttributeType */
const attributeType = { float: 1, int: 2, string: 3, ints: 7 } as const

/** IR 9 is the version that came with opset 20. */
const irVersion = 9
const opset = 20
/** Version of ONNX Runtime's own operators. */
const microsoftOpset = 1

export type Attribute =
  | { readonly float: number }
  | { readonly int: number }
  | { readonly string: string }
  | { readonly ints: readonly number[] }

export interface NodeData {
  readonly name: string
  readonly operator: string
  /** Empty for ONNX's own operators. */
  readonly domain: string
  readonly inputs: readonly string[]
  readonly output: string
  readonly attributes: Readonly<Record<string, Attribute>>
}

export interface ValueData {
  readonly name: string
  readonly type: DataType
  readonly shape: readonly number[]
}

/** A constant: its bytes inline, or where they lie in a file beside the graph. */
export interface InitializerData extends ValueData {
  readonly data: Uint8Array | ExternalData
}

export interface ExternalData {
  /** A plain file name: ONNX Runtime and TensorRT resolve it in the graph's own folder. */
  readonly file: string
  readonly offset: number
  readonly bytes: number
}

export interface GraphData {
  readonly name: string
  readonly nodes: readonly NodeData[]
  readonly initializers: readonly InitializerData[]
  readonly inputs: readonly ValueData[]
  readonly outputs: readonly ValueData[]
  readonly inner: readonly ValueData[]
}

/** Serialises a ModelProto. */
export function encodeModel(graph: GraphData, producerVersion: string): Uint8Array {
  const writer = new BinaryWriter()
  integer(writer, 1, irVersion)
  text(writer, 2, 'video-depth')
  text(writer, 3, producerVersion)
  message(writer, 7, () => writeGraph(writer, graph))
  const domains = new Map([['', opset]])
  if (graph.nodes.some(({ domain }) => domain === 'com.microsoft')) domains.set('com.microsoft', microsoftOpset)
  for (const [domain, version] of domains) {
    message(writer, 8, () => {
      text(writer, 1, domain)
      integer(writer, 2, version)
    })
  }
  return writer.finish()
}

function writeGraph(writer: BinaryWriter, graph: GraphData): void {
  for (const node of graph.nodes) message(writer, 1, () => writeNode(writer, node))
  text(writer, 2, graph.name)
  for (const initializer of graph.initializers) message(writer, 5, () => writeTensor(writer, initializer))
  for (const input of graph.inputs) message(writer, 11, () => writeValueInfo(writer, input))
  for (const output of graph.outputs) message(writer, 12, () => writeValueInfo(writer, output))
  for (const value of graph.inner) message(writer, 13, () => writeValueInfo(writer, value))
}

function writeNode(writer: BinaryWriter, node: NodeData): void {
  for (const input of node.inputs) text(writer, 1, input)
  text(writer, 2, node.output)
  text(writer, 3, node.name)
  text(writer, 4, node.operator)
  for (const [name, attribute] of Object.entries(node.attributes)) {
    message(writer, 5, () => writeAttribute(writer, name, attribute))
  }
  if (node.domain !== '') text(writer, 7, node.domain)
}

function writeAttribute(writer: BinaryWriter, name: string, attribute: Attribute): void {
  text(writer, 1, name)
  if ('float' in attribute) {
    writer.tag(2, WireType.Bit32).float(attribute.float)
    integer(writer, 20, attributeType.float)
  } else if ('int' in attribute) {
    integer(writer, 3, attribute.int)
    integer(writer, 20, attributeType.int)
  } else if ('string' in attribute) {
    text(writer, 4, attribute.string)
    integer(writer, 20, attributeType.string)
  } else {
    for (const value of attribute.ints) integer(writer, 8, value)
    integer(writer, 20, attributeType.ints)
  }
}

function writeTensor(writer: BinaryWriter, { name, type, shape, data }: InitializerData): void {
  for (const extent of shape) integer(writer, 1, extent)
  integer(writer, 2, onnxDataType[type])
  text(writer, 8, name)
  if (data instanceof Uint8Array) {
    writer.tag(9, WireType.LengthDelimited).bytes(data)
    return
  }
  for (const [key, value] of [
    ['location', data.file],
    ['offset', String(data.offset)],
    ['length', String(data.bytes)],
  ] as const) {
    message(writer, 13, () => {
      text(writer, 1, key)
      text(writer, 2, value)
    })
  }
  integer(writer, 14, 1) // data_location: EXTERNAL
}

function writeValueInfo(writer: BinaryWriter, { name, type, shape }: ValueData): void {
  text(writer, 1, name)
  message(writer, 2, () =>
    message(writer, 1, () => {
      integer(writer, 1, onnxDataType[type])
      message(writer, 2, () => {
        for (const extent of shape) message(writer, 1, () => integer(writer, 1, extent))
      })
    }),
  )
}

function message(writer: BinaryWriter, field: number, write: () => void): void {
  writer.tag(field, WireType.LengthDelimited).fork()
  write()
  writer.join()
}

function text(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value)
}

function integer(writer: BinaryWriter, field: number, value: number): void {
  writer.tag(field, WireType.Varint).int64(value)
}
