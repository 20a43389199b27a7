// Owns: reading back of an ONNX file as far as tests look at it: nodes, initializers, value infos.
// Must not know: the emitter.

import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'

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
          : reader.fixed32()
    found.set(field, [...(found.get(field) ?? []), value])
  }
  return found
}

const messages = (from: Fields, field: number): Fields[] => bytesOf(from, field).map(fields)
const bytesOf = (from: Fields, field: number): Uint8Array[] =>
  (from.get(field) ?? []).filter((v) => v instanceof Uint8Array)
const strings = (from: Fields, field: number): string[] => bytesOf(from, field).map((v) => new TextDecoder().decode(v))
const numbers = (from: Fields, field: number): number[] => (from.get(field) ?? []).filter((v) => typeof v === 'number')

export function readModel(bytes: Uint8Array): ReadModel {
  const model = fields(bytes)
  const [graph = new Map() as Fields] = messages(model, 7)
  return {
    opsets: new Map(messages(model, 8).map((opset) => [strings(opset, 1)[0] ?? '', numbers(opset, 2)[0] ?? 0])),
    nodes: messages(graph, 1).map((node) => ({
      operator: strings(node, 4)[0] ?? '',
      inputs: strings(node, 1),
      outputs: strings(node, 2),
    })),
    initializers: messages(graph, 5).map((tensor) => ({
      name: strings(tensor, 8)[0] ?? '',
      dims: numbers(tensor, 1),
      external: new Map(messages(tensor, 13).map((entry) => [strings(entry, 1)[0] ?? '', strings(entry, 2)[0] ?? ''])),
    })),
    described: new Set(
      [11, 12, 13].flatMap((field) => messages(graph, field).map((value) => strings(value, 1)[0] ?? '')),
    ),
  }
}
