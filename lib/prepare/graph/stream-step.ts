// Owns: the stream step graph: the temporal head for one new frame, over the remembered states of earlier ones.
// Must not know: which frames are remembered, where states are kept.

import type { Architecture } from '../checkpoint/architecture.js'
import { temporalChannels, temporalHeads } from '../checkpoint/layout.js'
import { product, shares } from './attention.js'
import { GraphBuilder, type Value } from './builder.js'
import { add, cast, concat, extent, gather, linear, matMul, max, mul, reshape, slice, transpose } from './operators.js'
import { maxGrid, temporalPath } from './temporal-head.js'
import { separateFrames, temporalModule, type Span } from './temporal-module.js'
import { computeType, handedType, type AttentionCore, type GraphVariant } from './variant.js'
import type { WeightsIndex } from './weights-file.js'
import type { Precision } from './weights.js'

export interface StreamStepShape {
  /** Patches. */
  readonly rows: number
  readonly cols: number
  /** States that each temporal attention remembers. */
  readonly stateSlots: number
  /** Streams that take a step at once, each with its own memory; ≥ 1. */
  readonly streams: number
}

/** What one temporal attention remembers. */
export interface StateShape {
  /** Graph input `remembered…`, [streams, pixels, stateSlots, width], and output `state…`, [streams, pixels, width]. */
  readonly name: string
  readonly pixels: number
  readonly width: number
}

const attentions = [0, 1]

/** States of the eight temporal attentions, in the order in which they run. */
function streamStates(architecture: Architecture, rows: number, cols: number): StateShape[] {
  const deep = Math.ceil(rows / 2) * Math.ceil(cols / 2)
  const pixels = [rows * cols, deep, rows * cols, 4 * rows * cols]
  return temporalChannels(architecture).flatMap((width, module) =>
    attentions.map((i) => ({ name: `${module}.${i}`, pixels: pixels[module] ?? 0, width })),
  )
}

/**
 * `layer3` [N, out3, r, c], `layer4` [N, out4, ⌈r/2⌉, ⌈c/2⌉], `remembered…` [N, pixels, S, C] (see streamStates),
 * `positions` int64 [N, S + 1], `mask` float32 [N, S + 1] → `path3` [N, features, 2r, 2c], `state…` [N, pixels, C].
 *
 * `positions` are the rows of the temporal position table for the S remembered states and, last, the new frame; `mask`
 * is added to their scores: 0, or −∞ for a slot that is not to be seen, which must hold finite numbers all the same. The
 * order of slots is free: attention has none. A state is the attention's input before its position is added.
 */
export function buildStreamStep(
  architecture: Architecture,
  weights: WeightsIndex,
  { rows, cols, stateSlots, streams }: StreamStepShape,
  precision: Precision,
  variant: GraphVariant,
  maxPixels = variant.target === 'gpu' ? Math.floor(maxGrid / streams) : Number.POSITIVE_INFINITY,
): GraphBuilder {
  const g = new GraphBuilder('stream-step', weights)
  const types = { compute: computeType(precision), handed: handedType(variant, precision) }
  const positions = g.input('positions', 'int64', [streams, stateSlots + 1])
  const mask = reshape(g, finiteMask(g, g.input('mask', 'float32', [streams, stateSlots + 1])), [
    streams,
    1,
    1,
    stateSlots + 1,
  ])
  const memories = streamStates(architecture, rows, cols).map(({ name, pixels, width }) => ({
    remembered: cast(
      g,
      g.input(`remembered${name}`, types.handed, [streams, pixels, stateSlots, width]),
      types.compute,
    ),
    output: `state${name}`,
    parts: new Array<Value>(),
  }))
  temporalPath(g, architecture, { rows, cols, frames: streams, ...types }, (x, module, index) => {
    const attend = (normal: Value, name: string, span: Span): Value => {
      const memory = memories[2 * index + attentions.findIndex((i) => name.endsWith(`.${i}`))]
      if (memory === undefined) throw new Error(`no memory for ${name}`)
      const table = g.weight(`${name}.pos_encoder.pe`, [architecture.temporalLength, extent(normal, 2)])
      const placed = gather(g, table, positions)
      memory.parts.push(cast(g, normal, types.handed))
      const remembered = spanOf(g, memory.remembered, span)
      return rememberingAttention(g, normal, { remembered, placed, mask, core: variant.attention }, name)
    }
    return g.within(`temporal${index}`, () =>
      temporalModule(g, x, { module, attend, layout: separateFrames, maxPixels }),
    )
  })
  for (const { output, parts } of memories) g.output(output, concat(g, parts, 1))
  return g
}

