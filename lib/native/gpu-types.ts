// Owns: the contract between TypeScript and the addon's GPU part (binding/gpu). Both sides check it.
// Must not know: which plans there are, when they are built, what calls it.

import type { MapFit, StitchResult, StitchStep } from './types.js'
import type { NativePicture } from '../base/pixel-format.js'

/** Everything here rejects with an Error whose `code` is GPU_UNAVAILABLE, GPU_OUT_OF_MEMORY, GPU_FAILED,
 * TENSORRT_UNAVAILABLE, PLAN_FAILED, ABORTED or CLOSED; wrong arguments with a TypeError or RangeError. After GPU_FAILED
 * with `lasting: true` the engine only closes. */
export interface NativeGpu {
  /** What the addon was compiled with: CUDA's version, and TensorRT's headers', such as '10.6.0', newest first. */
  readonly compiled: { readonly cuda: string; readonly tensorRt: readonly string[] }
  /** What is there. Never rejects for what is missing. @param folders searched for TensorRT before the system's places */
  probe(folders: readonly string[]): Promise<GpuProbe>
  /**
   * One engine: a thread that owns a device's context, and one that waits for it. Takes the newest TensorRT that is found.
   *
   * @param device CUDA's index
   */
  open(device: number, folders: readonly string[]): Promise<NativeGpuEngine>
}

export interface GpuDevice {
  readonly index: number
  readonly name: string
  /** As 9.0 */
  readonly computeCapability: string
  readonly memoryBytes: number
  readonly multiprocessors: number
}

export interface TensorRtReport {
  readonly major: number
  /** As '10.6.0'; empty where it could not be opened. */
  readonly version: string
  readonly inferPath: string
  readonly parserPath: string
  /** Empty where it can be used. */
  readonly problem: string
}

export interface GpuProbe {
  /** CUDA version that the driver supports, as '13.0'; empty where there is no driver. */
  readonly driver: string
  /** Why no device can be used; empty where one can. */
  readonly problem: string
  readonly devices: readonly GpuDevice[]
  /** A report on each major version that was compiled in, newest first. */
  readonly tensorRt: readonly TensorRtReport[]
}

export interface PlanPort {
  readonly name: string
  readonly isInput: boolean
  readonly type: 'float32' | 'float16' | 'int32' | 'int64' | 'other'
  readonly shape: readonly number[]
}

/** A loaded plan; freed with its engine, or by `release` when nothing uses it any more. */
export interface NativePlan {
  readonly ports: readonly PlanPort[]
  readonly scratchBytes: number
  /** JSON of the layers that TensorRT chose. */
  layers(): Promise<string>
  release(): void
}

export interface NativeBuildRequest {
  readonly onnxPath: string
  readonly workspaceBytes: number
  /** 0…5 */
  readonly optimizationLevel: number
  /** What an earlier build left, on the same kind of device with the same TensorRT. */
  readonly timingCache?: Uint8Array | undefined
}

export interface NativeGpuEngine {
  readonly device: GpuDevice
  /** As '10.6.0' */
  readonly tensorRt: string
  /** Tells builds of one version apart; 0 where the library does not say. */
  readonly tensorRtBuild: number
  /**
   * Builds a plan; takes minutes. Builds wait for each other; everything else goes on, on a GPU that is then busier.
   *
   * @param onProgress TensorRT's phase, 0…1 within it
   */
  build(
    request: NativeBuildRequest,
    onProgress: (phase: string, fraction: number) => void,
  ): Promise<{ readonly plan: Uint8Array<ArrayBuffer>; readonly timingCache: Uint8Array<ArrayBuffer> }>
  /** The build under way, if any, rejects with code ABORTED. */
  cancelBuild(): void
  /** @param plan copied within the call */
  loadPlan(plan: Uint8Array): Promise<NativePlan>
  openWindows(options: NativeWindowsOptions): Promise<NativeGpuWindows>
  openStreams(options: NativeStreamsOptions): Promise<NativeGpuStreams>
  /** The device's memory, bytes. */
  memory(): Promise<{ readonly free: number; readonly total: number }>
  /** Idempotent. Everything pending rejects with code CLOSED; resolves when both threads have ended. */
  close(): Promise<void>
}

