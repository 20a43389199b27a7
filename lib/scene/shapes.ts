// Owns: where rays meet planes, spheres, boxes and columns, and what the surface is like there.
// Must not know: colours, light, cameras. World: metres, z up, right-handed.

import type { SurfacePoint } from './surface.js'
import type { Texture } from './textures.js'
import type { Vector } from './vector.js'

/**
 * [7]: origin, direction (of any length), tMin. An array, because V8 puts fractional arguments of calls that it does not
 * inline on the heap, and these calls are the bulk of the work.
 */
export type Ray = Float64Array

/** [3], for the same reason. */
export type Point = Float64Array

export interface Shape {
  readonly texture: Texture
  /** Share of light that is mirrored towards the eye as a highlight, 0…1. */
  readonly gloss: number
  /** Holds the whole shape; undefined: the shape has no end. */
  readonly bounds: Ball | undefined
  /** About as large as the shape, for the light that it keeps from its neighbours; undefined: none. */
  readonly occluder: Ball | undefined
  /** Smallest t > tMin where origin + t·direction is on the surface; Infinity where the ray misses. */
  intersect(ray: Ray): number
  /** @param at a point on the surface, world coordinates */
  describe(at: Point, out: SurfacePoint): void
}

export interface Ball {
  readonly center: Vector
  /** Metres. */
  readonly radius: number
}

export interface Finish {
  readonly texture: Texture
  /** Default 0. */
  readonly gloss?: number
}

const noEdge = 1e9
/** Metres; larger things are landscape. */
const largestOccluder = 10

/** The horizontal plane z = height. */
export function ground(height: number, finish: Finish): Shape {
  return {
    texture: finish.texture,
    gloss: finish.gloss ?? 0,
    bounds: undefined,
    occluder: undefined,
    intersect(ray) {
      const oz = ray[2] ?? 0
      const dz = ray[5] ?? 0
      const t = (height - oz) / dz
      return t > (ray[6] ?? 0) ? t : Infinity
    },
    describe(at, out) {
      setNormal(out, 0, 0, 1)
      const x = at[0] ?? 0
      const y = at[1] ?? 0
      setLocal(out, x, y, 0, x, y, noEdge)
    },
  }
}

/** @param turn rotation of the sphere's own frame about a horizontal axis: how a rolling ball shows that it rolls */
export function sphere(center: Vector, radius: number, finish: Finish, turn?: Roll): Shape {
  const [cx, cy, cz] = center
  const [cos, sin] = [Math.cos(turn?.angle ?? 0), Math.sin(turn?.angle ?? 0)]
  const [ax, ay] = turn === undefined ? [1, 0] : [-Math.sin(turn.heading), Math.cos(turn.heading)]
  return {
    texture: finish.texture,
    gloss: finish.gloss ?? 0,
    bounds: { center, radius },
    occluder: radius > largestOccluder ? undefined : { center, radius },
    intersect(ray) {
      const ox = ray[0] ?? 0
      const oy = ray[1] ?? 0
      const oz = ray[2] ?? 0
      const dx = ray[3] ?? 0
      const dy = ray[4] ?? 0
      const dz = ray[5] ?? 0
      const tMin = ray[6] ?? 0
      const qx = ox - cx
      const qy = oy - cy
      const qz = oz - cz
      const a = dx * dx + dy * dy + dz * dz
      const b = qx * dx + qy * dy + qz * dz
      const discriminant = b * b - a * (qx * qx + qy * qy + qz * qz - radius * radius)
      if (discriminant < 0) return Infinity
      const root = Math.sqrt(discriminant)
      const near = (-b - root) / a
      if (near > tMin) return near
      const far = (-b + root) / a
      return far > tMin ? far : Infinity
    },
    describe(at, out) {
      const px = at[0] ?? 0
      const py = at[1] ?? 0
      const pz = at[2] ?? 0
      const x = px - cx
      const y = py - cy
      const z = pz - cz
      setNormal(out, x / radius, y / radius, z / radius)
      // Rodrigues' rotation by −angle about the horizontal axis (ax, ay, 0).
      const along = (x * ax + y * ay) * (1 - cos)
      const lx = x * cos - sin * (ay * z) + ax * along
      const ly = y * cos + sin * (ax * z) + ay * along
      const lz = z * cos - sin * (ax * y - ay * x)
      setLocal(out, lx, ly, lz, Math.atan2(ly, lx) * radius, lz, noEdge)
    },
  }
}

/** How far a ball has rolled. */
export interface Roll {
  /** Direction of travel, radians from +x towards +y. */
  readonly heading: number
  /** Radians. */
  readonly angle: number
}

/**
 * @param half half the size along the box's own axes, metres
 * @param yaw rotation about the vertical, radians from +x towards +y
 */
