// Owns: the messages between the CPU engine and its worker thread.
// Must not know: how either side does its work.

import type { ErrorCode } from '../errors.js'
import type { Architecture } from '../model/architecture.js'
import type { LoadProgress, SessionGeometry } from './engine.js'

export interface LoadRequest {
  readonly op: 'load'
  readonly checkpoint: string
  readonly cacheDir: string | undefined
  readonly precision: 'fp32'
  readonly taps: readonly number[] | undefined
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
  /** Transferred: [height, width, 3] uint8, tightly packed. */
  readonly frame: Uint8Array<ArrayBuffer>
}

export interface DecodeRequest {
  readonly op: 'decode'
  readonly session: number
  readonly slots: readonly number[]
  readonly wanted: readonly number[]
}

/** Also makes the session's running and waiting requests fail with code CLOSED. */
export interface CloseRequest {
  readonly op: 'close'
  readonly session: number
}

/** Stops request `target` at its next chance; only `load` and `open` look. */
export interface AbortRequest {
  readonly op: 'abort'
  readonly target: number
}

/** Ends the thread as soon as nothing runs; not answered. */
export interface ShutdownRequest {
  readonly op: 'shutdown'
}

export type CpuRequest =
  LoadRequest | OpenRequest | EncodeRequest | DecodeRequest | CloseRequest | AbortRequest | ShutdownRequest

export interface LoadReply {
  readonly architecture: Architecture
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
