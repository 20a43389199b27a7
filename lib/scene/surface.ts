// Owns: what is known of a point on a shape's surface: what shapes fill in and textures read.
// Must not know: shapes, textures.

/** Filled by `Shape.describe`; one object is reused for every pixel. */
export interface SurfacePoint {
  /** Unit normal in the world, outwards. */
  nx: number
  ny: number
  nz: number
  /** The point in the shape's own frame, metres; moves and turns with it. */
  x: number
  y: number
  z: number
  /** Metres along the surface. */
  u: number
  v: number
  /** Distance to the nearest edge, metres; large where there is none. */
  edge: number
}
