// Owns: what a loaded checkpoint, and the network at one size, are to sessions and streams, whoever computes them.
// Must not know: the addon's kernels, messages, videos.

import type { StepPlan } from '../../plan/step-plan.js'
import type { Preparation } from '../engine.js'

export type Floats = Float32Array<ArrayBuffer>
export type Bytes = Uint8Array<ArrayBuffer>

export type { Preparation }

/** What one stream remembers: only a network of the same size and arithmetic knows what it holds. */
export interface StreamMemory {
  export(): Bytes
  /** Replaces everything. Throws a RangeError, and changes nothing, where the bytes do not fit. */
  import(bytes: Bytes): void
  /** Nothing may be done with it afterwards. */
  release(): void
}

/** Patches of 14×14 pixels. */
export interface Grid {
  readonly rows: number
  readonly cols: number
}

/** A checkpoint's weights, ready to compute with. */
export interface CpuModel {
  /** Where `preparation.signal` is aborted, it rejects with its reason before the next piece of work. */
  network(grid: Grid, preparation: Preparation): Promise<CpuNetwork>
}

/**
 * The network at one size, with scratch memory that all of its users share. One call at a time. Calls block the thread;
 * what they do after an abort or a shutdown is the caller's business, between two of them.
 *
 * `Features` are what is kept of one frame: only the network that made them knows what they are.
 */
export interface CpuNetwork<Features extends object = object, Memory extends StreamMemory = StreamMemory> {
  /** [3, 14 · rows, 14 · cols] float32, filled by the caller before `encode`. */
  readonly pixels: Floats
  newFeatures(): Features
  /** [14 · rows, 14 · cols] float32 */
  newMap(): Floats
  /** For one stream; once `loadStreams` is done. */
  newMemory(): Memory
  /** Loads what windows of this length need, once. @param length frames */
  loadWindows(length: number, preparation: Preparation): Promise<void>
  /** Loads what streams need, once. */
  loadStreams(preparation: Preparation): Promise<void>
  /** Encodes `pixels` into `features`. */
  encode(features: Features): Promise<void>
  /** The temporal head over a window of a length that was loaded. Its result is kept for `decode` until the next `head` or `step`. */
  head(window: readonly Features[]): Promise<void>
  /**
   * The temporal head for one new frame. Leaves `memory` as it is; the result is kept for `decode` (position 0), the new
   * states for `remember`.
   */
  step(features: Features, memory: Memory, plan: StepPlan): Promise<void>
  /** Puts the states of the last `step` into these slots of `memory`. */
  remember(memory: Memory, slots: readonly number[]): void
  /** @param position in the window of the last `head`; @param map receives the depth, ≥ 0 where finite */
  decode(position: number, features: Features, map: Floats): Promise<void>
  /** Nothing may be called afterwards. */
  release(): Promise<void>
}
