// Owns: the encoder graph: everything that depends on one frame alone, up to the four feature maps that are kept.
// Must not know: time, windows, files.

import type { Architecture } from '../checkpoint/architecture.js'
import { patchSize } from '../checkpoint/input-size.js'
import { selfAttention } from './attention.js'
import { GraphBuilder, type Value } from './builder.js'
import {
  add,
  cast,
  concat,
  conv,
  convTranspose,
  expand,
  extent,
  gelu,
  layerNorm,
  linear,
  mul,
  reshape,
  slice,
  transpose,
} from './operators.js'
import type { WeightsIndex } from './weights-file.js'
import { handedType, type AttentionCore, type GraphVariant } from './variant.js'
import type { Precision } from './weights.js'

export interface EncoderShape {
  /** Patches. */
  readonly rows: number
  readonly cols: number
  /** Frames a run. */
  readonly encoderBatch: number
  /** Adds outputs tap0…tap3, [B, rows·cols, width]: for parity tests. */
  readonly tapOutputs?: boolean | undefined
}

const normEpsilon = 1e-6

/**
 * `pixels` [B, 3, 14·rows, 14·cols] → `layer1` [B, features, 4r, 4c], `layer2` [B, features, 2r, 2c],
 * `layer3` [B, out3, r, c], `layer4` [B, out4, ⌈r/2⌉, ⌈c/2⌉].
 *
 * @param positions [rows·cols, width] float32; undefined where the stored grid is used as it is
 */
export function buildEncoder(
  architecture: Architecture,
  weights: WeightsIndex,
  shape: EncoderShape,
  precision: Precision,
  variant: GraphVariant,
  positions: Float32Array | undefined,
): GraphBuilder {
  const g = new GraphBuilder('encoder', weights)
  const { rows, cols, encoderBatch: batch } = shape
  const handed = handedType(variant, precision)
  const pixels = g.input('pixels', handed, [batch, 3, rows * patchSize, cols * patchSize])
  let x = g.within('tokens', () => tokens(g, pixels, architecture.embedWidth, positions))
  const taps: Value[] = []
  for (let i = 0; i < architecture.depth; i++) {
    x = g.within(`block${i}`, () => block(g, x, `pretrained.blocks.${i}`, architecture.heads, variant.attention))
    if (architecture.taps.includes(i)) taps.push(g.within(`tap${taps.length}`, () => tap(g, x)))
    if (taps.length === architecture.taps.length) break
  }
  const maps = taps.map((value, i) => g.within(`layer${i + 1}`, () => featureMap(g, value, i, rows, cols)))
  for (const [i, map] of maps.entries()) g.output(`layer${i + 1}`, cast(g, map, handed))
  if (shape.tapOutputs === true) for (const [i, value] of taps.entries()) g.output(`tap${i}`, value)
  return g
}

/** Patches with their positions behind the class token; float32 from here to each LayerNorm. */
function tokens(g: GraphBuilder, pixels: Value, width: number, positions: Float32Array | undefined): Value {
  const patches = conv(g, pixels, 'pretrained.patch_embed.proj', { stride: patchSize })
  const [batch, count] = [extent(patches, 0), extent(patches, 2) * extent(patches, 3)]
  const sequence = transpose(g, reshape(g, patches, [batch, width, count]), [0, 2, 1])
  const table =
    positions === undefined ? g.weight('pretrained.positions') : g.table('positions', [1, count, width], positions)
  const placed = add(g, cast(g, sequence, 'float32'), table)
  const classToken = expand(g, g.weight('pretrained.class_position'), [batch, 1, width])
  return concat(g, [classToken, placed], 1)
}

function block(g: GraphBuilder, x: Value, name: string, heads: number, core: AttentionCore): Value {
  const attended = g.within('attn', () => {
    const normal = layerNorm(g, x, `${name}.norm1`, normEpsilon)
    const mixed = selfAttention(g, normal, { name: `${name}.attn`, out: `${name}.attn.proj`, heads, core })
    return residual(g, x, mixed, `${name}.ls1.gamma`)
  })
  return g.within('mlp', () => {
    const normal = layerNorm(g, attended, `${name}.norm2`, normEpsilon)
    const hidden = gelu(g, linear(g, normal, `${name}.mlp.fc1`))
    return residual(g, attended, linear(g, hidden, `${name}.mlp.fc2`), `${name}.ls2.gamma`)
  })
}

/** LayerScale and sum in float32. */
function residual(g: GraphBuilder, x: Value, branch: Value, gamma: string): Value {
  return add(g, x, mul(g, cast(g, branch, 'float32'), g.weight(gamma)))
}

/** Through the final norm, without the class token. */
function tap(g: GraphBuilder, x: Value): Value {
  return layerNorm(g, slice(g, x, 1, 1, extent(x, 1)), 'pretrained.norm', normEpsilon)
}

function featureMap(g: GraphBuilder, x: Value, index: number, rows: number, cols: number): Value {
  const projected = linear(g, x, `head.projects.${index}`)
  const [batch, channels] = [extent(projected, 0), extent(projected, 2)]
  const map = reshape(g, transpose(g, projected, [0, 2, 1]), [batch, channels, rows, cols])
  switch (index) {
    case 0:
    case 1:
      return conv(g, convTranspose(g, map, `head.resize_layers.${index}`), `head.scratch.layer${index + 1}_rn`, {
        pad: 1,
      })
    case 2:
      return map
    default:
      return conv(g, map, `head.resize_layers.${index}`, { stride: 2, pad: 1 })
  }
}
