// Owns: the contract between TypeScript and the addon's renderer of scenes (addon.cc). Both sides check it.
// Must not know: what calls it.

export interface NativeRenderOptions {
  /** Pixels, 1…4096. */
  readonly width: number
  readonly height: number
  /** From the start of the video, −1e6…1e6. */
  readonly seconds: number
  /** Where on its path the camera stands, −1e6…1e6 seconds; `null`: it moves on with the scene. */
  readonly cameraSeconds: number | null
  readonly antialias: boolean
  /** Seconds that the shutter is open, 0…1e6; 0: frozen motion. */
  readonly shutter: number
  /** Standard deviation in the middle greys, 0…255. */
  readonly noise: number
  /** 0…2³²−1 */
  readonly noiseSeed: number
  /** Seconds, −1e6…1e6; `null`: no flow. */
  readonly flowTo: number | null
}

export interface NativeRenderedPicture {
  /** [height, width, 3] uint8 */
  readonly data: Uint8Array<ArrayBuffer>
  /** [height, width] metres along the camera's z axis; Infinity: sky */
  readonly depth: Float32Array<ArrayBuffer>
  /** [height, width] 0 sky, else 1 + the body's position in its scene */
  readonly bodies: Uint16Array<ArrayBuffer>
  /** [height, width, 2] pixels to the right and down; NaN where a point has none; `null` where not asked for */
  readonly flow: Float32Array<ArrayBuffer> | null
  /** [4, 4] row-major, camera to world */
  readonly pose: Float64Array<ArrayBuffer>
  readonly fx: number
  readonly fy: number
  readonly cx: number
  readonly cy: number
}

/** Any number of pictures may be asked for at once; they are drawn on libuv's threads. Made on the JS thread: milliseconds. */
export interface NativeScene {
  /** Everything that is wrong is told through the promise. */
  render(options: NativeRenderOptions): Promise<NativeRenderedPicture>
  /** [bodies] 1 for those that move or change their form. One array, of the scene's own. */
  readonly moving: Uint8Array<ArrayBuffer>
}

export interface NativeScenes {
  readonly kinds: readonly { readonly name: string; readonly heldOut: boolean }[]
  /** @param kind position in `kinds` @param seed 0…2⁵³−1 */
  readonly Scene: new (kind: number, seed: number) => NativeScene
}
