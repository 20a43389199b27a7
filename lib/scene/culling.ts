// Owns: which shapes a ray can meet at all, by the balls around them: per tile of the screen, and towards the sun.
// Must not know: surfaces, colours. It only ever leaves out shapes that are certainly missed.

import type { Intrinsics, Pose } from './camera.js'
import type { Point, Ray, Shape } from './shapes.js'
import type { SurfacePoint } from './surface.js'
import { cross, dot, normalize, type Vector } from './vector.js'

/** Pixels. */
const tileSize = 16
/** A ray towards the sun starts this far off its surface, metres, so that the surface does not shade itself. */
const lift = 2e-4

/** For rays that start at the camera. */
export class ScreenTiles {
  readonly #columns: number
  readonly #rows: number
  readonly #tiles: (readonly number[])[] = []

  constructor(shapes: readonly Shape[], pose: Pose, camera: Intrinsics, width: number, height: number) {
    this.#columns = Math.ceil(width / tileSize)
    this.#rows = Math.ceil(height / tileSize)
    const balls = shapes.map(({ bounds }) => bounds && { center: toCamera(pose, bounds.center), radius: bounds.radius })
    for (let row = 0; row < this.#rows; row++) {
      for (let column = 0; column < this.#columns; column++) {
        const { axis, angle } = cone(camera, column * tileSize, row * tileSize)
        this.#tiles.push(balls.flatMap((ball, i) => (ball === undefined || meets(ball, axis, angle) ? [i] : [])))
      }
    }
  }

  /** Positions of the shapes that a ray through this pixel may meet. */
  at(u: number, v: number): readonly number[] {
    const column = Math.min(this.#columns - 1, Math.max(0, Math.round(u) >> 4))
    const row = Math.min(this.#rows - 1, Math.max(0, Math.round(v) >> 4))
    return this.#tiles[row * this.#columns + column] ?? []
  }
}

/** The cone around a tile's rays, half a pixel wider than its pixels' centres. */
function cone(camera: Intrinsics, u: number, v: number): { axis: Vector; angle: number } {
  const ray = (du: number, dv: number): Vector =>
    normalize([(u + du - camera.cx) / camera.fx, (v + dv - camera.cy) / camera.fy, 1])
  const [low, high] = [-0.5, tileSize - 0.5]
  const axis = ray((low + high) / 2, (low + high) / 2)
  const corners = [ray(low, low), ray(low, high), ray(high, low), ray(high, high)]
  return { axis, angle: Math.max(...corners.map((corner) => Math.acos(Math.min(1, dot(axis, corner))))) + 1e-6 }
}

function meets(ball: { center: Vector; radius: number }, axis: Vector, angle: number): boolean {
  const distance = Math.sqrt(dot(ball.center, ball.center))
  if (distance <= ball.radius) return true
  const off = Math.acos(Math.min(1, Math.max(-1, dot(ball.center, axis) / distance)))
  return off <= angle + Math.asin(ball.radius / distance)
}

function toCamera(pose: Pose, [x, y, z]: Vector): Vector {
  const at = (i: number): number => pose[i] ?? 0
  const [qx, qy, qz] = [x - at(3), y - at(7), z - at(11)]
  return [0, 1, 2].map((i) => at(i) * qx + at(4 + i) * qy + at(8 + i) * qz) as unknown as Vector
}

/** For rays towards the sun, which are all parallel: every ball is a disc on a plane across them. */
export class SunDiscs {
  readonly #shapes: readonly Shape[]
  readonly #ray: Ray
  readonly #right: Vector
  readonly #up: Vector
  /** [shapes, 3]: position of the disc and the square of its radius. */
  readonly #discs: Float64Array
  /** The shape that kept the sun off the last point in shadow: the likeliest to do so again. */
  #last = 0

  constructor(shapes: readonly Shape[], sun: Vector) {
    this.#shapes = shapes
    this.#ray = Float64Array.of(0, 0, 0, ...sun, 1e-4)
    this.#right = normalize(cross(sun, Math.abs(sun[2]) < 0.9 ? [0, 0, 1] : [1, 0, 0]))
    this.#up = cross(this.#right, sun)
    this.#discs = Float64Array.from(
      shapes.flatMap(({ bounds }) =>
        bounds ? [dot(this.#right, bounds.center), dot(this.#up, bounds.center), bounds.radius ** 2] : [0, 0, Infinity],
      ),
    )
  }

  /** Whether anything stands between a point of a surface and the sun. */
  isShaded(at: Point, { nx, ny, nz }: SurfacePoint): boolean {
    const x = (at[0] ?? 0) + lift * nx
    const y = (at[1] ?? 0) + lift * ny
    const z = (at[2] ?? 0) + lift * nz
    this.#ray[0] = x
    this.#ray[1] = y
    this.#ray[2] = z
    const a = x * this.#right[0] + y * this.#right[1] + z * this.#right[2]
    const b = x * this.#up[0] + y * this.#up[1] + z * this.#up[2]
    const discs = this.#discs
    for (let k = -1; k < this.#shapes.length; k++) {
      const i = k < 0 ? this.#last : k
      const da = a - (discs[3 * i] ?? 0)
      const db = b - (discs[3 * i + 1] ?? 0)
      if (da * da + db * db > (discs[3 * i + 2] ?? 0)) continue
      if ((this.#shapes[i]?.intersect(this.#ray) ?? Infinity) < Infinity) {
        this.#last = i
        return true
      }
    }
    return false
  }
}
