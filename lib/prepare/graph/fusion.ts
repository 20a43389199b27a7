// Owns: the fusion block of the head: residual convolution units, upsampling, 1×1 convolution.
// Must not know: which of the four blocks it is, time.

import type { GraphBuilder, Value } from './builder.js'
import { add, conv, relu, resize } from './operators.js'

/**
 * Fuses `path` with `layer` (absent in the deepest block) and enlarges the result.
 * The 1×1 convolution stands before the upsampling, upstream's after it: both are linear and the bilinear weights
 * of a pixel sum to 1, so they commute, and it works on a quarter of the pixels.
 */
export function fuse(
  g: GraphBuilder,
  path: Value,
  layer: Value | undefined,
  name: string,
  height: number,
  width: number,
): Value {
  const joined = layer === undefined ? path : add(g, path, residualUnit(g, layer, `${name}.resConfUnit1`))
  const refined = residualUnit(g, joined, `${name}.resConfUnit2`)
  return resize(g, conv(g, refined, `${name}.out_conv`), height, width)
}

function residualUnit(g: GraphBuilder, x: Value, name: string): Value {
  const first = conv(g, relu(g, x), `${name}.conv1`, { pad: 1 })
  return add(g, conv(g, relu(g, first), `${name}.conv2`, { pad: 1 }), x)
}
