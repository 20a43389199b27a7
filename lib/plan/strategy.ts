// Owns: the constants of windowed inference and the strategies built from them.
// Must not know: engines, buffers, files.

export const stitchings = ['upstream', 'paper'] as const

/**
 * Which key frames a window of a long video sees, and is fitted to: two, beside eight frames that overlap with the window
 * before.
 *
 * - `upstream`: the first key frame is always frame 0 of the video. What the published code does, and the default.
 * - `paper`: both key frames lie at the paper's fixed distance, 12 and 24 frames before the overlap.
 *
 * @useDeclaredType
 */
export type Stitching = (typeof stitchings)[number]

/**
 * A stitching, or what else the paper compares (Video Depth Anything, arXiv 2501.12375, table 5), for studies alone.
 *
 * - `overlap-interpolate`: eight overlapping frames, aligned on all of them, blended; no key frames.
 * - `overlap-align`: eight overlapping frames, aligned on all of them, not blended.
 * - `baseline`: windows side by side; nothing carried over, aligned or blended.
 */
export type WindowRule = Stitching | 'overlap-interpolate' | 'overlap-align' | 'baseline'

/** Frames a window of the published models: the length of their temporal position table. */
export const defaultWindowLength = 32

export interface WindowStrategy {
  readonly rule: WindowRule
  /** Frames in a window. */
  readonly length: number
  /** Key frames carried over from farther back; they fill a window's first positions. */
  readonly keyFrames: number
  /** Frames shared with the previous window; they follow the key frames. */
  readonly overlap: number
  /** Distance between key frames, and from the last one to the overlap. */
  readonly keyInterval: number
  /** New frames in every window but the first. */
  readonly step: number
  /** Positions from 0 on whose depth is compared with what was emitted for the same frame. */
  readonly alignPositions: number
  /** Whether the overlap is blended with the frames emitted before. */
  readonly blend: boolean
}

/**
 * At length 32: overlap 8, key interval 12, step 22 (upstream's OVERLAP 10 is 2 key frames + 8, its INTERP_LEN is 8,
 * its KEYFRAMES are 0, 12 and 24…31). Other lengths, in studies, keep the proportions: overlap length/4, key interval
 * 3·length/8.
 */
export function windowStrategy(rule: WindowRule = 'upstream', length: number = defaultWindowLength): WindowStrategy {
  const keyed = rule === 'upstream' || rule === 'paper'
  const overlapped = rule !== 'baseline'
  const keyFrames = keyed ? 2 : 0
  const overlap = overlapped ? length / 4 : 0
  return {
    rule,
    length,
    keyFrames,
    overlap,
    keyInterval: (3 * length) / 8,
    step: length - keyFrames - overlap,
    alignPositions: keyed ? keyFrames : overlap,
    blend: overlapped && rule !== 'overlap-align',
  }
}
