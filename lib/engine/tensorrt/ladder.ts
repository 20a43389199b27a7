// Owns: the kinds of arithmetic that are tried, fastest first, and where to begin on versions known to be wrong.
// Must not know: how plans are built or checked.

import type { GraphVariant } from '../../prepare/graph/variant.js'
import type { Precision } from '../../prepare/graph/weights.js'
import type { RejectedVariant } from '../engine-info.js'

/** How one graph is emitted. */
export interface GraphForm {
  readonly weights: Precision
  readonly variant: GraphVariant
}

export interface Rung {
  readonly name: string
  /** Encoder, temporal head and stream step. */
  readonly trunk: GraphForm
  readonly decoder: GraphForm
}

const gpu = (weights: Precision, attention: GraphVariant['attention']): GraphForm => ({
  weights,
  variant: { target: 'gpu', attention },
})

/** What the trunk hands on stays float16. */
const exactDecoder: GraphForm = {
  weights: 'fp32',
  variant: { target: 'gpu', attention: 'fp16', handed: 'float16' },
}

/** In float32 all attention cores are the same. */
const exact = gpu('fp32', 'fp16')

/** Fastest first. Each differs from the one before in what is next likeliest to be wrong. */
export const ladder: readonly Rung[] = [
  { name: 'fp16', trunk: gpu('fp16', 'fp16'), decoder: gpu('fp16', 'fp16') },
  {
    name: 'fp32-accumulate',
    trunk: gpu('fp16', 'fp32-accumulate'),
    decoder: gpu('fp16', 'fp32-accumulate'),
  },
  { name: 'fp32-accumulate+fp32-decoder', trunk: gpu('fp16', 'fp32-accumulate'), decoder: exactDecoder },
  { name: 'unfused+fp32-decoder', trunk: gpu('fp16', 'unfused'), decoder: exactDecoder },
  { name: 'fp32', trunk: exact, decoder: exact },
]

const unfused = ladder.findIndex(({ name }) => name.startsWith('unfused'))
const last = ladder.length - 1

export interface LadderStart {
  readonly index: number
  /** Why the rungs before it are left out. */
  readonly rejected: readonly RejectedVariant[]
}

/** @param tensorRt as '10.6.0'; @param computeCapability as '9.0' */
export function ladderStart(precision: Precision, tensorRt: string, computeCapability: string): LadderStart {
  if (precision === 'fp32') return { index: last, rejected: [] }
  const is = (version: string): boolean => tensorRt === version || tensorRt.startsWith(`${version}.`)
  // Reported against NVIDIA's TensorRT for networks built on DINO: wrong numbers, not only inexact ones.
  if (is('10.3') || is('10.4'))
    return leaveOut(last, `TensorRT ${tensorRt} is known to give wrong FP16 results for networks of this kind`)
  if (is('10.16.1') && computeCapability === '12.0')
    return leaveOut(unfused, `TensorRT ${tensorRt} is known for wrong fused attention on compute capability 12.0`)
  return { index: 0, rejected: [] }
}

/** Begins at FP32 for weights that FP16 cannot hold. */
export function exactOnly(reason: string): LadderStart {
  return leaveOut(last, reason)
}

function leaveOut(index: number, reason: string): LadderStart {
  const rejected = ladder.slice(0, index).map(({ name }) => ({ variant: name, cause: 'ruled-out', reason }) as const)
  return { index, rejected }
}

/** There is nothing behind it. */
export function isLastRung(name: string): boolean {
  return rungIndex(name) === last
}

/** From a rung's name to its place; the first where there is no such rung. */
export function rungIndex(name: string): number {
  return Math.max(
    0,
    ladder.findIndex((rung) => rung.name === name),
  )
}
