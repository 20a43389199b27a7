// Owns: the messages between the CPU engine and its worker thread.
// Must not know: how either side does its work.

import type { ErrorCode } from '../../base/errors.js'
import type { Architecture } from '../../prepare/checkpoint/architecture.js'
import type { Recipe } from '../../prepare/checkpoint/recipe.js'
import type { NativePicture } from '../../base/pixel-format.js'
import type { StepPlan } from '../../plan/step-plan.js'
import type { DepthErrorFigures } from '../engine-info.js'
import type { LoadProgress, SessionGeometry, StreamGeometry, StreamState, StreamStepResult } from '../engine.js'
import type { CpuKernels } from '../../native/cpu-types.js'
import type { CpuPrecision } from './choose-kernels.js'

export interface LoadRequest {
  readonly op: 'load'
  readonly checkpoint: string
  readonly cacheDir: string | undefined
  readonly precision: CpuPrecision
  readonly kernels: CpuKernels
  readonly metric: boolean | undefined
  readonly weightsKey: string | undefined
  readonly threads: number
}

export interface OpenRequest {
  readonly op: 'open'
  readonly session: number
  readonly geometry: SessionGeometry
}

export interface EncodeRequest {
  readonly op: 'encode'
  readonly session: number
  readonly slot: number
  /** Its data is transferred. */
  readonly picture: NativePicture
}

export interface DecodeRequest {
  readonly op: 'decode'
  readonly session: number
  readonly slots: readonly number[]
  readonly wanted: readonly number[]
}

export interface OpenStreamRequest {
  readonly op: 'open-stream'
  readonly session: number
  readonly geometry: StreamGeometry
}

export interface StepRequest {
  readonly op: 'step'
  readonly session: number
  /** Its data is transferred. */
  readonly picture: NativePicture
  readonly plan: StepPlan
}

export interface ExportRequest {
  readonly op: 'export'
  readonly session: number
}

export interface ImportRequest {
  readonly op: 'import'
  readonly session: number
  /** Its arrays are transferred. */
  readonly state: StreamState
}

/** Also makes the session's running and waiting requests fail with code CLOSED. */
export interface CloseRequest {
  readonly op: 'close'
  readonly session: number
}

/** Stops request `target` at its next chance; only `load`, `open` and `open-stream` look. */
export interface AbortRequest {
  readonly op: 'abort'
  readonly target: number
}

/** Ends the thread as soon as nothing runs; not answered. */
export interface ShutdownRequest {
  readonly op: 'shutdown'
}

export type CpuRequest =
  | LoadRequest
  | OpenRequest
  | EncodeRequest
  | DecodeRequest
  | OpenStreamRequest
  | StepRequest
  | ExportRequest
  | ImportRequest
  | CloseRequest
  | AbortRequest
  | ShutdownRequest

export interface LoadReply {
  readonly architecture: Architecture
  readonly recipe: Recipe | undefined
  /** Engine.id */
  readonly id: string
  /** How far int8 is from float32. */
  readonly check: DepthErrorFigures | undefined
}

export interface EncodeReply {
  /** Seconds. */
  readonly preprocess: number
  readonly encode: number
}

export interface DecodeReply {
  /** Transferred: [inputHeight, inputWidth] float32 for each wanted position, otherwise null. */
  readonly maps: readonly (Float32Array<ArrayBuffer> | null)[]
  /** Seconds. */
  readonly temporalHead: number
  readonly depthDecoder: number
}

export interface CpuReplies {
  readonly load: LoadReply
  readonly open: null
  readonly encode: EncodeReply
  readonly decode: DecodeReply
  readonly 'open-stream': null
  /** Its depth is transferred. */
  readonly step: StreamStepResult & { readonly depth: Float32Array<ArrayBuffer> }
  /** Its arrays are transferred. */
  readonly export: StreamState
  readonly import: null
  readonly close: null
  readonly abort: null
  readonly shutdown: null
}

export type CpuMessage =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: WireError }
  | { readonly id: number; readonly progress: LoadProgress }

export interface WireError {
  readonly code: ErrorCode | 'ABORTED'
  readonly message: string
  readonly stack: string | undefined
}
