// Owns: what goes into the pipeline and what comes out of it.
// Must not know: sources, engines, sinks.

export interface Size {
  /** Pixels. */
  readonly width: number
  readonly height: number
}

export const pixelFormats = ['rgb24', 'bgr24', 'rgba', 'bgra', 'gray8', 'nv12', 'yuyv422'] as const

/**
 * How the bytes of a picture are read, by FFmpeg's names: `rgb24`, `bgr24` [h, w, 3]; `rgba`, `bgra` [h, w, 4], alpha
 * ignored; `gray8` [h, w]; `yuyv422` [h, ⌈w/2⌉, Y U Y V]; `nv12` [h, w] Y, then [⌈h/2⌉, ⌈w/2⌉, U V] with the same stride.
 *
 * @useDeclaredType
 */
export type PixelFormat = (typeof pixelFormats)[number]

export const colorMatrices = ['bt601', 'bt709'] as const

/**
 * Which weights make luma of red, green and blue: ITU-R BT.601 (standard definition, most cameras) or BT.709 (HD).
 *
 * @useDeclaredType
 */
export type ColorMatrix = (typeof colorMatrices)[number]

export const colorRanges = ['limited', 'full'] as const

/**
 * `limited`: luma 16…235, chroma 16…240. `full`: 0…255.
 *
 * @useDeclaredType
 */
export type ColorRange = (typeof colorRanges)[number]

/** Layout of a picture's bytes; the defaults are tightly packed RGB. */
export interface PixelLayout {
  /** Default `rgb24`. */
  readonly pixelFormat?: PixelFormat | undefined
  /** Bytes from one row to the next; default: no gap. */
  readonly strideBytes?: number | undefined
  /** For `nv12` and `yuyv422`; default `bt601`. */
  readonly colorMatrix?: ColorMatrix | undefined
  /** For `nv12`, `yuyv422` and `gray8`; default `limited`, for `gray8` `full`. */
  readonly colorRange?: ColorRange | undefined
}

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

export const depthKinds = ['disparity', 'metric'] as const

/**
 * *Disparity* is relative inverse depth (larger is nearer, no unit); *metric* is depth in metres.
 *
 * @useDeclaredType
 */
export type DepthKind = (typeof depthKinds)[number]

/** One depth map: what every output needs of it. */
export interface DepthMap {
  /** Position among the frames that came, from 0. */
  readonly index: number
  readonly timestampMs: number
  /** Pixels; the size of the frame that went in. */
  readonly width: number
  readonly height: number
  /** [height, width] row-major, ≥ 0. Owned by the caller. */
  readonly data: Float32Array
  readonly kind: DepthKind
}

/**
 * Which scene a frame belongs to, and why. Depth of different scenes has no common scale. One scene where cuts are not
 * looked for, unless a window begins anew (see {@link Alignment}).
 */
export interface SceneMark {
  /** From 0. */
  readonly index: number
  /** This is the first frame after a cut or of a window that begins anew; in a stream also after a reset or a discontinuity. */
  readonly cut: boolean
  /**
   * Mean absolute difference to the frame before over hue, saturation and value, 0…255; undefined for the first frame and
   * where cuts are not looked for.
   */
  readonly contentScore: number | undefined
}

/** One depth map of a video that was processed in windows, in the order of the frames that went in. */
export interface DepthFrame extends DepthMap {
  /** The window (from 0) that produced it; blended frames belong to the later window. */
  readonly window: number
  /** What the window was multiplied by and moved by to agree with the earlier ones. */
  readonly aligned: Alignment
  readonly scene: SceneMark
}

/** The line by which a window agrees with earlier ones: aligned = scale · depth + shift. */
export interface Alignment {
  readonly scale: number
  readonly shift: number
  /** True where nothing could be fitted, so that scale 1, shift 0 was kept. */
  readonly degenerate: boolean
  /** Undefined where not degenerate. */
  readonly reason: DegenerateReason | undefined
  /**
   * Earlier frames without content that the window was not fitted to. Where it was fitted to others, its scale goes on from
   * those; otherwise it is degenerate.
   */
  readonly leftOut: number
}

/**
 * Why a window could not be fitted to the earlier ones:
 *
 * - `no-content`: the earlier frames that it is compared with show nothing (black, white, a covered lens), and their depth
 *   has far less spread than the window's. It begins anew, as at a cut: a new scene, nothing blended. The frames before it
 *   keep the depth that they have.
 * - `no-solution`: the least-squares fit has none. Later windows are still fitted to the frames from before.
 */
export type DegenerateReason = 'no-content' | 'no-solution'
