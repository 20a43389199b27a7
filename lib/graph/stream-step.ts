// Owns: the stream step graph: the temporal head for one new frame, over the remembered states of earlier ones.
// Must not know: which frames are remembered, where states are kept.

import type { Architecture } from '../model/architecture.js'
import { temporalChannels, temporalHeads } from '../model/layout.js'
import { GraphBuilder, type Value } from './builder.js'
import {
  add,
  cast,
  concat,
  extent,
  gather,
  linear,
  matMul,
  mul,
  reshape,
  slice,
  softmax,
  transpose,
} from './operators.js'
import { temporalPath } from './temporal-head.js'
import { temporalModule } from './temporal-module.js'
import type { WeightsIndex } from './weights-file.js'
import type { Precision } from './weights.js'

export interface StreamStepShape {
  /** Patches. */
  readonly rows: number
  readonly cols: number
  /** States that each temporal attention remembers. */
  readonly stateSlots: number
}

/** What one temporal attention remembers. */
export interface StateShape {
  /** Graph input `remembered…`, [pixels, stateSlots, width], and output `state…`, [pixels, width]. */
  readonly name: string
  readonly pixels: number
  readonly width: number
}

const attentions = [0, 1]

/** Of the eight temporal attentions, in the order in which they run. */
export function streamStates(architecture: Architecture, rows: number, cols: number): StateShape[] {
  const deep = Math.ceil(rows / 2) * Math.ceil(cols / 2)
  const pixels = [rows * cols, deep, rows * cols, 4 * rows * cols]
  return temporalChannels(architecture).flatMap((width, module) =>
    attentions.map((i) => ({ name: `${module}.${i}`, pixels: pixels[module] ?? 0, width })),
  )
}

/**
 * `layer3` [1, out3, r, c], `layer4` [1, out4, ⌈r/2⌉, ⌈c/2⌉], `remembered…` [pixels, S, C] (see streamStates),
 * `positions` int64 [S + 1], `mask` float32 [S + 1] → `path3` [1, features, 2r, 2c], `state…` [pixels, C].
 *
 * `positions` are the rows of the temporal position table for the S remembered states and, last, the new frame; `mask`
 * is added to their scores: 0, or −∞ for a slot that is not to be seen. The order of slots is free: attention has none.
 * A state is the attention's input before its position is added.
 */
export function buildStreamStep(
  architecture: Architecture,
  weights: WeightsIndex,
  { rows, cols, stateSlots }: StreamStepShape,
  precision: Precision,
): GraphBuilder {
  const g = new GraphBuilder('stream-step', weights)
  const type = precision === 'fp16' ? 'float16' : 'float32'
  const [, , out3, out4] = architecture.outChannels
  const layer3 = g.input('layer3', type, [1, out3, rows, cols])
  const layer4 = g.input('layer4', type, [1, out4, Math.ceil(rows / 2), Math.ceil(cols / 2)])
  const positions = g.input('positions', 'int64', [stateSlots + 1])
  const mask = cast(g, g.input('mask', 'float32', [stateSlots + 1]), type)
  const states = streamStates(architecture, rows, cols).map(({ name, pixels, width }) => ({
    name,
    remembered: g.input(`remembered${name}`, type, [pixels, stateSlots, width]),
  }))
  let next = 0
  const attend = (normal: Value, name: string): Value => {
    const state = states[next++]
    if (state === undefined) throw new Error('more attentions than states')
    const [pixels, width] = [extent(normal, 0), extent(normal, 2)]
    const table = g.weight(`${name}.pos_encoder.pe`, [architecture.temporalLength, width])
    const placed = gather(g, table, positions)
    g.output(`state${state.name}`, reshape(g, cast(g, normal, type), [pixels, width]))
    return rememberingAttention(g, normal, { remembered: state.remembered, placed, mask }, name)
  }
  const path3 = temporalPath(g, architecture, { layer3, layer4 }, (x, module, index) =>
    g.within(`temporal${index}`, () => temporalModule(g, x, module, attend, Number.POSITIVE_INFINITY)),
  )
  g.output('path3', path3)
  return g
}

interface Memory {
  /** [pixels, S, C] */
  readonly remembered: Value
  /** Position of each slot and of the new frame, [S + 1, C] float32. */
  readonly placed: Value
  readonly mask: Value
}

/**
 * Attention with one query a pixel, [pixels, 1, C]. Keys and values are never made: with a state s and its position p,
 * q·((s + p)Wk) = (qWkᵀ)·s + (qWkᵀ)·p and Σa((s + p)Wv) = (Σa·s + Σa·p)Wv. That is exact, and takes a thirtieth of the
 * arithmetic; what is left is reading the states once.
 */
function rememberingAttention(g: GraphBuilder, x: Value, { remembered, placed, mask }: Memory, name: string): Value {
  const [pixels, slots] = [extent(remembered, 0), extent(remembered, 1)]
  const { type } = remembered
  const own = add(g, x, slice(g, placed, 0, slots, slots + 1)) // [pixels, 1, C] float32
  const positions = cast(g, slice(g, placed, 0, 0, slots), type)
  const self = cast(g, own, type)
  const query = g.within('query', () => absorbedQuery(g, own, name)) // [pixels, heads, C]
  const scores = g.within('scores', () => {
    const kept = add(
      g,
      matMul(g, query, transpose(g, remembered, [0, 2, 1])),
      matMul(g, query, transpose(g, positions, [1, 0])),
    )
    return add(g, concat(g, [kept, matMul(g, query, transpose(g, self, [0, 2, 1]))], 2), mask)
  })
  const shares = softmax(g, scores)
  const mixed = g.within('mix', () => {
    const kept = slice(g, shares, 2, 0, slots)
    const ofSelf = mul(g, slice(g, shares, 2, slots, slots + 1), self)
    return add(g, add(g, matMul(g, kept, remembered), matMul(g, kept, positions)), ofSelf)
  })
  const values = g.within('values', () => {
    const perHead = matMul(g, transpose(g, mixed, [1, 0, 2]), headWeights(g, `${name}.v`, [1, 0, 2])) // [heads, pixels, d]
    const inner = extent(perHead, 0) * extent(perHead, 2)
    return reshape(g, transpose(g, perHead, [1, 0, 2]), [pixels, 1, inner])
  })
  return linear(g, values, `${name}.to_out.0`)
}

/** qWkᵀ of each head: [pixels, 1, C] → [pixels, heads, C]. */
function absorbedQuery(g: GraphBuilder, x: Value, name: string): Value {
  const q = linear(g, x, `${name}.q`)
  const perHead = transpose(g, reshape(g, q, [extent(q, 0), temporalHeads, extent(q, 2) / temporalHeads]), [1, 0, 2])
  return transpose(g, matMul(g, perHead, headWeights(g, `${name}.k`, [1, 2, 0])), [1, 0, 2])
}

/** A projection's weight [C, heads·d] as [C, heads, d], its axes reordered; constant, so engines fold it. */
function headWeights(g: GraphBuilder, name: string, order: readonly number[]): Value {
  const weight = g.weight(`${name}.weight`)
  const [width, inner] = [extent(weight, 0), extent(weight, 1)]
  return transpose(g, reshape(g, weight, [width, temporalHeads, inner / temporalHeads]), order)
}
