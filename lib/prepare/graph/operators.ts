// Owns: the operators that graphs are made of, with their type and shape rules, in forms that TensorRT also takes.
// Must not know: the network.

import { elementCount, sameShape, type GraphBuilder, type Shape, type Value } from './builder.js'
import { onnxDataType, type DataType } from './onnx-proto.js'

export function cast(g: GraphBuilder, x: Value, type: DataType): Value {
  return x.type === type ? x : g.node('Cast', [x], type, x.shape, { to: { int: onnxDataType[type] } })
}

export function add(g: GraphBuilder, a: Value, b: Value): Value {
  return elementwise(g, 'Add', a, b)
}

export function mul(g: GraphBuilder, a: Value, b: Value): Value {
  return elementwise(g, 'Mul', a, b)
}

export function sub(g: GraphBuilder, a: Value, b: Value): Value {
  return elementwise(g, 'Sub', a, b)
}

export function max(g: GraphBuilder, a: Value, b: Value): Value {
  return elementwise(g, 'Max', a, b)
}

function elementwise(g: GraphBuilder, operator: string, a: Value, b: Value): Value {
  sameType(operator, a, b)
  return g.node(operator, [a, b], a.type, broadcast(a.shape, b.shape))
}

export function matMul(g: GraphBuilder, a: Value, b: Value): Value {
  sameType('MatMul', a, b)
  const inner = extent(a, -1)
  if (inner !== extent(b, -2)) throw unfit('MatMul', a, b)
  const shape = [...broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2)), extent(a, -2), extent(b, -1)]
  return g.node('MatMul', [a, b], a.type, shape)
}

/** MatMul + Add, never Gemm: TensorRT fuses this form. Input is cast to the weights' type. */
export function linear(g: GraphBuilder, x: Value, name: string): Value {
  const weight = g.weight(`${name}.weight`)
  const product = matMul(g, cast(g, x, weight.type), weight)
  return g.has(`${name}.bias`) ? add(g, product, g.weight(`${name}.bias`)) : product
}

export function reshape(g: GraphBuilder, x: Value, shape: Shape): Value {
  if (elementCount(shape) !== elementCount(x.shape))
    throw new Error(`Reshape of [${x.shape.join()}] to [${shape.join()}]`)
  return sameShape(shape, x.shape) ? x : g.node('Reshape', [x, g.integers(shape)], x.type, shape)
}

export function transpose(g: GraphBuilder, x: Value, order: readonly number[]): Value {
  const shape = order.map((axis) => extent(x, axis))
  return g.node('Transpose', [x], x.type, shape, { perm: { ints: order } })
}

export function slice(g: GraphBuilder, x: Value, axis: number, start: number, end: number): Value {
  const shape = x.shape.with(axis, end - start)
  const inputs = [x, g.integers([start]), g.integers([end]), g.integers([axis])]
  return g.node('Slice', inputs, x.type, shape)
}

/** Rows of `x` along its first axis, in the shape of `indices`. @param indices int64 */
export function gather(g: GraphBuilder, x: Value, indices: Value): Value {
  const shape = [...indices.shape, ...x.shape.slice(1)]
  return g.node('Gather', [x, indices], x.type, shape, { axis: { int: 0 } })
}

export function concat(g: GraphBuilder, parts: readonly Value[], axis: number): Value {
  const [first] = parts
  if (first === undefined) throw new Error('Concat of nothing')
  if (parts.length === 1) return first
  for (const part of parts) sameType('Concat', first, part)
  const length = parts.reduce((sum, part) => sum + extent(part, axis), 0)
  return g.node('Concat', parts, first.type, first.shape.with(axis, length), { axis: { int: axis } })
}

export function expand(g: GraphBuilder, x: Value, shape: Shape): Value {
  return sameShape(x.shape, shape) ? x : g.node('Expand', [x, g.integers(shape)], x.type, shape)
}

/** Over the last axis, which stays, with one value. */
export function reduceMax(g: GraphBuilder, x: Value): Value {
  const shape = x.shape.with(-1, 1)
  return g.node('ReduceMax', [x, g.integers([-1])], x.type, shape, { keepdims: { int: 1 } })
}

/** Over the last axis. */
export function softmax(g: GraphBuilder, x: Value): Value {
  return g.node('Softmax', [x], x.type, x.shape, { axis: { int: -1 } })
}

export function relu(g: GraphBuilder, x: Value): Value {
  return g.node('Relu', [x], x.type, x.shape)
}

/** The exact form, with the error function. */
export function gelu(g: GraphBuilder, x: Value): Value {
  return g.node('Gelu', [x], x.type, x.shape, { approximate: { string: 'none' } })
}

