// Owns: one temporal module: what stands around its two attentions at each pixel, and these over a window's frames.
// Must not know: where in the head it stands, how windows are made, how a stream remembers.

import { temporalGroups, temporalHeads } from '../model/layout.js'
import { selfAttention } from './attention.js'
import type { GraphBuilder, Value } from './builder.js'
import {
  add,
  cast,
  concat,
  extent,
  gelu,
  groupNorm,
  layerNorm,
  linear,
  mul,
  reshape,
  slice,
  transpose,
} from './operators.js'

const groupNormEpsilon = 1e-6
const layerNormEpsilon = 1e-5

/** One attention over time: normalised [pixels, T, C] float32 → [pixels, T, C]; `name` is the prefix of its weights. */
export type TemporalAttention = (normal: Value, name: string) => Value

/** The position table of an attention for the window at hand, [1, T, C] float32. */
export type PositionTable = (name: string) => Value

/** All frames of a window attend to each other. */
export function windowAttention(g: GraphBuilder, positions: PositionTable): TemporalAttention {
  return (normal, name) => selfAttention(g, add(g, normal, positions(name)), name, `${name}.to_out.0`, temporalHeads)
}

/**
 * [T, C, H, W] → [T, C, H, W] float32.
 *
 * @param maxPixels most pixels that one attention sees at once: pixels are independent, so the map is cut where it
 *   would need too much memory or too large a launch grid
 */
export function temporalModule(
  g: GraphBuilder,
  x: Value,
  module: string,
  attend: TemporalAttention,
  maxPixels: number,
): Value {
  const [frames, channels, pixels] = [extent(x, 0), extent(x, 1), extent(x, 2) * extent(x, 3)]
  const flat = reshape(g, cast(g, x, 'float32'), [frames, channels, pixels])
  const normal = groupNorm(g, flat, `${module}.norm`, temporalGroups, groupNormEpsilon)
  const byPixel = transpose(g, normal, [2, 0, 1]) // [pixels, T, C]
  const count = Math.max(1, Math.ceil(pixels / maxPixels))
  const parts = Array.from({ length: count }, (_, i) => {
    const [start, end] = [Math.floor((i * pixels) / count), Math.floor(((i + 1) * pixels) / count)]
    const part = count === 1 ? byPixel : slice(g, byPixel, 0, start, end)
    return g.within(count === 1 ? 'pixels' : `pixels${i}`, () => transformer(g, part, module, attend))
  })
  const mixed = transpose(g, concat(g, parts, 0), [1, 2, 0])
  return reshape(g, add(g, cast(g, mixed, 'float32'), flat), x.shape)
}

function transformer(g: GraphBuilder, input: Value, module: string, attend: TemporalAttention): Value {
  const block = `${module}.transformer_blocks.0`
  let x = cast(g, linear(g, input, `${module}.proj_in`), 'float32')
  for (const i of [0, 1]) {
    x = g.within(`attn${i}`, () => {
      const normal = layerNorm(g, x, `${block}.norms.${i}`, layerNormEpsilon)
      return add(g, cast(g, attend(normal, `${block}.attention_blocks.${i}`), 'float32'), x)
    })
  }
  const fed = g.within('ff', () => add(g, cast(g, feedForward(g, x, block), 'float32'), x))
  return linear(g, fed, `${module}.proj_out`)
}

/** GEGLU. */
function feedForward(g: GraphBuilder, x: Value, block: string): Value {
  const normal = layerNorm(g, x, `${block}.ff_norm`, layerNormEpsilon)
  const gate = gelu(g, linear(g, normal, `${block}.ff.net.0.proj.gate`))
  return linear(g, mul(g, linear(g, normal, `${block}.ff.net.0.proj.value`), gate), `${block}.ff.net.2`)
}
