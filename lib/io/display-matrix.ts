// Owns: how a stored picture is turned for display, from a container's 3×3 display matrix.
// Must not know: FFmpeg's objects, files.

import type { FilterStep } from './filter-chain.js'

export interface Turn {
  /** True where width and height are exchanged. */
  readonly sideways: boolean
  readonly steps: readonly FilterStep[]
}

const upright: Turn = { sideways: false, steps: [] }

/**
 * The rule of FFmpeg's `-autorotate`, for quarter turns and mirrorings. Another angle is no turn: the picture comes out as stored.
 *
 * @param matrix 36 bytes: nine int32 in the machine's byte order, row by row; undefined: no turn
 */
export function turnFor(matrix: Uint8Array | null | undefined): Turn {
  if (matrix === null || matrix === undefined || matrix.byteLength < 36) return upright
  const m = new Int32Array(matrix.slice(0, 36).buffer)
  const [a = 0, b = 0, , c = 0, d = 0] = m
  if (b === 0 && c === 0) {
    const flips = [...(a < 0 ? [step('hflip')] : []), ...(d < 0 ? [step('vflip')] : [])]
    return { sideways: false, steps: flips }
  }
  if (a !== 0 || d !== 0) return upright
  if (b > 0) return sideways(c > 0 ? 'cclock_flip' : 'clock')
  return sideways(c < 0 ? 'clock_flip' : 'cclock')
}

function sideways(dir: string): Turn {
  return { sideways: true, steps: [{ filter: 'transpose', args: `dir=${dir}` }] }
}

function step(filter: string): FilterStep {
  return { filter, args: '' }
}
