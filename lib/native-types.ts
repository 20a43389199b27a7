// Owns: the contract between TypeScript and the addon (binding/). Both sides check it.
// Must not know: how the addon is found (binding.ts) or what calls it.

/** How one window is aligned, blended and emitted; made by window/plan.ts, carried out in cpp/stitch. */
export interface StitchStep {
  /** Slots whose maps are compared with remembered frames to fit one scale and shift; empty: scale 1, shift 0. */
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
  /** The fit had determinant 0 (up to rounding), was not finite, or gave a scale ≤ 0; scale 1 and shift 0 were used. */
  readonly degenerate: boolean
  /** How many depth values of this window's maps were NaN or infinite. */
  readonly nonFinite: number
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
   * `maps` and `out` must not be transferred, resized or written before the promise settles, and no `out` may overlap
   * another one or a map. Wrong input rejects and changes nothing.
   *
   * @param maps One [mapHeight, mapWidth] float32 map a slot, `null` where the step does not need it.
   * @param out One [frameHeight, frameWidth] float32 array for each frame that leaves:
   *   frames held before + append.count − step.hold. Filled in order.
   */
  stitch(maps: readonly (Float32Array | null)[], step: StitchStep, out: readonly Float32Array[]): Promise<StitchResult>
  /** Frames held back for the next blend. */
  readonly held: number
}

export interface NativeAddon {
  /** Package version that the addon was built from. */
  readonly version: string
  /**
   * RGB 0…255 → resized by OpenCV's INTER_CUBIC rule in float → (x/255 − mean)/std → CHW.
   * Synchronous: call it from a worker thread.
   *
   * @param frame [frameHeight, frameWidth, 3] uint8, rows `strideBytes` apart
   * @param out [3, outHeight, outWidth] float32
   */
  preprocess(
    frame: Uint8Array,
    frameWidth: number,
    frameHeight: number,
    strideBytes: number,
    out: Float32Array,
    outWidth: number,
    outHeight: number,
    threads: number,
  ): void
  readonly Stitcher: new (options: StitcherOptions) => NativeStitcher
}
