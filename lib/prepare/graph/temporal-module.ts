// Owns: one temporal module: what stands around its two attentions at each pixel, and these over a window's frames.
// Must not know: where in the head it stands, how windows are made, how a stream remembers.

import { temporalGroups, temporalHeads } from '../checkpoint/layout.js'
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
import type { AttentionCore } from './variant.js'

const groupNormEpsilon = 1e-6
const layerNormEpsilon = 1e-5

/** Pixels of a map from `start` on, up to `end`, less than it. */
export interface Span {
  readonly start: number
  readonly end: number
}

/**
 * One attention over time: normalised float32 in the module's layout → the same shape.
 *
 * @param name prefix of its weights
 * @param span the pixels in `normal`
 */
export type TemporalAttention = (normal: Value, name: string, span: Span) => Value

/** How [T, C, pixels] is transposed for the transformer and back, and where the pixels are in between. */
export interface PixelLayout {
  readonly to: readonly number[]
  readonly back: readonly number[]
  readonly pixelAxis: number
}

/** [pixels, T, C]: each pixel's frames are one sequence. */
export const pixelSequences: PixelLayout = { to: [2, 0, 1], back: [1, 2, 0], pixelAxis: 0 }
/** [T, pixels, C]: frames have nothing to do with each other. */
export const separateFrames: PixelLayout = { to: [0, 2, 1], back: [0, 2, 1], pixelAxis: 1 }

/** The position table of an attention for the window at hand, [1, T, C] float32. */
export type PositionTable = (name: string) => Value

/** All frames of a window attend to each other; for `pixelSequences`. */
export function windowAttention(g: GraphBuilder, positions: PositionTable, core: AttentionCore): TemporalAttention {
  return (normal, name) =>
    selfAttention(g, add(g, normal, positions(name)), { name, out: `${name}.to_out.0`, heads: temporalHeads, core })
}

export interface TemporalModuleOptions {
  /** Prefix of its weights. */
  readonly module: string
  readonly attend: TemporalAttention
  readonly layout: PixelLayout
  /** Most pixels that one attention sees at once: pixels are independent, so the map is cut where it would need too much
   * memory or too large a launch grid. */
  readonly maxPixels: number
}

/** [T, C, H, W] → [T, C, H, W] float32. */
export function temporalModule(
  g: GraphBuilder,
  x: Value,
  { module, attend, layout, maxPixels }: TemporalModuleOptions,
): Value {
  const [frames, channels, pixels] = [extent(x, 0), extent(x, 1), extent(x, 2) * extent(x, 3)]
  const flat = reshape(g, cast(g, x, 'float32'), [frames, channels, pixels])
  const normal = groupNorm(g, flat, `${module}.norm`, temporalGroups, groupNormEpsilon)
  const byPixel = transpose(g, normal, layout.to)
  const count = Math.max(1, Math.ceil(pixels / maxPixels))
  const parts = Array.from({ length: count }, (_, i) => {
    const span = { start: Math.floor((i * pixels) / count), end: Math.floor(((i + 1) * pixels) / count) }
    const part = count === 1 ? byPixel : slice(g, byPixel, layout.pixelAxis, span.start, span.end)
    return g.within(count === 1 ? 'pixels' : `pixels${i}`, () =>
      transformer(g, part, module, (values, name) => attend(values, name, span)),
    )
  })
  const mixed = transpose(g, concat(g, parts, layout.pixelAxis), layout.back)
  return reshape(g, add(g, cast(g, mixed, 'float32'), flat), x.shape)
}

function transformer(
  g: GraphBuilder,
  input: Value,
  module: string,
  attend: (normal: Value, name: string) => Value,
): Value {
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
  const name = `${block}.ff.net.0.proj`
  const normal = cast(g, layerNorm(g, x, `${block}.ff_norm`, layerNormEpsilon), g.weight(`${name}.gate.weight`).type)
  const gate = gelu(g, linear(g, normal, `${name}.gate`))
  return linear(g, mul(g, linear(g, normal, `${name}.value`), gate), `${block}.ff.net.2`)
}
