// Owns: small videos of true depth, camera poses and imperfect predictions of it, the same on every machine.
// Must not know: what is measured with them.

import type { Matrix4 } from '../../dist/esm/evaluate/matrix4.js'
import type { Plane } from '../../dist/esm/evaluate/plane.js'
import type { Intrinsics } from '../../dist/esm/evaluate/temporal-alignment.js'

export interface SceneFrame {
  /** Disparity up to scale and shift, with noise and a drift from frame to frame. */
  readonly prediction: Plane<Float32Array>
  /** Metres, multiples of 1/256; 0 where unknown. */
  readonly truth: Plane<Float64Array>
  /** Camera to world. */
  readonly pose: Matrix4
}

export interface SceneOptions {
  readonly seed: number
  readonly frames: number
  readonly truthSize: readonly [width: number, height: number]
  readonly predictionSize: readonly [width: number, height: number]
  /** Which part of the frame predictions show, in the truth's pixels; default: all. */
  readonly shown?: readonly [left: number, top: number, width: number, height: number]
  /** A frame without any known depth. */
  readonly blindFrame?: number
}

/** The camera of one frame's truth. */
export const sceneIntrinsics = ([width, height]: readonly [number, number]): Intrinsics => ({
  fx: 0.8 * width,
  fy: 0.8 * width,
  cx: width / 2 - 0.5,
  cy: height / 2 - 0.5,
})

/** Exact in every engine: integers and IEEE division only (Mulberry32). @returns numbers of 0…1 */
export function seededRandom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

type Vector = readonly [number, number, number]

/** A floor, a wall 90 m away, and upright boards between them; the camera moves forward and turns. */
export function sceneVideo(options: SceneOptions): SceneFrame[] {
  const { seed, frames, truthSize, predictionSize, blindFrame } = options
  const random = seededRandom(seed)
  const boards = Array.from({ length: 4 }, () => ({ x: 8 * random() - 4, z: 3 + 30 * random(), half: 0.5 + random() }))
  const [width, height] = truthSize
  const shown = options.shown ?? [0, 0, width, height]
  return Array.from({ length: frames }, (_, index) => {
    const pose = cameraPose(index)
    const depthAt = (x: number, y: number): number => {
      const { fx, fy, cx, cy } = sceneIntrinsics(truthSize)
      return traced(pose, [(x - cx) / fx, (y - cy) / fy, 1], boards)
    }
    const truth = new Float64Array(width * height)
    for (let i = 0; i < truth.length; i++) {
      const depth = Math.round(depthAt(i % width, Math.floor(i / width)) * 256) / 256
      const isKnown = random() > 0.1 && index !== blindFrame
      truth[i] = isKnown ? depth : 0
    }
    const drift = 1 + 0.05 * (random() - 0.5)
    const [across, down] = predictionSize
    const prediction = new Float32Array(across * down)
    for (let i = 0; i < prediction.length; i++) {
      const x = shown[0] + (((i % across) + 0.5) / across) * shown[2] - 0.5
      const y = shown[1] + ((Math.floor(i / across) + 0.5) / down) * shown[3] - 0.5
      prediction[i] = Math.max(0, drift * (900 / depthAt(x, y) + 30) + 20 * (random() - 0.5) - 15)
    }
    return {
      prediction: { data: prediction, width: across, height: down },
      truth: { data: truth, width, height },
      pose,
    }
  })
}

function traced(pose: Matrix4, [x, y, z]: Vector, boards: readonly { x: number; z: number; half: number }[]): number {
  const [dx, dy, dz, ox, oy, oz] = [0, 1, 2]
    .map((row) => pose[row]![0]! * x + pose[row]![1]! * y + pose[row]![2]! * z)
    .concat([0, 1, 2].map((row) => pose[row]![3]!)) as [number, number, number, number, number, number]
  let nearest = dz > 0 ? (90 - oz) / dz : 90
  const meet = (distance: number): void => {
    if (distance > 0.2 && distance < nearest) nearest = distance
  }
  if (dy > 0) meet((1.5 - oy) / dy)
  for (const board of boards) {
    const distance = (board.z - oz) / dz
    const [atX, atY] = [ox + distance * dx, oy + distance * dy]
    if (Math.abs(atX - board.x) < board.half && atY > -1.5) meet(distance)
  }
  return nearest
}

/** Forward by 15 cm and a turn of about half a degree a frame; Cayley's formula makes a rotation without sines. */
function cameraPose(index: number): number[][] {
  const [a, b, c] = [0.001 * index, 0.004 * index, -0.002 * index]
  const n = 1 + a * a + b * b + c * c
  const s = 1 - a * a - b * b - c * c
  const v = [a, b, c]
  const skew = [
    [0, -c, b],
    [c, 0, -a],
    [-b, a, 0],
  ]
  const rotation = v.map((vi, i) => v.map((vj, j) => ((i === j ? s : 0) + 2 * vi * vj + 2 * skew[i]![j]!) / n))
  const position = [0.02 * index, -0.01 * index, 0.15 * index]
  return [...rotation.map((row, i) => [...row, position[i]!]), [0, 0, 0, 1]]
}
