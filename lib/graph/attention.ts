// Owns: the attention core, in the form that TensorRT fuses.
// Must not know: what is attended to; q's scale, which is in its weights.

import type { GraphBuilder, Value } from './builder.js'
import { extent, linear, matMul, reshape, softmax, transpose } from './operators.js'

/**
 * Multi-head self-attention of each batch entry: [B, N, C] → [B, N, C].
 *
 * @param name prefix of q, k and v
 * @param out name of the output projection
 */
export function selfAttention(g: GraphBuilder, x: Value, name: string, out: string, heads: number): Value {
  const q = splitHeads(g, linear(g, x, `${name}.q`), heads, [0, 2, 1, 3])
  const k = splitHeads(g, linear(g, x, `${name}.k`), heads, [0, 2, 3, 1])
  const v = splitHeads(g, linear(g, x, `${name}.v`), heads, [0, 2, 1, 3])
  const mixed = matMul(g, softmax(g, matMul(g, q, k)), v)
  const [batch, length, width] = [extent(v, 0), extent(v, 2), heads * extent(v, 3)]
  return linear(g, reshape(g, transpose(g, mixed, [0, 2, 1, 3]), [batch, length, width]), out)
}

function splitHeads(g: GraphBuilder, x: Value, heads: number, order: readonly number[]): Value {
  const [batch, length, width] = [extent(x, 0), extent(x, 1), extent(x, 2)]
  return transpose(g, reshape(g, x, [batch, length, heads, width / heads]), order)
}
