// Owns: the interface that every inference engine implements.
// Must not know: ONNX Runtime, TensorRT, windows' meaning, videos.

import type { RgbFrame } from '../frame.js'
import type { Architecture } from '../model/architecture.js'
import type { StitchResult, StitchStep } from '../native-types.js'

/** Everything that fixes a session's shapes. */
export interface SessionGeometry {
  /** Frames' size, pixels. */
  readonly frameWidth: number
  readonly frameHeight: number
  /** Network input, pixels, multiples of 14. */
  readonly inputWidth: number
  readonly inputHeight: number
  /** Slots that the temporal head sees at once. */
  readonly windowLength: number
  /** Feature slots to keep; at least windowLength. */
  readonly slots: number
}

/** A window's depth maps, one a slot of the window, `null` where not wanted. What they are is the engine's business. */
export type WindowDepth = readonly (Float32Array | null)[]

export interface StitchedFrames extends StitchResult {
  /** [frameHeight, frameWidth] float32 each, in order, owned by the caller. */
  readonly frames: readonly Float32Array[]
}

/** State of one video in one engine: feature slots, references, held frames. One owner; calls run in the order made. */
export interface EngineSession {
  readonly geometry: SessionGeometry
  /** Copies the frame, encodes it and keeps its features in `slot`. */
  encode(frame: RgbFrame, slot: number): Promise<void>
  /** Runs the temporal head over `slots` in that order, and the depth decoder for the positions in `wanted`. */
  decode(slots: readonly number[], wanted: readonly number[]): Promise<WindowDepth>
  stitch(depth: WindowDepth, step: StitchStep): Promise<StitchedFrames>
  /** Seconds spent so far, by phase. */
  readonly timings: Readonly<EngineTimings>
  /** Idempotent. Pending calls reject with code CLOSED. */
  close(): Promise<void>
}

/** Preparation that takes long enough to be told about. */
export interface LoadProgress {
  readonly phase: 'hash' | 'convert' | 'graphs' | 'sessions'
  /** 0…1 within the phase. */
  readonly fraction: number
}

export interface EngineTimings {
  preprocess: number
  encode: number
  temporalHead: number
  depthDecoder: number
  stitch: number
}

/** A loaded network. Immutable and shared: any number of sessions may be open on it. */
export interface Engine {
  readonly backend: 'cpu' | 'tensorrt'
  /** What the checkpoint was found to be. */
  readonly architecture: Architecture
  /** An abort of `signal` rejects with its reason at once, also in mid-preparation. */
  openSession(geometry: SessionGeometry, signal?: AbortSignal): Promise<EngineSession>
  /** Idempotent. Everything pending rejects with code CLOSED at once; resolves when nothing of the engine is left. */
  close(): Promise<void>
}