/** Over the last axis, in float32; only the first of the operator's outputs, as TensorRT wants it. */
export function layerNorm(g: GraphBuilder, x: Value, name: string, epsilon: number): Value {
  const inputs = [cast(g, x, 'float32'), g.weight(`${name}.weight`), g.weight(`${name}.bias`)]
  return g.node('LayerNormalization', inputs, 'float32', x.shape, { axis: { int: -1 }, epsilon: { float: epsilon } })
}

/** GroupNorm of [N, C, L] in float32, in the form that TensorRT recognises. */
export function groupNorm(g: GraphBuilder, x: Value, name: string, groups: number, epsilon: number): Value {
  const [batch, channels, length] = [extent(x, 0), extent(x, 1), extent(x, 2)]
  const grouped = reshape(g, cast(g, x, 'float32'), [batch, groups, (channels / groups) * length])
  const unit = [grouped, g.filled(1, groups), g.filled(0, groups)]
  const normal = g.node('InstanceNormalization', unit, 'float32', grouped.shape, { epsilon: { float: epsilon } })
  const flat = reshape(g, normal, x.shape)
  const scaled = mul(g, flat, g.weight(`${name}.weight`, [channels, 1]))
  return add(g, scaled, g.weight(`${name}.bias`, [channels, 1]))
}

export interface ConvOptions {
  readonly stride?: number
  /** On all four sides. */
  readonly pad?: number
}

/** Square kernels; the bias is used where the weights have one. Input is cast to the weights' type. */
export function conv(g: GraphBuilder, x: Value, name: string, { stride = 1, pad = 0 }: ConvOptions = {}): Value {
  const weight = g.weight(`${name}.weight`)
  const kernel = extent(weight, 2)
  if (extent(x, 1) !== extent(weight, 1)) throw unfit('Conv', x, weight)
  const size = (length: number): number => Math.floor((length + 2 * pad - kernel) / stride) + 1
  const shape = [extent(x, 0), extent(weight, 0), size(extent(x, 2)), size(extent(x, 3))]
  const attributes = windowAttributes(kernel, stride, pad)
  return g.node('Conv', [cast(g, x, weight.type), weight, ...bias(g, name)], weight.type, shape, attributes)
}

/** Kernel and stride are equal, so the output is the input `stride` times as large. */
export function convTranspose(g: GraphBuilder, x: Value, name: string): Value {
  const weight = g.weight(`${name}.weight`)
  const stride = extent(weight, 2)
  const shape = [extent(x, 0), extent(weight, 1), extent(x, 2) * stride, extent(x, 3) * stride]
  const attributes = windowAttributes(stride, stride, 0)
  return g.node('ConvTranspose', [cast(g, x, weight.type), weight, ...bias(g, name)], weight.type, shape, attributes)
}

function windowAttributes(kernel: number, stride: number, pad: number): Record<string, { ints: number[] }> {
  return {
    kernel_shape: { ints: [kernel, kernel] },
    strides: { ints: [stride, stride] },
    pads: { ints: [pad, pad, pad, pad] },
  }
}

function bias(g: GraphBuilder, name: string): Value[] {
  return g.has(`${name}.bias`) ? [g.weight(`${name}.bias`)] : []
}

/** Bilinear, align_corners, to constant `sizes`. */
export function resize(g: GraphBuilder, x: Value, height: number, width: number): Value {
  const shape = [extent(x, 0), extent(x, 1), height, width]
  if (sameShape(shape, x.shape)) return x
  const none: Value = { name: '', type: 'float32', shape: [] }
  return g.node('Resize', [x, none, none, g.integers(shape)], x.type, shape, {
    mode: { string: 'linear' },
    coordinate_transformation_mode: { string: 'align_corners' },
  })
}

/** Negative axes count from the end. */
export function extent(x: Value, axis: number): number {
  const found = x.shape.at(axis)
  if (found === undefined) throw new Error(`${x.name} of [${x.shape.join()}] has no axis ${axis}`)
  return found
}

function broadcast(a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, i) => {
    const left = a[i - rank + a.length] ?? 1
    const right = b[i - rank + b.length] ?? 1
    if (left !== right && left !== 1 && right !== 1)
      throw new Error(`[${a.join()}] does not broadcast with [${b.join()}]`)
    return Math.max(left, right)
  })
}

function sameType(operator: string, a: Value, b: Value): void {
  if (a.type !== b.type) throw new Error(`${operator} of ${a.name} (${a.type}) and ${b.name} (${b.type})`)
}

function unfit(operator: string, a: Value, b: Value): Error {
  return new Error(`${operator} of [${a.shape.join()}] and [${b.shape.join()}]`)
}
