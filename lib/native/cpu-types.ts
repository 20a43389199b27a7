// Owns: the contract between TypeScript and the addon's own network on a processor (binding/cpu). Both sides check it.
// Must not know: how the addon is found, what calls it.

/** Instruction sets that there are kernels for. */
export type CpuKernels =
  'avx512-bf16' | 'avx512-vnni' | 'avx-vnni' | 'avx2' | 'neon-i8mm' | 'neon-dotprod' | 'neon' | 'portable'

/** Where a tensor lies in the weights file: float32, C order. */
export interface NativeTensor {
  /** Bytes from the file's start. */
  readonly offset: number
  readonly shape: readonly number[]
}

export interface NativeCpuModelOptions {
  /** One of `NativeCpu.kernels`. */
  readonly kernels: CpuKernels
  /** `int8`: products with weights as 8-bit integers, each activation row or map scaled by its own range. */
  readonly precision: 'fp32' | 'int8'
  /** 1…256 */
  readonly threads: number
  /** Path of a weights file as graph/weights-file.ts writes it for fp32. */
  readonly weights: string
  /** By name, as graph/weights.ts lists them. */
  readonly tensors: Readonly<Record<string, NativeTensor>>
  readonly embedWidth: number
  /** Encoder blocks in the file. */
  readonly depth: number
  readonly features: number
  readonly outChannels: readonly number[]
  readonly temporalLength: number
  /** Four increasing block numbers; what comes after the last one is not computed. */
  readonly taps: readonly number[]
}

/** Weights, packed for the processor, and the threads that work with them. Shared by networks of any size. */
export interface NativeCpuModel {
  /** Bytes that the packed weights take. */
  readonly weightBytes: number
  /**
   * @param rows patches, 1…2340; @param cols likewise
   * @param positions [rows · cols, embedWidth] float32; `null` takes the stored grid, which must be of this size
   */
  network(rows: number, cols: number, positions: Float32Array | null): NativeCpuNetwork
  /** Lets go of the weights, which are freed with the last network over them. It cannot be called any more. Idempotent. */
  release(): void
}

/** Frames' states in memory of the model's pool; a frame that is in several slots is there once. */
export interface NativeCpuMemory {
  /** The frames that are remembered, and which slots they are in. */
  export(): Uint8Array<ArrayBuffer>
  /** Replaces everything. Throws a RangeError whose `operation` is `restore`, and changes nothing, where it does not fit. */
  import(state: Uint8Array): void
  /** Gives its memory back at once; it cannot be used any more. Idempotent. */
  release(): void
}

/**
 * The network at one size. Calls are synchronous and take long: make them in a worker thread, one at a time for a model.
 * Arrays are borrowed for the call.
 */
export interface NativeCpuNetwork {
  /** Bytes of one frame's features, in a layout that is the network's own. */
  readonly featureBytes: number
  /** What one stream remembers, with nothing in it. @param slots 1…4095 */
  newMemory(slots: number): NativeCpuMemory
  /** @param pixels [3, 14 · rows, 14 · cols] float32; @param features receives featureBytes bytes */
  encode(pixels: Float32Array, features: Uint8Array): void
  /**
   * The temporal head over a window. Its result is kept for `decode` until the next call of `head` or `step`.
   *
   * @param window features of 1…256 frames
   * @param tables temporal position tables, [frames, C] float32 each, of the eight attentions in the order in which they
   *   run; `null` takes the stored ones, which hold `temporalLength` frames: their first rows where the window is shorter
   */
  head(window: readonly Uint8Array[], tables: readonly Float32Array[] | null): void
  /**
   * The temporal head for one new frame of a stream; see graph/stream-step.ts for what it computes. Leaves `memory` as it is;
   * the result is kept for `decode` (position 0), the new states for `remember`. A slot that is seen must hold a frame.
   *
   * @param positions rows of the position tables for each slot and, last, for the new frame
   * @param visible 0 or 1 for each slot and, last, for the new frame
   */
  step(features: Uint8Array, memory: NativeCpuMemory, positions: Int32Array, visible: Uint8Array): void
  /** Puts the states of the last `step` into these slots of the same memory; once a step. */
  remember(memory: NativeCpuMemory, slots: Int32Array): void
  /**
   * The depth decoder.
   *
   * @param position in the window of the last `head`
   * @param map receives [14 · rows, 14 · cols] float32, ≥ 0 where finite
   */
  decode(position: number, features: Uint8Array, map: Float32Array): void
  /** Frees its working memory at once; it cannot be called any more. Idempotent. */
  release(): void
}

export interface NativeCpu {
  /** What this build has and this processor runs, fastest first; empty where it runs none. */
  readonly kernels: readonly CpuKernels[]
  readonly Model: new (options: NativeCpuModelOptions) => NativeCpuModel
}
