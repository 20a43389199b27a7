// Owns: the clip with exact depth that comes with the package (sample/README.md): where it lies, and reading it.
// Must not know: what is done with it.

import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Plane } from './plane.js'
import type { Intrinsics } from './temporal-alignment.js'
import packageRoot from '../package-root.cjs'
import { loadSharp } from '../base/libraries.js'

const at = (name: string): string => path.join(packageRoot, 'sample', name)

/** 44 frames of 320×240. */
export const sampleVideo: string = at('sample.mp4')

export interface SampleTruth {
  readonly frameRate: number
  /** [height, width] of each frame: metres along the camera's z axis; Infinity: sky. Every second row and column of the picture. */
  readonly depth: readonly Plane<Float32Array>[]
  /** [height, width] of each frame: 1 where nothing moves and depth is below 80 m. */
  readonly still: readonly Uint8Array[]
  /** [4, 4] row-major, camera to world, metres. */
  readonly poses: readonly (readonly number[])[]
  /** Pixels of the truth. */
  readonly intrinsics: Intrinsics
}

interface SampleFacts {
  readonly frames: number
  readonly frameRate: number
  readonly truth: {
    readonly width: number
    readonly height: number
    readonly step: number
    readonly intrinsics: Intrinsics
  }
  readonly poses: readonly (readonly number[])[]
}

export async function readSampleTruth(): Promise<SampleTruth> {
  const sharp = await loadSharp()
  const { frameRate, frames, poses, truth } = JSON.parse(await readFile(at('sample.json'), 'utf8')) as SampleFacts
  const { width, height, step, intrinsics } = truth
  const levels = await sharp(at('truth.png')).toColourspace('grey16').raw({ depth: 'ushort' }).toBuffer()
  const stills = await sharp(at('still.png')).toColourspace('b-w').raw().toBuffer()
  const size = width * height
  const depth = Float32Array.from({ length: frames * size }, (_, i) => 1 / (step * levels.readUInt16LE(2 * i)))
  const positions = Array.from({ length: frames }, (_, i) => i * size)
  return {
    frameRate,
    depth: positions.map((from) => ({ data: depth.subarray(from, from + size), width, height })),
    still: positions.map((from) => Uint8Array.from(stills.subarray(from, from + size), (value) => value >> 7)),
    poses,
    intrinsics,
  }
}
