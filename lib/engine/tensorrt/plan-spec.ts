// Owns: which plans a session or a stream needs, their batches, and the graphs that they are built from.
// Must not know: how graphs are made, how plans are built, what runs them.

import { counted } from '../../base/counted.js'
import type { EncoderShape } from '../../prepare/graph/encoder.js'
import type { DepthDecoderShape } from '../../prepare/graph/depth-decoder.js'
import type { StreamStepShape } from '../../prepare/graph/stream-step.js'
import type { TemporalHeadShape } from '../../prepare/graph/temporal-head.js'
import { patchSize } from '../../prepare/checkpoint/input-size.js'
import type { NativePlan, NativeStreamsOptions, NativeWindowsOptions } from '../../native/gpu-types.js'
import { stateSlots } from '../../plan/step-plan.js'
import { windowStrategy } from '../../plan/strategy.js'
import type { GraphForm, Rung } from './ladder.js'

interface NetworkSize {
  /** Network input, pixels, multiples of 14. */
  readonly inputWidth: number
  readonly inputHeight: number
}

export interface WindowSpec extends NetworkSize {
  readonly use: 'windows'
  readonly windowLength: number
}

export interface StreamSpec extends NetworkSize {
  readonly use: 'streams'
  /** Ascending powers of 2 from 1. */
  readonly batches: readonly number[]
}

/** Plans that are built, checked and loaded together. */
export type PlanSpec = WindowSpec | StreamSpec

export type GraphRequest = { readonly label: string; readonly form: GraphForm } & (
  | { readonly kind: 'encoder'; readonly shape: EncoderShape }
  | { readonly kind: 'temporal-head'; readonly shape: TemporalHeadShape }
  | { readonly kind: 'depth-decoder'; readonly shape: DepthDecoderShape }
  | { readonly kind: 'stream-step'; readonly shape: StreamStepShape }
)

/**
 * Frames that encoder and depth decoder take at once: half of a window's new frames, 11 of 22 at length 32. That divides
 * the new frames without a rest; a first window of 32, and the 31 or 32 maps that are wanted, take three runs of 11. A whole
 * window's new frames at once would need more scratch memory.
 */
export function windowBatch(windowLength: number): number {
  return windowStrategy('upstream', windowLength).step / 2
}

/** 1, 2, 4 … up to `most`. */
export function streamBatches(most: number): number[] {
  return Array.from({ length: Math.log2(most) + 1 }, (_, i) => 2 ** i)
}

/** Windows: encoder, temporal head, depth decoder. Streams: encoder, step and depth decoder of each batch in turn. */
export function graphRequests(spec: PlanSpec, { trunk, decoder }: Rung): GraphRequest[] {
  const grid = { rows: spec.inputHeight / patchSize, cols: spec.inputWidth / patchSize }
  const encoder = (batch: number): GraphRequest => ({
    kind: 'encoder',
    label: `encoder, ${frames(batch)}`,
    form: trunk,
    shape: { ...grid, encoderBatch: batch },
  })
  const depthDecoder = (batch: number): GraphRequest => ({
    kind: 'depth-decoder',
    label: `depth decoder, ${frames(batch)}`,
    form: decoder,
    shape: { ...grid, decoderBatch: batch },
  })
  if (spec.use === 'windows') {
    const { windowLength } = spec
    const batch = windowBatch(windowLength)
    const head: GraphRequest = {
      kind: 'temporal-head',
      label: `temporal head, ${frames(windowLength)}`,
      form: trunk,
      shape: { ...grid, windowLength },
    }
    return [encoder(batch), head, depthDecoder(batch)]
  }
  return spec.batches.flatMap((batch) => {
    const step: GraphRequest = {
      kind: 'stream-step',
      label: `stream step, ${frames(batch)}`,
      form: trunk,
      shape: { ...grid, stateSlots, streams: batch },
    }
    return [encoder(batch), step, depthDecoder(batch)]
  })
}

/** The same for all arithmetics; part of file names. */
export function specName(spec: PlanSpec): string {
  const { use, inputWidth, inputHeight } = spec
  const rest = spec.use === 'windows' ? `t${spec.windowLength}` : `b${spec.batches.join('-')}`
  return `${use}.${inputWidth}x${inputHeight}.${rest}`
}

const frames = (count: number): string => counted(count, 'frame')

/** From plans in the order of `graphRequests`. */
export function windowPlans(
  plans: readonly NativePlan[],
): Pick<NativeWindowsOptions, 'encoder' | 'temporalHead' | 'depthDecoder'> {
  const [encoder, temporalHead, depthDecoder] = plans
  if (encoder === undefined || temporalHead === undefined || depthDecoder === undefined)
    throw new Error('plans of another use')
  return { encoder, temporalHead, depthDecoder }
}

/** From plans in the order of `graphRequests`. */
export function streamPlans(
  plans: readonly NativePlan[],
  batches: readonly number[],
): Omit<NativeStreamsOptions, 'rows'> {
  const every = (offset: number): NativePlan[] => plans.filter((_, i) => i % 3 === offset)
  return { batches, encoders: every(0), steps: every(1), depthDecoders: every(2) }
}