/** Far below every score, and a float16. */
const unseen = -30_000

/** With −∞, kernels that work through the slots in tiles take ∞ from ∞ where a tile has nothing to be seen. */
function finiteMask(g: GraphBuilder, mask: Value): Value {
  return max(g, mask, g.filled(unseen, 1))
}

function spanOf(g: GraphBuilder, remembered: Value, { start, end }: Span): Value {
  return end - start === extent(remembered, 1) ? remembered : slice(g, remembered, 1, start, end)
}

interface Memory {
  /** [N, pixels, S, C] */
  readonly remembered: Value
  /** Position of each slot and of the new frame, [N, S + 1, C] float32. */
  readonly placed: Value
  /** [N, 1, 1, S + 1] float32 */
  readonly mask: Value
  readonly core: AttentionCore
}

/**
 * Attention with one query a pixel, [N, pixels, C]. Keys and values are never made: with a state s and its position p,
 * q·((s + p)Wk) = (qWkᵀ)·s + (qWkᵀ)·p and Σa((s + p)Wv) = (Σa·s + Σa·p)Wv. That is exact, and takes a thirtieth of the
 * arithmetic; what is left is reading the states once.
 */
function rememberingAttention(g: GraphBuilder, x: Value, memory: Memory, name: string): Value {
  const { remembered, placed, mask, core } = memory
  const [streams, pixels, slots, width] = remembered.shape as [number, number, number, number]
  const { type } = remembered
  const own = cast(g, add(g, x, slice(g, placed, 1, slots, slots + 1)), type)
  const self = reshape(g, own, [streams, pixels, 1, width])
  const positions = cast(g, slice(g, placed, 1, 0, slots), type) // [N, S, C]
  /** Product of [N, pixels, heads, …] and what all pixels of a stream share. */
  const withShared = (a: Value, shared: Value): Value => {
    const rows = reshape(g, a, [streams, pixels * temporalHeads, extent(a, 3)])
    return reshape(g, product(g, rows, shared, core), [streams, pixels, temporalHeads, extent(shared, 2)])
  }
  const query = g.within('query', () => absorbedQuery(g, own, name)) // [N, pixels, heads, C]
  const seen = g.within('scores', () => {
    const ofStates = product(g, query, transpose(g, remembered, [0, 1, 3, 2]), core)
    const kept = add(g, ofStates, withShared(query, transpose(g, positions, [0, 2, 1])))
    const all = concat(g, [kept, product(g, query, transpose(g, self, [0, 1, 3, 2]), core)], 3)
    return shares(g, add(g, all, cast(g, mask, all.type)), type, core)
  })
  const mixed = g.within('mix', () => {
    const kept = slice(g, seen, 3, 0, slots)
    const states = add(g, product(g, kept, remembered, core), withShared(kept, positions))
    const ofSelf = mul(g, slice(g, seen, 3, slots, slots + 1), self)
    return cast(g, add(g, states, cast(g, ofSelf, states.type)), type)
  })
  const values = g.within('values', () => {
    const byHead = transpose(g, reshape(g, mixed, [streams * pixels, temporalHeads, width]), [1, 0, 2])
    const perHead = matMul(g, byHead, headWeights(g, `${name}.v`, [1, 0, 2])) // [heads, N·pixels, d]
    const inner = extent(perHead, 0) * extent(perHead, 2)
    return reshape(g, transpose(g, perHead, [1, 0, 2]), [streams, pixels, inner])
  })
  return linear(g, values, `${name}.to_out.0`)
}

/** qWkᵀ of each head: [N, pixels, C] → [N, pixels, heads, C]. */
function absorbedQuery(g: GraphBuilder, x: Value, name: string): Value {
  const q = linear(g, x, `${name}.q`)
  const [streams, pixels, inner] = [extent(q, 0), extent(q, 1), extent(q, 2)]
  const split = reshape(g, q, [streams * pixels, temporalHeads, inner / temporalHeads])
  const absorbed = matMul(g, transpose(g, split, [1, 0, 2]), headWeights(g, `${name}.k`, [1, 2, 0]))
  return reshape(g, transpose(g, absorbed, [1, 0, 2]), [streams, pixels, temporalHeads, extent(absorbed, 2)])
}

/** A projection's weight [C, heads·d] as [C, heads, d], its axes reordered; constant, so engines fold it. */
function headWeights(g: GraphBuilder, name: string, order: readonly number[]): Value {
  const weight = g.weight(`${name}.weight`)
  const [width, inner] = [extent(weight, 0), extent(weight, 1)]
  return transpose(g, reshape(g, weight, [width, temporalHeads, inner / temporalHeads]), order)
}