export interface NativeWindowsOptions {
  /** Its batch may be any; see lib/prepare/graph for the ports. */
  readonly encoder: NativePlan
  readonly temporalHead: NativePlan
  readonly depthDecoder: NativePlan
  readonly frameWidth: number
  readonly frameHeight: number
  /** Feature slots; their features stay on the device. */
  readonly slots: number
}

/** One video's state on the device. Calls are carried out in the order made; several may be under way. */
export interface NativeGpuWindows {
  /**
   * Copies the picture within the call; resolves when the next one may be given. One call at a time. What fails on the
   * device shows at the next `decode`.
   */
  encode(picture: NativePicture, slot: number): Promise<void>
  /** Temporal head over `slots`, then the depth decoder for the positions in `wanted`. Their maps stay on the device until
   * the next `decode`, which must come after this window's `stitch`. */
  decode(slots: readonly number[], wanted: readonly number[]): Promise<NativeDecodeResult>
  /** As NativeStitcher's, with the maps of the last `decode`. */
  stitch(step: StitchStep): Promise<StitchResult>
  /** The network's own maps, [H, W] each. @param positions among the last `wanted` */
  readMaps(positions: readonly number[]): Promise<readonly Float32Array<ArrayBuffer>[]>
  /** Frames held back for the next blend, as of the last `stitch` that has settled. */
  readonly held: number
  /** Device milliseconds so far. */
  readonly deviceMs: {
    readonly preprocess: number
    readonly encode: number
    readonly temporalHead: number
    readonly depthDecoder: number
    readonly stitch: number
  }
  /** Idempotent; frees the device's memory when what is under way has ended. */
  close(): Promise<void>
}

export interface NativeDecodeResult {
  /** Values that were NaN or infinite, of all maps. */
  readonly nonFinite: number
  /** Positions whose map has no two different values. */
  readonly flat: readonly number[]
}

export interface NativeStreamsOptions {
  /** Plans by batch: `encoders[i]`, `steps[i]` and `depthDecoders[i]` take batches[i] frames; ascending powers of 2 from 1. */
  readonly batches: readonly number[]
  readonly encoders: readonly NativePlan[]
  readonly steps: readonly NativePlan[]
  readonly depthDecoders: readonly NativePlan[]
  /** Streams that there is room for; a multiple of the largest batch. */
  readonly rows: number
}

export interface NativeStepEntry {
  /** Whose turn it is; each row at most once a call. */
  readonly row: number
  readonly picture: NativePicture
  /** See StepPlan. */
  readonly positions: readonly number[]
  readonly visible: readonly boolean[]
  readonly write: readonly number[]
  /** Compare the map with the row's reference. */
  readonly fit: boolean
  /** False where `finish` is called afterwards. */
  readonly wantsDepth: boolean
}

export interface NativeStepResult {
  /** Where it is not 0 the frame is not remembered. */
  readonly nonFinite: number
  readonly flat: boolean
  /** From the map to the reference; `null` where not asked for. */
  readonly fit: MapFit | null
  /** [height, width] of the picture, unscaled; `null` where not asked for. */
  readonly depth: Float32Array<ArrayBuffer> | null
  /** Device milliseconds, of the whole batch. */
  readonly preprocessMs: number
  readonly inferMs: number
  readonly postMs: number
}

/** Memories of several streams of one network size. Calls are carried out in the order made. */
export interface NativeGpuStreams {
  readonly rows: number
  /** One frame each of some rows, in as few runs as the batches allow. Pictures are copied within the call. */
  step(entries: readonly NativeStepEntry[]): Promise<readonly NativeStepResult[]>
  /**
   * The row's last map at another size, [height, width], × scale + shift.
   *
   * @param keep the map becomes the row's reference
   */
  finish(
    row: number,
    options: {
      readonly scale: number
      readonly shift: number
      readonly keep: boolean
      readonly width: number
      readonly height: number
    },
  ): Promise<{ readonly postMs: number; readonly depth: Float32Array<ArrayBuffer> }>
  /** All states of a row, as they lie on the device (float16 or float32), and its reference. */
  exportState(
    row: number,
    withReference: boolean,
  ): Promise<{ readonly memory: Uint8Array<ArrayBuffer>; readonly reference: Float32Array<ArrayBuffer> | null }>
  /** Both arrays are copied within the call. */
  importState(row: number, memory: Uint8Array, reference: Float32Array | null): Promise<void>
  /** Bytes of one row's memory. */
  readonly memoryBytes: number
  close(): Promise<void>
}
