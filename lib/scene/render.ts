// Owns: turning a scene into a picture with exact depth, by casting a ray through every pixel.
// Must not know: what stands in the scene, sequences, files.

import type { RgbFrame } from '../frame.js'
import { intrinsics, type Intrinsics, type Pose } from './camera.js'
import { toScreen } from './light.js'
import type { Scene } from './scene.js'
import { Tracer } from './tracer.js'

export interface RenderOptions {
  /** Pixels. */
  readonly width: number
  readonly height: number
  /** From the start of the video. */
  readonly timeMs: number
  /** Default 62. */
  readonly horizontalFovDegrees?: number
  /** Four more rays for colour wherever it changes abruptly. Default true. Depth is always the pixel centre's. */
  readonly antialias?: boolean
}

/** A frame with everything known about it. */
export interface RenderedFrame extends RgbFrame {
  readonly data: Uint8Array<ArrayBuffer>
  /** [height, width] float32: distance along the camera's z axis in metres at the pixel's centre; Infinity: sky. */
  readonly depth: Float32Array<ArrayBuffer>
  /** [height, width]: 0 sky, otherwise 1 + the shape's position in `still` followed by `moving`. */
  readonly shapes: Uint16Array<ArrayBuffer>
  readonly pose: Pose
  readonly intrinsics: Intrinsics
}

/** Offsets from the pixel's centre: a square grid turned by 26.6°, so that near-vertical and near-horizontal edges profit. */
const subPixels: readonly (readonly [number, number])[] = [
  [-0.125, -0.375],
  [0.375, -0.125],
  [0.125, 0.375],
  [-0.375, 0.125],
]

/** Differences of brightness (0…255) between neighbours from which on more rays are cast. */
const contrast = 20

/** Pure: the same scene and options give the same frame. */
export function renderFrame(scene: Scene, options: RenderOptions): RenderedFrame {
  const { width, height, timeMs } = options
  const camera = intrinsics(width, height, options.horizontalFovDegrees ?? 62)
  const pose = scene.camera(timeMs)
  const tracer = new Tracer([...scene.still, ...scene.moving(timeMs)], scene.light, pose, camera, width, height)
  const screen = new Float32Array(width * height * 3)
  const depth = new Float32Array(width * height)
  const shapes = new Uint16Array(width * height)
  for (let v = 0, i = 0; v < height; v++) {
    for (let u = 0; u < width; u++, i++) {
      const hit = tracer.cast(u, v)
      depth[i] = hit.depth
      shapes[i] = hit.shape + 1
      screen[3 * i] = toScreen(hit.colour.r)
      screen[3 * i + 1] = toScreen(hit.colour.g)
      screen[3 * i + 2] = toScreen(hit.colour.b)
    }
  }
  const data = new Uint8Array(screen.length)
  for (let i = 0; i < data.length; i++) data[i] = Math.round(screen[i] ?? 0)
  if (options.antialias ?? true) antialias(tracer, screen, shapes, width, data)
  return { data, width, height, timestampMs: timeMs, depth, shapes, pose, intrinsics: camera }
}

function antialias(tracer: Tracer, screen: Float32Array, shapes: Uint16Array, width: number, data: Uint8Array): void {
  const height = shapes.length / width
  for (let v = 0, i = 0; v < height; v++) {
    for (let u = 0; u < width; u++, i++) {
      const left = u > 0 ? i - 1 : i
      const right = u < width - 1 ? i + 1 : i
      const above = v > 0 ? i - width : i
      const below = v < height - 1 ? i + width : i
      const abrupt =
        differs(screen, shapes, i, left) ||
        differs(screen, shapes, i, right) ||
        differs(screen, shapes, i, above) ||
        differs(screen, shapes, i, below)
      if (abrupt) resolve(tracer, u, v, data, 3 * i)
    }
  }
}

function differs(screen: Float32Array, shapes: Uint16Array, a: number, b: number): boolean {
  return shapes[a] !== shapes[b] || Math.abs(brightness(screen, a) - brightness(screen, b)) > contrast
}

const brightness = (screen: Float32Array, i: number): number =>
  0.3 * (screen[3 * i] ?? 0) + 0.6 * (screen[3 * i + 1] ?? 0) + 0.1 * (screen[3 * i + 2] ?? 0)

function resolve(tracer: Tracer, u: number, v: number, data: Uint8Array, at: number): void {
  let r = 0
  let g = 0
  let b = 0
  for (const [du, dv] of subPixels) {
    const { colour } = tracer.cast(u + du, v + dv)
    r += toScreen(colour.r)
    g += toScreen(colour.g)
    b += toScreen(colour.b)
  }
  data[at] = Math.round(r / subPixels.length)
  data[at + 1] = Math.round(g / subPixels.length)
  data[at + 2] = Math.round(b / subPixels.length)
}
