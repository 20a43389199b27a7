// Owns: what an engine says of itself: machine, arithmetic, plans, and how well these agree with float32.
// Must not know: how any of it came about.

import type { Backend } from './engine.js'

/** What an engine is and how well it agrees with float32. */
export interface EngineInfo {
  readonly backend: Backend
  /** What was asked for; `plans` say what it came to. */
  readonly precision: 'fp16' | 'fp32' | 'int8'
  /**
   * What computes on the CPU: the instruction set of the addon's kernels (`avx512-bf16`,
   * `avx512-vnni`, `avx-vnni`, `avx2`, `neon-i8mm`, `neon-dotprod`, `neon`, `portable`); undefined on a GPU.
   */
  readonly kernels: string | undefined
  /** How far int8 is from float32 on the bundled sample; undefined with other precisions. */
  readonly check: DepthErrorFigures | undefined
  /** Why `backend: 'auto'` took the CPU engine; undefined where it did not. */
  readonly fallback: EngineFallback | undefined
  /** TensorRT's version and the device; undefined on the CPU. */
  readonly gpu: GpuInfo | undefined
  /** Loaded so far, one a size and use: TensorRT's alone. */
  readonly plans: readonly PlanSetInfo[]
}

/** Depth against reference depth, over a clip. */
export interface DepthErrorFigures {
  /** Mean of |depth − reference| over the reference; at most 0.02. */
  readonly absRel: number
  /** Part of the pixels, 0…1, whose depth is within a factor of 1.25 of the reference. */
  readonly delta1: number
}

/** Why `backend: 'auto'` took the CPU engine. `code` is an `ErrorCode`. */
export interface EngineFallback {
  readonly code: string
  readonly reason: string
  /** There is an NVIDIA driver, so somebody may have counted on the GPU. */
  readonly isSurprising: boolean
}

/** The GPU that an engine runs on, and its TensorRT. */
export interface GpuInfo {
  /** As '10.6.0' */
  readonly tensorRt: string
  /** CUDA's index. */
  readonly device: number
  readonly name: string
  /** As '9.0' */
  readonly computeCapability: string
  readonly memoryBytes: number
}

/** The TensorRT plans of one network size and use. */
export interface PlanSetInfo {
  readonly use: 'windows' | 'streams'
  /** Network input, pixels. */
  readonly inputWidth: number
  readonly inputHeight: number
  /** The arithmetic that passed the self-check: 'fp16', 'fp32-accumulate', 'fp32-accumulate+fp32-decoder',
   * 'unfused+fp32-decoder' or 'fp32'. */
  readonly variant: string
  /** Whether any plan was built now, rather than found. */
  readonly origin: 'cache' | 'built'
  /** Seconds that building all its plans took, when they were built. */
  readonly buildSeconds: number
  readonly check: CheckFigures
  /** Why faster arithmetic was left out, in the order tried. */
  readonly rejected: readonly RejectedVariant[]
}

/** Arithmetic that was not used, and why. */
export interface RejectedVariant {
  readonly variant: string
  readonly cause: RejectionCause
  readonly reason: string
}

/**
 * `ruled-out`: the weights or this version of TensorRT do not allow it. `build`: TensorRT could not build or load it; the
 * next load tries again. `check`: it disagreed with float32. `run`: it gave values that were not finite at run time.
 */
export type RejectionCause = 'ruled-out' | 'build' | 'check' | 'run'

/** Depth on a fixed input against the CPU engine's float32; the worst of all maps compared. */
export interface CheckFigures {
  /** At least 0.999. */
  readonly cosine: number
  /** Root mean square of the error over that of the reference; at most 1e-2. */
  readonly relativeError: number
  /** The largest error of finite values over the reference's range; as it is where the reference is flat. */
  readonly largestError: number
  /** Values that were NaN or infinite; 0. */
  readonly nonFinite: number
}
