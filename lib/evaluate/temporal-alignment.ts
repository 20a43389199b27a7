// Owns: the temporal alignment error (TAE): how well each frame's depth agrees with the next, seen from its camera.
// Must not know: how depth was aligned, files, data sets.

import { invalidOption } from '../base/errors.js'
import { known, type Names } from '../base/known-options.js'
import { checkMatrix4, inverse, multiplied, type Matrix4 } from './matrix4.js'

/** Pinhole camera, pixels; pixel (0, 0)'s centre is at 0, 0: a point (x, y, z) appears at u = fx·x/z + cx, v = fy·y/z + cy. */
export interface Intrinsics {
  readonly fx: number
  readonly fy: number
  readonly cx: number
  readonly cy: number
}

export interface PosedFrame {
  /** [height, width] depth along the optical axis, metres. */
  readonly depth: ArrayLike<number>
  /** Pixels. */
  readonly width: number
  readonly height: number
  /** Camera to world; x right, y down, z forward. */
  readonly pose: Matrix4
  /** For the maps as they are: a crop does not move the principal point by itself (nor does upstream). */
  readonly intrinsics: Intrinsics
  /** Where 0 this frame's depth is not compared with the projection of another; default: everywhere compared. */
  readonly mask?: Uint8Array | undefined
}

/** Temporal alignment error (TAE) of a video, per cent. */
export interface TemporalAlignment {
  /** Per cent: 100 · the mean of `perPair`; NaN where there are fewer than two frames. */
  readonly tae: number
  /** For frames i and i + 1: the mean of both directions' AbsRel. */
  readonly perPair: readonly number[]
}

/**
 * Frames one by one, in order; only the last one is kept. As benchmark/eval/eval_tae.py of Video Depth Anything, after Depth
 * Any Video (Yang et al. 2024): pixels of frame i go to 3D, into camera i + 1 (by the intrinsics of frame i) and to the
 * nearest pixel there, where |d − z| / d compares the depth d of that frame with what arrives, z. Where several arrive the
 * last in row order stays, also where it is behind another or behind the camera (then nothing is compared). The same backwards.
 * A direction in which nothing can be compared counts as 0.
 */
export class TemporalAlignmentError {
  readonly #perPair: number[] = []
  #last: PosedFrame | undefined

  /** @returns the pair's error, undefined for the first frame @throws VideoDepthError INVALID_OPTION */
  add(frame: PosedFrame): number | undefined {
    check(frame)
    const last = this.#last
    this.#last = frame
    if (last === undefined) return undefined
    if (frame.width !== last.width || frame.height !== last.height)
      throw invalidOption(`${last.width}×${last.height}, as before,`, 'frame', `${frame.width}×${frame.height}`)
    const forwards = multiplied(inverse(frame.pose, 'pose'), last.pose)
    const backwards = inverse(forwards, 'pose')
    const error =
      (projected(last, frame, forwards, last.intrinsics) + projected(frame, last, backwards, last.intrinsics)) / 2
    this.#perPair.push(error)
    return error
  }

  result(): TemporalAlignment {
    const perPair = [...this.#perPair]
    return { tae: (100 * perPair.reduce((sum, error) => sum + error, 0)) / perPair.length, perPair }
  }
}

/** Mean of |d − z| / d over the pixels of `to` that something of `from` arrives at. */
function projected(from: PosedFrame, to: PosedFrame, transform: Matrix4, intrinsics: Intrinsics): number {
  const arrived = arrivals(from, transform, intrinsics)
  let [sum, count] = [0, 0]
  for (let i = 0; i < arrived.length; i++) {
    const [z, d] = [arrived[i] as number, to.depth[i] as number]
    if (!(z > 0 && d > 0) || to.mask?.[i] === 0) continue
    sum += Math.abs(d - z) / d
    count++
  }
  return count === 0 ? 0 : sum / count
}

/** Depth as `from` has it, in the other camera; 0 where nothing arrives. */
function arrivals({ depth, width, height }: PosedFrame, transform: Matrix4, intrinsics: Intrinsics): Float64Array {
  const { fx, fy, cx, cy } = intrinsics
  const [[r00, r01, r02, tx], [r10, r11, r12, ty], [r20, r21, r22, tz]] = transform as Rows
  const arrived = new Float64Array(width * height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const pointZ = depth[y * width + x] as number
      const pointX = ((x - cx) * pointZ) / fx
      const pointY = ((y - cy) * pointZ) / fy
      const z = pointX * r20 + pointY * r21 + pointZ * r22 + tz
      const column = halfToEven(((pointX * r00 + pointY * r01 + pointZ * r02 + tx) * fx) / z + cx)
      const row = halfToEven(((pointX * r10 + pointY * r11 + pointZ * r12 + ty) * fy) / z + cy)
      if (column >= 0 && column < width && row >= 0 && row < height) arrived[row * width + column] = z
    }
  }
  return arrived
}

type Row = readonly [number, number, number, number]
type Rows = readonly [Row, Row, Row]

/** As torch.round. */
function halfToEven(value: number): number {
  const below = Math.floor(value)
  const part = value - below
  if (part !== 0.5) return part < 0.5 ? below : below + 1
  return below % 2 === 0 ? below : below + 1
}

const intrinsicNames: Names<Intrinsics> = { fx: true, fy: true, cx: true, cy: true }

function check({ depth, width, height, pose, intrinsics, mask }: PosedFrame): void {
  const size = width * height
  if (depth.length !== size)
    throw invalidOption(`${size} values (${width}×${height})`, 'depth', `${depth.length} values`)
  if (mask !== undefined && mask.length !== size)
    throw invalidOption(`${size} values (${width}×${height})`, 'mask', `${mask.length} values`)
  checkMatrix4(pose, 'pose')
  known(intrinsics, 'intrinsics', intrinsicNames)
  for (const name of Object.keys(intrinsicNames) as (keyof Intrinsics)[])
    if (!Number.isFinite(intrinsics[name])) throw invalidOption('a finite number', name, intrinsics[name])
  for (const name of ['fx', 'fy'] as const)
    if (intrinsics[name] === 0) throw invalidOption('a number other than 0', name, intrinsics[name])
}
