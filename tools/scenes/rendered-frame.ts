// Owns: what is known of a rendered frame.
// Must not know: how it is rendered.

import type { Intrinsics } from '../../dist/esm/evaluate/temporal-alignment.js'
import type { RgbFrame } from '../../dist/esm/base/frame.js'

/**
 * [4, 4] row-major, camera to world, metres. The camera's frame is OpenCV's: x right, y down, z forward. The world's
 * z is up. The upper left 3×3 is a rotation.
 */
export type Pose = Float64Array<ArrayBuffer>

export interface RenderedFrame extends RgbFrame {
  readonly data: Uint8Array<ArrayBuffer>
  /** [height, width] float32: distance along the camera's z axis in metres at the pixel's centre; Infinity: sky. */
  readonly depth: Float32Array<ArrayBuffer>
  /** [height, width]: 0 sky, otherwise 1 + the body's position in its scene. */
  readonly bodies: Uint16Array<ArrayBuffer>
  /** [height, width]: 1 where the body moves or changes its form. */
  readonly moving: Uint8Array<ArrayBuffer>
  /**
   * [height, width, 2] float32: where the point at the pixel's centre is in the next frame, relative to the pixel, pixels
   * to the right and down, hidden or not; NaN for the sky and for points behind the next camera. `undefined` unless asked
   * for, and for the last frame before a cut.
   */
  readonly flow: Float32Array<ArrayBuffer> | undefined
  readonly pose: Pose
  readonly intrinsics: Intrinsics
}

/** What a camera would give of it. */
export function pictureOf({ data, width, height, timestampMs }: RenderedFrame): RgbFrame {
  return { data, width, height, timestampMs }
}

/** 1/metres; 0 for the sky. */
export function exactDisparity({ depth }: RenderedFrame): Float32Array<ArrayBuffer> {
  return depth.map((z) => 1 / z)
}
