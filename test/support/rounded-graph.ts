// Owns: the form of a float16 graph that ONNX Runtime rounds on a processor as the types say.
// Must not know: the network.

import { onnxDataType, type GraphData, type NodeData } from '../../dist/esm/prepare/graph/onnx-proto.js'

/** They move values and change none; ONNX Runtime has them for float16. */
const moving = new Set(['Cast', 'Reshape', 'Transpose', 'Slice', 'Concat', 'Expand', 'Gather', 'Identity'])

/**
 * ONNX Runtime has few float16 kernels for processors: it computes in float32 and leaves out the roundings between two
 * such nodes, so that a chain of them neither loses precision nor overflows. Here every float16 node becomes one in
 * float32 between explicit casts, which it keeps: each tensor is rounded, and overflows, as its type says. Sums inside a
 * node stay in float32: how a GPU's kernel accumulates is not modelled.
 */
export function roundedGraph(graph: GraphData): GraphData {
  const types = new Map(
    [...graph.inputs, ...graph.inner, ...graph.outputs, ...graph.initializers].map((v) => [v.name, v.type]),
  )
  const nodes: NodeData[] = []
  const widened = new Set<string>()
  const widen = (name: string): string => {
    if (types.get(name) !== 'float16') return name
    const wide = `${name}/float32`
    if (!widened.has(wide)) nodes.push(castNode(name, wide, 'float32'))
    widened.add(wide)
    return wide
  }
  for (const node of graph.nodes) {
    if (moving.has(node.operator) || types.get(node.output) !== 'float16') {
      nodes.push(node)
      continue
    }
    const inputs = node.inputs.map(widen)
    nodes.push(
      { ...node, inputs, output: `${node.output}/exact` },
      castNode(`${node.output}/exact`, node.output, 'float16'),
    )
  }
  return { ...graph, nodes, inner: [] }
}

/** The graph with these float32 values rounded to float16 on their way: an island less. */
export function narrowedGraph(graph: GraphData, isNarrow: (node: NodeData) => boolean): GraphData {
  const nodes = graph.nodes.flatMap((node) => {
    if (!isNarrow(node)) return [node]
    const [wide, narrow] = [`${node.output}/wide`, `${node.output}/narrow`]
    return [{ ...node, output: wide }, castNode(wide, narrow, 'float16'), castNode(narrow, node.output, 'float32')]
  })
  return { ...graph, nodes, inner: [] }
}

function castNode(input: string, output: string, to: 'float32' | 'float16'): NodeData {
  const attributes = { to: { int: onnxDataType[to] } }
  return { name: `to ${output}`, operator: 'Cast', domain: '', inputs: [input], output, attributes }
}
