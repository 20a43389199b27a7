// Owns: the contract between TypeScript and the addon (binding/). Both sides check it.
// Must not know: how the addon is found (binding.ts) or what calls it.

import type { NativePicture } from '../base/pixel-format.js'
import type { NativeCpu } from './cpu-types.js'
import type { NativeGpu } from './gpu-types.js'

/** Mean absolute differences between two pictures in OpenCV's 8-bit HSV: hue 0…179, saturation and value 0…255. */
export interface ContentDifference {
  readonly hue: number
  readonly saturation: number
  readonly value: number
}

/** Remembers the picture that it was last given. */
export interface NativeContentMeter {
  /**
   * The difference to the picture before; `null` for the first one and where the size changed. Off the JS thread; calls
   * run one after another in the order made. The picture is copied within the call.
   */
  measure(picture: NativePicture): Promise<ContentDifference | null>
  /** Forgets the last picture: what is measured next (queued or not) counts from here. */
  reset(): void
}

/** Least-squares view of two maps: what makes `prediction` most like `target`. */
export interface MapFit {
  /** target ≈ scale · prediction + shift; 1 and 0 where degenerate. */
  readonly scale: number
  readonly shift: number
  readonly degenerate: boolean
  /** Pearson's, −1…1; 0 where one of the maps is flat or not finite. */
  readonly correlation: number
}

/** How one window is aligned, blended and emitted; made by window/plan.ts, carried out in cpp/stitch. */
export interface StitchStep {
  /** Slots whose maps are compared with remembered frames to fit one scale and shift, at most 16; empty: scale 1, shift 0. */
  readonly align: readonly SlotFrame[]
  /** `count` slots from `slot` on are blended into the held frames, weight i/(count−1) for the i-th (1 where count is 1); count is 0 or the number held. */
  readonly blend: SlotRange
  /** Slots appended after the blended ones. */
  readonly append: SlotRange
  /** Aligned maps to keep as references for later windows, by frame index; each frame once. */
  readonly remember: readonly SlotFrame[]
  /** Frames remembered by earlier windows whose references are no longer needed after this one. */
  readonly forget: readonly number[]
  /** How many of the newest frames are held back, unfinished, for the next window's blend. */
  readonly hold: number
}

export interface SlotFrame {
  readonly slot: number
  readonly frame: number
}

export interface SlotRange {
  readonly slot: number
  readonly count: number
}

export interface StitchResult {
  readonly scale: number
  readonly shift: number
  /**
   * The fit had determinant 0 (up to rounding), was not finite, or gave a scale ≤ 0, or the window began anew; scale 1 and
   * shift 0 were used.
   */
  readonly degenerate: boolean
  /**
   * The references have no content (cpp/stitch/fit_rules.h): scale 1, shift 0, nothing was blended, and references that
   * live on were replaced by this window's maps of their frames.
   */
  readonly anew: boolean
  /** References without content that the window was not fitted to, and that were replaced likewise; all where it began anew. */
  readonly leftOut: number
  /** How many depth values of this window's maps were NaN or infinite. */
  readonly nonFinite: number
  /** One [frameHeight, frameWidth] float32 array for each frame that leaves, in order: frames held before + append.count −
   * step.hold. Owned by the caller. */
  readonly frames: readonly Float32Array<ArrayBuffer>[]
}

export interface StitcherOptions {
  /** Size of the network's depth maps, pixels, 1…32768. */
  readonly mapWidth: number
  readonly mapHeight: number
  /** Size of the frames, pixels. */
  readonly frameWidth: number
  readonly frameHeight: number
  /** Worker threads, 1…256. */
  readonly threads: number
}

export interface NativeStitcher {
  /**
   * Upsamples (bilinear, align_corners), aligns, clamps at 0, blends. Runs off the JS thread; one call at a time.
   * Wrong input rejects and changes nothing.
   *
   * @param maps One [mapHeight, mapWidth] float32 map a slot, `null` where the step does not need it. Copied within the call.
   */
  stitch(maps: readonly (Float32Array | null)[], step: StitchStep): Promise<StitchResult>
  /** Frames held back for the next blend. */
  readonly held: number
}

export interface PackedDepth {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly min: number
  readonly max: number
}

export interface NativeAddon {
  /** Package version that the addon was built from. */
  readonly version: string
  /**
   * RGB 0…255 (other formats: converted first) → resized by OpenCV's INTER_CUBIC rule in float → (x/255 − mean)/std → CHW.
   * Synchronous: call it from a worker thread.
   *
   * @param out [3, outHeight, outWidth] float32
   */
  preprocess(picture: NativePicture, out: Float32Array, outWidth: number, outHeight: number, threads: number): void
  /** Converts to tightly packed RGB, [height, width, 3], off the JS thread. The picture is copied within the call. */
  toRgb(picture: NativePicture): Promise<Uint8Array<ArrayBuffer>>
  /**
   * Depth in fewer bytes, bit for bit the same again (cpp/image/depth_packing.h), and its least and greatest value: Infinity
   * and -Infinity where none is a number. Off the JS thread, as the next three. `data` is copied within the call.
   *
   * @param data [height, width] float32
   */
  packDepth(data: Float32Array, width: number): Promise<PackedDepth>
  /** @returns [height, width] float32 of what `packDepth` gave; rejects where the bytes are something else */
  unpackDepth(packed: Uint8Array, width: number, height: number): Promise<Float32Array<ArrayBuffer>>
  /**
   * A picture as video encoders take it (cpp/image/yuv420.h): planes Y, Cb and Cr one after another, 4:2:0, BT.709, limited
   * range, even sides. `data` is copied within the call.
   *
   * @param data [height, width, 3] RGB
   */
  rgbToYuv420(data: Uint8Array, width: number, height: number): Promise<Uint8Array<ArrayBuffer>>
  /**
   * The same of depth: levels of 256 between two bounds, coloured. `data` and `colours` are copied within the call.
   *
   * @param data [height, width] float32
   * @param colours [256, 3] RGB
   */
  colourDepth(
    data: Float32Array,
    width: number,
    height: number,
    min: number,
    max: number,
    colours: Uint8Array,
  ): Promise<Uint8Array<ArrayBuffer>>
  /**
   * Bilinear (align_corners) to another size, × scale + shift, clamped at 0. Synchronous: call it from a worker thread.
   *
   * @param map [mapHeight, mapWidth] float32
   * @param out [outHeight, outWidth] float32
   * @returns how many values of `map` were NaN or infinite; NaN stays NaN in `out`
   */
  upsample(
    map: Float32Array,
    mapWidth: number,
    mapHeight: number,
    out: Float32Array,
    outWidth: number,
    outHeight: number,
    scale: number,
    shift: number,
    threads: number,
  ): number
  /** Fits two maps of the same length. Synchronous: call it from a worker thread. */
  fitMap(prediction: Float32Array, target: Float32Array): MapFit
  /** `null` where the addon was built without CUDA or without TensorRT's headers. */
  readonly gpu: NativeGpu | null
  /** `null` where the addon was built without a network of its own: no GCC or Clang. */
  readonly cpu: NativeCpu | null
  readonly ContentMeter: new () => NativeContentMeter
  readonly Stitcher: new (options: StitcherOptions) => NativeStitcher
}
