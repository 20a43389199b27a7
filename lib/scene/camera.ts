// Owns: intrinsics, poses and the paths that a camera takes.
// Must not know: what it looks at.

import { Random } from './random.js'
import { add, cross, normalize, scale, type Vector } from './vector.js'

/**
 * Pinhole camera, pixels. Integer coordinates are pixel centres: a point (x, y, z) of the camera's frame appears at
 * u = fx·x/z + cx, v = fy·y/z + cy.
 */
export interface Intrinsics {
  readonly fx: number
  readonly fy: number
  readonly cx: number
  readonly cy: number
}

/**
 * [4, 4] row-major, camera to world, metres. The camera's frame is OpenCV's: x right, y down, z forward. The world's
 * z is up. The upper left 3×3 is a rotation.
 */
export type Pose = Float64Array

/** Where the camera is at a time from the start of the video. */
export type CameraPath = (timeMs: number) => Pose

/** @param horizontalFovDegrees angle that the picture's width spans */
export function intrinsics(width: number, height: number, horizontalFovDegrees: number): Intrinsics {
  const focal = width / (2 * Math.tan((horizontalFovDegrees * Math.PI) / 360))
  return { fx: focal, fy: focal, cx: (width - 1) / 2, cy: (height - 1) / 2 }
}

/** @param roll radians, clockwise as the camera sees it turn */
export function lookAt(position: Vector, target: Vector, roll = 0): Pose {
  const forward = normalize(add(target, scale(position, -1)))
  const levelRight = normalize(cross(forward, [0, 0, 1]))
  const levelDown = cross(forward, levelRight)
  const [cos, sin] = [Math.cos(roll), Math.sin(roll)]
  const right = add(scale(levelRight, cos), scale(levelDown, sin))
  const down = add(scale(levelDown, cos), scale(levelRight, -sin))
  const rows = [0, 1, 2].flatMap((i) => [right, down, forward, position].map((column) => column[i as 0 | 1 | 2]))
  return Float64Array.from([...rows, 0, 0, 0, 1])
}

export interface WalkOptions {
  readonly from: Vector
  /** Where the walk leads; the eyes wander around it. */
  readonly towards: Vector
  /** Metres a second. */
  readonly speed: number
}

/** A person walking with a camera in hand: two steps a second, a slow sway, and unsteady hands. */
export function walk(seed: number, { from, towards, speed }: WalkOptions): CameraPath {
  const hand = shake(seed)
  const heading = normalize([towards[0] - from[0], towards[1] - from[1], 0])
  const side: Vector = [heading[1], -heading[0], 0]
  return (timeMs) => {
    const seconds = timeMs / 1000
    const sway = 0.25 * Math.sin(seconds * 0.9)
    const bob = 0.025 * Math.sin(seconds * 2 * Math.PI * 1.8)
    const walked = add(add(from, scale(heading, speed * seconds)), add(scale(side, sway), [0, 0, bob]))
    const glance = scale(side, 1.2 * Math.sin(seconds * 0.55))
    return held(walked, add(add(towards, scale(heading, speed * seconds)), glance), hand(seconds))
  }
}

export interface OrbitOptions {
  readonly center: Vector
  /** Metres. */
  readonly radius: number
  /** Of the camera above the world's zero, metres. */
  readonly height: number
  /** Radians from +x towards +y. */
  readonly startAngle: number
  /** Radians a second. */
  readonly speed: number
}

/** Around a point, always looking at it. */
export function orbit(seed: number, { center, radius, height, startAngle, speed }: OrbitOptions): CameraPath {
  const hand = shake(seed)
  return (timeMs) => {
    const seconds = timeMs / 1000
    const angle = startAngle + speed * seconds
    const position: Vector = [center[0] + radius * Math.cos(angle), center[1] + radius * Math.sin(angle), height]
    return held(position, center, hand(seconds))
  }
}

interface Unsteadiness {
  /** Metres. */
  readonly move: Vector
  /** Metres, of the point that is looked at. */
  readonly aim: Vector
  /** Radians. */
  readonly roll: number
}

const held = (position: Vector, target: Vector, hand: Unsteadiness): Pose =>
  lookAt(add(position, hand.move), add(add(target, hand.move), hand.aim), hand.roll)

/** Sums of slow sines: smooth, endless, and the same for a seed at any time in any order. */
function shake(seed: number): (seconds: number) => Unsteadiness {
  const random = new Random(seed ^ 0x5eed)
  const wave = (amplitude: number): ((seconds: number) => number) => {
    const parts = [0.7, 1.7, 3.1].map((rate) => ({
      rate: rate * random.between(0.8, 1.2),
      phase: random.between(0, 7),
    }))
    return (seconds) =>
      parts.reduce((sum, { rate, phase }, i) => sum + (amplitude / (i + 1)) * Math.sin(rate * 2 * seconds + phase), 0)
  }
  const [x, y, z, ax, ay, az] = [wave(0.012), wave(0.012), wave(0.01), wave(0.03), wave(0.03), wave(0.025)]
  const roll = wave(0.004)
  return (s) => ({ move: [x(s), y(s), z(s)], aim: [ax(s), ay(s), az(s)], roll: roll(s) })
}
