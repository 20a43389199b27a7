// Owns: what goes into a stream and what comes out of it.
// Must not know: engines, queues.

import { expected, VideoDepthError } from '../base/errors.js'
import type { DepthMap, PixelLayout, SceneMark } from '../base/frame.js'
import type { Names } from '../base/known-options.js'
import { type NativePicture, knownKeys, pictureNames, resolvePicture } from '../base/pixel-format.js'
import type { LatencyPercentiles } from './latency.js'
import type { Stabilization } from '../plan/stabilizer.js'

/** A picture for a stream, in any of the pixel formats; by default tightly packed RGB. */
export interface StreamFrame extends PixelLayout {
  /** Copied before `push` returns, so that it may be reused at once. */
  readonly data: Uint8Array | Uint8ClampedArray
  /** Pixels; the same for all frames up to a `reset()`. */
  readonly width: number
  readonly height: number
  /** Milliseconds on any clock; default: since the stream's first frame came. */
  readonly timestampMs?: number | undefined
  /** The camera was away or the scene is another one: the stream begins anew with this frame, as after `reset()`. */
  readonly discontinuity?: boolean | undefined
}

/** Depth of one frame of a stream; `index` counts all frames that came, also those dropped or refused. */
export interface StreamDepth extends DepthMap {
  readonly scene: SceneMark
  /** What the network's disparity was multiplied by and moved by; undefined unless `stabilize` is on. */
  readonly stabilization: Stabilization | undefined
  readonly timings: FrameTimings
  /** Running percentiles of `timings.totalMs`; undefined while all frames so far waited for the network to be loaded. */
  readonly latency: LatencyPercentiles | undefined
  /** Frames that `queue: 'latest'` has passed over so far. */
  readonly dropped: number
}

/** Milliseconds. The four parts sum up to the whole. */
export interface FrameTimings {
  /** Waiting for its turn, and being handed over between threads. */
  readonly queuedMs: number
  /** Pixel conversion, resizing and the cut detector. */
  readonly preprocessMs: number
  /** The network. */
  readonly inferMs: number
  /** Scaling to the frame's size. */
  readonly postMs: number
  /** From `push` (or from when an adapter took the frame) to the result. */
  readonly totalMs: number
}

/** A frame whose bytes are ours. */
export interface OwnedFrame {
  readonly picture: NativePicture & { readonly data: Uint8Array<ArrayBuffer> }
  readonly timestampMs: number | undefined
  /** The stream begins anew with this frame. */
  readonly fresh: boolean
  /** Which of the stream's frames it is, from 0. */
  readonly number: number
  /** `performance.now()` when it came. */
  readonly arrivedMs: number
}

const frameNames: Names<StreamFrame> = { ...pictureNames, timestampMs: true, discontinuity: true }

/** @throws VideoDepthError FRAME_INVALID */
export function ownFrame(frame: StreamFrame, number: number, fresh: boolean): OwnedFrame {
  const arrivedMs = performance.now()
  const what = `Frame ${number}`
  const picture = resolvePicture(frame, what)
  knownKeys(frame, what, frameNames)
  const { timestampMs, discontinuity = false } = frame
  if (timestampMs !== undefined && !Number.isFinite(timestampMs))
    throw invalid(what, 'a finite number of milliseconds', 'timestampMs', timestampMs)
  if (typeof discontinuity !== 'boolean') throw invalid(what, 'true or false', 'discontinuity', discontinuity)
  const owned = { ...picture, data: new Uint8Array(picture.data) }
  return { picture: owned, timestampMs, fresh: fresh || discontinuity, number, arrivedMs }
}

function invalid(what: string, wanted: string, parameter: string, received: unknown): VideoDepthError {
  return new VideoDepthError('FRAME_INVALID', `${what}: ${expected(wanted, parameter, received)}`)
}
