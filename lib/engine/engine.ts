// Owns: the interface that every inference engine implements.
// Must not know: TensorRT, windows' meaning, videos.

import type { DepthKind, RgbFrame } from '../base/frame.js'
import type { Architecture } from '../prepare/checkpoint/architecture.js'
import type { Recipe } from '../prepare/checkpoint/recipe.js'
import type { NativePicture } from '../base/pixel-format.js'
import type { StitchResult, StitchStep } from '../native/types.js'
import type { Stabilization } from '../plan/stabilizer.js'
import type { StepPlan } from '../plan/step-plan.js'
import type { EngineInfo } from './engine-info.js'

/** Which engine runs: processors, or TensorRT on an NVIDIA GPU. */
export type Backend = 'cpu' | 'tensorrt'

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

/** A window's depth maps. Where and what they are is the engine's business: it goes to the same session's `stitch`. */
export interface WindowDepth {
  readonly backend: Backend
}

export interface StitchedFrames extends Omit<StitchResult, 'frames'> {
  /** [frameHeight, frameWidth] float32 each, in order, owned by the caller. */
  readonly frames: readonly Float32Array[]
  /** Maps of the window without two different values: a network that works gives none. */
  readonly flat: number
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

/** Everything that fixes a stream's shapes, and how its frames are finished. */
export interface StreamGeometry {
  /** Frames' size, pixels. */
  readonly frameWidth: number
  readonly frameHeight: number
  /** Network input, pixels, multiples of 14. */
  readonly inputWidth: number
  readonly inputHeight: number
  /** Whether each frame's disparity is held to the anchor's scale and shift (StepPlan). */
  readonly stabilized: boolean
}

export interface StreamStepResult {
  /** [frameHeight, frameWidth] float32, ≥ 0, owned by the caller. */
  readonly depth: Float32Array
  /** Values of the network's map that were NaN or infinite; where there are any, the frame is not remembered. */
  readonly nonFinite: number
  /** The network's map has no two different values. */
  readonly flat: boolean
  /** What the depth was multiplied by and moved by; undefined where the stream is not stabilized. */
  readonly stabilization: Stabilization | undefined
  /** Milliseconds in the engine: conversion and resizing; the network; scaling to the frame's size. */
  readonly preprocessMs: number
  readonly inferMs: number
  readonly postMs: number
}

/** Everything that a stream remembers, but for its count of frames. */
export interface StreamState {
  /** Which arithmetic made it, where one engine has several; an engine takes none but its own. */
  readonly variant: string
  /** Laid out as the engine likes. */
  readonly memory: Uint8Array<ArrayBuffer>
  /** The anchor's disparity, [inputHeight, inputWidth]; only in stabilized streams. */
  readonly reference: Float32Array<ArrayBuffer> | undefined
  readonly scale: number
  readonly shift: number
}

/** State of one stream in one engine. One owner; calls run in the order made. */
export interface EngineStream {
  readonly geometry: StreamGeometry
  /**
   * One frame's depth. After a rejection nothing has changed, unless the stream was closed.
   *
   * @param picture its data is the engine's from here on: the array is detached
   */
  step(picture: NativePicture & { readonly data: Uint8Array<ArrayBuffer> }, plan: StepPlan): Promise<StreamStepResult>
  exportState(): Promise<StreamState>
  /** Takes the arrays over. Rejects with SNAPSHOT_MISMATCH where they do not fit. */
  importState(state: StreamState): Promise<void>
  /** Idempotent. Pending calls reject with code CLOSED. */
  close(): Promise<void>
}

/** What ends a preparation, and who is told how far it is. */
export interface Preparation {
  readonly signal: AbortSignal
  readonly onProgress: (progress: LoadProgress) => void
}

/** Preparation that takes long enough to be told about. */
export interface LoadProgress {
  /** `plans` and `check` take minutes the first time with TensorRT; with int8 on the CPU `check` takes seconds. */
  readonly phase: 'hash' | 'convert' | 'graphs' | 'sessions' | 'plans' | 'check'
  /** 0…1 within the phase. */
  readonly fraction: number
  /** What is being done, in words; only of `plans` and `check`. */
  readonly detail?: string
}

/** Seconds spent by phase, over a whole run. */
export interface EngineTimings {
  preprocess: number
  encode: number
  temporalHead: number
  depthDecoder: number
  stitch: number
}

/** A loaded network. Immutable and shared: any number of sessions and streams may be open on it. */
export interface Engine {
  readonly backend: Backend
  /** The published file that the checkpoint is, where it is one. */
  readonly recipe?: Recipe | undefined
  /** What the checkpoint was found to be. */
  readonly architecture: Architecture
  /** Says which network, arithmetic and memory layout this is: states may go between engines of one id. */
  readonly id: string
  /** What this engine came to be, for people and logs. */
  readonly info: EngineInfo
  /** Ends a message about depth that is not finite: why that may be, and the way out. One sentence or two. */
  readonly nonFiniteAdvice: string
  /** An abort of `signal` rejects with its reason at once, also in mid-preparation. */
  openStream(geometry: StreamGeometry, signal?: AbortSignal): Promise<EngineStream>
  /** An abort of `signal` rejects with its reason at once, also in mid-preparation. */
  openSession(geometry: SessionGeometry, signal?: AbortSignal): Promise<EngineSession>
  /** Idempotent. Everything pending rejects with code CLOSED at once; resolves when nothing of the engine is left. */
  close(): Promise<void>
}

/** What a video or a stream runs on. */
export interface EngineHost {
  readonly engine: Engine
  readonly kind: DepthKind
  /** From a frame's size to the network input's, pixels. */
  readonly inputSize: (width: number, height: number) => { readonly width: number; readonly height: number }
}
