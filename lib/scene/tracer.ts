// Owns: what one ray sees: the nearest surface, its light and its shadow.
// Must not know: pixels' storage, frames, which shapes there are.

import type { Intrinsics, Pose } from './camera.js'
import { ScreenTiles, SunDiscs } from './culling.js'
import { addHaze, sky, type Light } from './light.js'
import type { Point, Ray, Shape } from './shapes.js'
import type { SurfacePoint } from './surface.js'
import type { Colour } from './textures.js'

/** Overwritten by the next ray. */
export interface Hit {
  /** Metres along the camera's z axis; Infinity: sky. */
  depth: number
  /** Position in the list of shapes; −1: sky. */
  shape: number
  /** Linear light. */
  readonly colour: Colour
}

/** Neighbours that cover less of a point's sky than this are left out. */
const smallestCover = 0.006

export class Tracer {
  readonly #shapes: readonly Shape[]
  readonly #light: Light
  readonly #camera: Intrinsics
  readonly #tiles: ScreenTiles
  readonly #discs: SunDiscs
  /** [n, 5]: centre, radius², position in the list of shapes. */
  readonly #occluders: Float64Array
  readonly #pose: Pose
  readonly #ray: Ray
  /** Where the ray ends. */
  readonly #at: Point = new Float64Array(3)
  readonly #hit: Hit = { depth: 0, shape: -1, colour: { r: 0, g: 0, b: 0 } }
  readonly #point: SurfacePoint = { nx: 0, ny: 0, nz: 0, x: 0, y: 0, z: 0, u: 0, v: 0, edge: 0 }

  constructor(shapes: readonly Shape[], light: Light, pose: Pose, camera: Intrinsics, width: number, height: number) {
    this.#shapes = shapes
    this.#light = light
    this.#camera = camera
    this.#pose = pose
    this.#ray = Float64Array.of(pose[3] ?? 0, pose[7] ?? 0, pose[11] ?? 0, 0, 0, 0, 1e-6)
    this.#tiles = new ScreenTiles(shapes, pose, camera, width, height)
    this.#discs = new SunDiscs(shapes, light.sun)
    this.#occluders = Float64Array.from(
      shapes.flatMap(({ occluder }, i) => (occluder ? [...occluder.center, occluder.radius ** 2, i] : [])),
    )
  }

  /** @param u pixel coordinates, integers at pixel centres */
  cast(u: number, v: number): Readonly<Hit> {
    const { cx, cy, fx, fy } = this.#camera
    const pose = this.#pose
    const ray = this.#ray
    const hit = this.#hit
    const x = (u - cx) / fx
    const y = (v - cy) / fy
    // One unit along this direction is one metre along the camera's z axis, so t is the depth.
    for (let i = 0; i < 3; i++)
      ray[3 + i] = (pose[4 * i] ?? 0) * x + (pose[4 * i + 1] ?? 0) * y + (pose[4 * i + 2] ?? 0)
    hit.depth = Infinity
    hit.shape = -1
    for (const i of this.#tiles.at(u, v)) {
      const t = this.#shapes[i]?.intersect(ray) ?? Infinity
      if (t >= hit.depth) continue
      hit.depth = t
      hit.shape = i
    }
    const length = Math.sqrt(x * x + y * y + 1)
    for (let i = 3; i < 6; i++) ray[i] = (ray[i] ?? 0) / length
    const shape = this.#shapes[hit.shape]
    if (shape === undefined) sky(this.#light, ray, hit.colour)
    else this.#shine(shape, hit.depth * length)
    return hit
  }

  /** Colour of the point `distance` metres along the ray, whose direction is a unit vector here. */
  #shine(shape: Shape, distance: number): void {
    const { colour } = this.#hit
    const light = this.#light
    const point = this.#point
    const at = this.#at
    const ray = this.#ray
    for (let i = 0; i < 3; i++) at[i] = (ray[i] ?? 0) + (ray[3 + i] ?? 0) * distance
    shape.describe(at, point)
    const { nx, ny, nz } = point
    const facing = -(nx * (ray[3] ?? 0) + ny * (ray[4] ?? 0) + nz * (ray[5] ?? 0))
    shape.texture(point, distance / this.#camera.fx / Math.max(0.08, facing), colour)
    const lambert = nx * light.sun[0] + ny * light.sun[1] + nz * light.sun[2]
    const lit = lambert > 0 && !this.#discs.isShaded(at, point) ? lambert : 0
    const open = this.#openness()
    const up = (0.5 + 0.5 * nz) * open
    const down = (0.5 - 0.5 * nz) * open
    const highlight = lit > 0 && shape.gloss > 0 ? shape.gloss * glint(light, ray, point) : 0
    const { sunColour, ambient, bounce } = light
    colour.r = colour.r * (sunColour[0] * lit + ambient[0] * up + bounce[0] * down) + highlight
    colour.g = colour.g * (sunColour[1] * lit + ambient[1] * up + bounce[1] * down) + highlight
    colour.b = colour.b * (sunColour[2] * lit + ambient[2] * up + bounce[2] * down) + highlight
    addHaze(light, distance, colour)
  }

  /** Share of the sky that neighbours leave open, by spheres in their stead (Quílez' formula for one sphere). */
  #openness(): number {
    const occluders = this.#occluders
    const self = this.#hit.shape
    const { nx, ny, nz } = this.#point
    const px = this.#at[0] ?? 0
    const py = this.#at[1] ?? 0
    const pz = this.#at[2] ?? 0
    let open = 1
    for (let i = 0; i < occluders.length; i += 5) {
      const x = (occluders[i] ?? 0) - px
      const y = (occluders[i + 1] ?? 0) - py
      const z = (occluders[i + 2] ?? 0) - pz
      const square = x * x + y * y + z * z
      const radiusSquare = occluders[i + 3] ?? 0
      if (radiusSquare < smallestCover * square || occluders[i + 4] === self) continue
      const cosine = (x * nx + y * ny + z * nz) / Math.sqrt(square)
      open *= 1 - Math.min(0.9, Math.max(0, cosine) * Math.min(1, radiusSquare / square))
    }
    return open
  }
}

/** Blinn and Phong's highlight. */
function glint(light: Light, ray: Ray, { nx, ny, nz }: SurfacePoint): number {
  const hx = light.sun[0] - (ray[3] ?? 0)
  const hy = light.sun[1] - (ray[4] ?? 0)
  const hz = light.sun[2] - (ray[5] ?? 0)
  const along = (hx * nx + hy * ny + hz * nz) / Math.sqrt(hx * hx + hy * hy + hz * hz)
  return 1.4 * Math.max(0, along) ** 70
}
