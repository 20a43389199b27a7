// Owns: how a stored picture is cut and turned for display, from a container's cropping and its 3×3 display matrix.
// Must not know: FFmpeg's objects, files.

import type { FilterStep } from '../filter-chain.js'
import type { Size } from '../../base/frame.js'

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

export interface Cut extends Size {
  readonly steps: readonly FilterStep[]
}

/**
 * Matroska's PixelCrop and MP4's clean aperture. What would leave nothing is no cropping.
 *
 * @param cropping 16 bytes: pixels at top, bottom, left and right, uint32, little-endian; undefined: none
 * @param size as stored
 */
export function cutFor(cropping: Uint8Array | null | undefined, { width, height }: Size): Cut {
  const whole = { width, height, steps: [] }
  if (cropping === null || cropping === undefined || cropping.byteLength < 16) return whole
  const view = new DataView(cropping.buffer, cropping.byteOffset, 16)
  const [top, bottom, left, right] = [0, 4, 8, 12].map((at) => view.getUint32(at, true)) as [
    number,
    number,
    number,
    number,
  ]
  const size = { width: width - left - right, height: height - top - bottom }
  if (size.width < 1 || size.height < 1 || top + bottom + left + right === 0) return whole
  const args = `w=${size.width}:h=${size.height}:x=${left}:y=${top}:exact=1`
  return { ...size, steps: [{ filter: 'crop', args }] }
}

function sideways(dir: string): Turn {
  return { sideways: true, steps: [{ filter: 'transpose', args: `dir=${dir}` }] }
}

function step(filter: string): FilterStep {
  return { filter, args: '' }
}
