// Owns: the messages between the TensorRT engine and the thread that makes its weights and graphs.
// Must not know: how either side does its work.

import type { PreparedWeights } from '../../prepare/graph/prepare-weights.js'
import type { Precision } from '../../prepare/graph/weights.js'
import type { ErrorCode } from '../../base/errors.js'
import type { LoadProgress } from '../engine.js'
import type { GraphRequest } from './plan-spec.js'

export interface WeightsRequest {
  readonly op: 'weights'
  readonly checkpoint: string
  readonly cacheDir: string | undefined
  readonly weightsKey: string | undefined
  readonly metric: boolean | undefined
  readonly precision: Precision
}

export interface GraphFileRequest {
  readonly op: 'graph'
  readonly weights: PreparedWeights
  readonly request: GraphRequest
}

export interface GraphFile {
  readonly path: string
  /** Hash of the file without its weights, hex. */
  readonly sha256: string
  readonly ports: {
    readonly inputs: Readonly<Record<string, readonly number[]>>
    readonly outputs: Readonly<Record<string, readonly number[]>>
  }
}

/** Stops what is under way at its next chance. */
export interface StopRequest {
  readonly op: 'stop'
}

export type GraphMessage =
  | { readonly value: unknown }
  | { readonly progress: LoadProgress }
  | { readonly error: { readonly code: ErrorCode | undefined; readonly message: string; readonly stack?: string } }
