// Owns: the attention core, in the forms that TensorRT fuses and in one that it does not.
// Must not know: what is attended to; q's scale, which is in its weights.

import type { GraphBuilder, Value } from './builder.js'
import { cast, extent, linear, matMul, reduceMax, reshape, softmax, sub, transpose } from './operators.js'
import type { AttentionCore } from './variant.js'

/**
 * Multi-head self-attention of each batch entry: [B, N, C] → [B, N, C].
 *
 * @param name prefix of q, k and v
 * @param out name of the output projection
 */
export function selfAttention(
  g: GraphBuilder,
  x: Value,
  { name, out, heads, core }: { name: string; out: string; heads: number; core: AttentionCore },
): Value {
  const input = cast(g, x, g.weight(`${name}.q.weight`).type)
  const q = splitHeads(g, linear(g, input, `${name}.q`), heads, [0, 2, 1, 3])
  const k = splitHeads(g, linear(g, input, `${name}.k`), heads, [0, 2, 3, 1])
  const v = splitHeads(g, linear(g, input, `${name}.v`), heads, [0, 2, 1, 3])
  const mixed = cast(g, product(g, shares(g, product(g, q, k, core), v.type, core), v, core), v.type)
  const [batch, length, width] = [extent(v, 0), extent(v, 2), heads * extent(v, 3)]
  return linear(g, reshape(g, transpose(g, mixed, [0, 2, 1, 3]), [batch, length, width]), out)
}

/**
 * A product of an attention's core. With `fp32-accumulate` and `unfused` the float16 operands are cast to float32, and
 * the result stays float32: TensorRT's documented way to ask for float16 tensor cores with float32 sums in a strongly
 * typed network. In float32 all cores are the same.
 */
export function product(g: GraphBuilder, a: Value, b: Value, core: AttentionCore): Value {
  return core === 'fp16' ? matMul(g, a, b) : matMul(g, cast(g, a, 'float32'), cast(g, b, 'float32'))
}

/**
 * Softmax of scores, in the scores' type, then cast: the second product's operands are float16 values in every core.
 *
 * `unfused`: TensorRT recognises attention by MatMul → (mask, by Add) → Softmax → MatMul. Subtracting each row's maximum
 * first changes nothing (softmax does it itself), but a reduction between the first product and the softmax is in none
 * of its patterns, so products and softmax become separate kernels.
 */
export function shares(g: GraphBuilder, scores: Value, type: Value['type'], core: AttentionCore): Value {
  const isPlain = core !== 'unfused' || type === 'float32'
  return cast(g, softmax(g, isPlain ? scores : sub(g, scores, reduceMax(g, scores))), type)
}

function splitHeads(g: GraphBuilder, x: Value, heads: number, order: readonly number[]): Value {
  const [batch, length, width] = [extent(x, 0), extent(x, 1), extent(x, 2)]
  return transpose(g, reshape(g, x, [batch, length, heads, width / heads]), order)
}
