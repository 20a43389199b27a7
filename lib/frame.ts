// Owns: what goes into the pipeline and what comes out of it.
// Must not know: sources, engines, sinks.

/** One picture of a video: tightly packed RGB, 8 bits a channel. */
export interface RgbFrame {
  /** [height, width, 3] row-major, values 0…255. Copied before the call that takes it returns. */
  readonly data: Uint8Array
  /** Pixels. */
  readonly width: number
  /** Pixels. */
  readonly height: number
  /** Presentation time in milliseconds from the start of the video. */
  readonly timestampMs: number
}

/** *Disparity* is relative inverse depth (larger is nearer, no unit); *metric* is depth in metres. */
export type DepthKind = 'disparity' | 'metric'

/** One depth map, in the order of the frames that went in. */
export interface DepthFrame {
  /** Position in the source after frame-rate reduction, from 0. */
  readonly index: number
  readonly timestampMs: number
  /** Pixels; the size of the frame that went in. */
  readonly width: number
  readonly height: number
  /** [height, width] row-major, ≥ 0. Owned by the caller. */
  readonly data: Float32Array
  readonly kind: DepthKind
  /** The window (from 0) that produced it; blended frames belong to the later window. */
  readonly window: number
  /** What the window was multiplied by and moved by to agree with the earlier ones. */
  readonly aligned: Alignment
}

export interface Alignment {
  readonly scale: number
  readonly shift: number
  /** True where the least-squares fit had no usable solution, so that scale 1, shift 0 was kept. */
  readonly degenerate: boolean
}