export function box(center: Vector, half: Vector, yaw: number, finish: Finish): Shape {
  const [cx, cy, cz] = center
  const [hx, hy, hz] = half
  const cos = Math.cos(yaw)
  const sin = Math.sin(yaw)
  return {
    texture: finish.texture,
    gloss: finish.gloss ?? 0,
    bounds: { center, radius: Math.hypot(hx, hy, hz) },
    occluder: Math.max(hx, hy) > 4 * Math.min(hx, hy) ? undefined : { center, radius: Math.cbrt(hx * hy * hz) * 1.2 },
    intersect(ray) {
      const ox = ray[0] ?? 0
      const oy = ray[1] ?? 0
      const oz = ray[2] ?? 0
      const dx = ray[3] ?? 0
      const dy = ray[4] ?? 0
      const dz = ray[5] ?? 0
      const tMin = ray[6] ?? 0
      const qx = (ox - cx) * cos + (oy - cy) * sin
      const qy = (oy - cy) * cos - (ox - cx) * sin
      const qz = oz - cz
      const ex = dx * cos + dy * sin
      const ey = dy * cos - dx * sin
      const near = Math.max(slabNear(qx, ex, hx), slabNear(qy, ey, hy), slabNear(qz, dz, hz))
      const far = Math.min(slabFar(qx, ex, hx), slabFar(qy, ey, hy), slabFar(qz, dz, hz))
      if (!(near <= far)) return Infinity
      if (near > tMin) return near
      return far > tMin ? far : Infinity
    },
    describe(at, out) {
      const px = at[0] ?? 0
      const py = at[1] ?? 0
      const pz = at[2] ?? 0
      const x = (px - cx) * cos + (py - cy) * sin
      const y = (py - cy) * cos - (px - cx) * sin
      const z = pz - cz
      const gx = hx - Math.abs(x)
      const gy = hy - Math.abs(y)
      const gz = hz - Math.abs(z)
      if (gx <= gy && gx <= gz) {
        const s = Math.sign(x)
        setNormal(out, s * cos, s * sin, 0)
        setLocal(out, x, y, z, y, z, Math.min(gy, gz))
      } else if (gy <= gz) {
        const s = Math.sign(y)
        setNormal(out, -s * sin, s * cos, 0)
        setLocal(out, x, y, z, x, z, Math.min(gx, gz))
      } else {
        setNormal(out, 0, 0, Math.sign(z))
        setLocal(out, x, y, z, x, y, Math.min(gx, gy))
      }
    },
  }
}

/** A vertical cylinder with flat ends. @param base centre of the lower end */
export function column(base: Vector, radius: number, height: number, finish: Finish): Shape {
  const [cx, cy, bottom] = base
  const top = bottom + height
  return {
    texture: finish.texture,
    gloss: finish.gloss ?? 0,
    bounds: { center: [cx, cy, (bottom + top) / 2], radius: Math.hypot(radius, height / 2) },
    occluder: height > 4 * radius ? undefined : { center: [cx, cy, bottom + height / 2], radius },
    intersect(ray) {
      const ox = ray[0] ?? 0
      const oy = ray[1] ?? 0
      const oz = ray[2] ?? 0
      const dx = ray[3] ?? 0
      const dy = ray[4] ?? 0
      const dz = ray[5] ?? 0
      const tMin = ray[6] ?? 0
      const qx = ox - cx
      const qy = oy - cy
      const a = dx * dx + dy * dy
      const b = qx * dx + qy * dy
      const c = qx * qx + qy * qy - radius * radius
      const discriminant = b * b - a * c
      if (discriminant < 0 || (a === 0 && c > 0)) return Infinity
      const root = Math.sqrt(discriminant)
      const mid = oz - (bottom + top) / 2
      const near = Math.max(a === 0 ? -Infinity : (-b - root) / a, slabNear(mid, dz, height / 2))
      const far = Math.min(a === 0 ? Infinity : (-b + root) / a, slabFar(mid, dz, height / 2))
      if (!(near <= far)) return Infinity
      if (near > tMin) return near
      return far > tMin ? far : Infinity
    },
    describe(at, out) {
      const px = at[0] ?? 0
      const py = at[1] ?? 0
      const pz = at[2] ?? 0
      const x = px - cx
      const y = py - cy
      const distance = Math.sqrt(x * x + y * y)
      const fromEnd = Math.min(Math.abs(pz - bottom), Math.abs(pz - top))
      if (fromEnd < radius - distance) {
        setNormal(out, 0, 0, pz > (bottom + top) / 2 ? 1 : -1)
        setLocal(out, x, y, pz - bottom, x, y, radius - distance)
      } else {
        setNormal(out, x / distance, y / distance, 0)
        setLocal(out, x, y, pz - bottom, Math.atan2(y, x) * radius, pz - bottom, fromEnd)
      }
    },
  }
}

/** Where the ray enters the slab |q| ≤ half. A ray parallel to it is inside for ever or never. */
function slabNear(q: number, d: number, half: number): number {
  if (d === 0) return Math.abs(q) <= half ? -Infinity : Infinity
  return d > 0 ? (-half - q) / d : (half - q) / d
}

function slabFar(q: number, d: number, half: number): number {
  if (d === 0) return Math.abs(q) <= half ? Infinity : -Infinity
  return d > 0 ? (half - q) / d : (-half - q) / d
}

function setNormal(out: SurfacePoint, nx: number, ny: number, nz: number): void {
  out.nx = nx
  out.ny = ny
  out.nz = nz
}

function setLocal(out: SurfacePoint, x: number, y: number, z: number, u: number, v: number, edge: number): void {
  out.x = x
  out.y = y
  out.z = z
  out.u = u
  out.v = v
  out.edge = edge
}
