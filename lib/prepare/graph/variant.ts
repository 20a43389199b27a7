// Owns: what a graph can be cut and typed for beyond its shape, and how its file's name says so.
// Must not know: the network, engines.

import type { Precision } from './weights.js'

/** How attention is computed in the fp16 plan. */
export type AttentionCore = 'fp16' | 'fp32-accumulate' | 'unfused'

export type FloatType = 'float16' | 'float32'

export interface GraphVariant {
  /** Whose limits and habits the graph is cut for. */
  readonly target: 'cpu' | 'gpu'
  readonly attention: AttentionCore
  /** Type of the tensors handed from graph to graph (layer1…4, path3, states, pixels); default: the weights' precision. */
  readonly handed?: FloatType
}

export const cpuVariant: GraphVariant = { target: 'cpu', attention: 'fp16' }

/** Type of what is multiplied on tensor cores, and of all tensors outside the float32 islands. */
export function computeType(precision: Precision): FloatType {
  return precision === 'fp16' ? 'float16' : 'float32'
}

export function handedType({ handed }: GraphVariant, precision: Precision): FloatType {
  return handed ?? computeType(precision)
}

/** For a file's name; empty where nothing differs from {@link cpuVariant}. @param aspects those that the graph depends on */
export function variantSuffix(
  variant: GraphVariant,
  precision: Precision,
  aspects: readonly (keyof GraphVariant)[],
): string {
  const handed = handedType(variant, precision)
  const parts = {
    target: variant.target === cpuVariant.target ? '' : `.${variant.target}`,
    attention: variant.attention === cpuVariant.attention ? '' : `.${variant.attention}`,
    handed: handed === computeType(precision) ? '' : `.${handed}-handed`,
  }
  return aspects.map((aspect) => parts[aspect]).join('')
}
