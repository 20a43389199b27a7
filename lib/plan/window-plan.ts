// Owns: which frames a window sees, which of them are new, how it is stitched, and what may be freed after it.
// Must not know: engines, buffers, files. Every function is pure; a window's plan needs no other window's.

import type { SlotFrame, StitchStep } from '../native/types.js'
import type { WindowStrategy } from './strategy.js'

export interface WindowPlan {
  readonly index: number
  /** Source frame at each position of the window; positions past the end repeat the last frame. */
  readonly frames: readonly number[]
  /** Positions whose depth map is used; the others need not be decoded. */
  readonly wanted: readonly number[]
  readonly step: StitchStep
  /** Frames that leave after this window, in order from `firstEmitted`. */
  readonly firstEmitted: number
  readonly emitted: number
  /** Whether any frame is left for a further window. */
  readonly last: boolean
}

const carried = (s: WindowStrategy): number => s.keyFrames + s.overlap

/** The first frame of window `index`'s overlap. */
const overlapStart = (s: WindowStrategy, index: number): number => s.step * index + s.keyFrames

/** First frame that window `index` brings in. */
export function newStart(s: WindowStrategy, index: number): number {
  return index === 0 ? 0 : s.step * index + carried(s)
}

/** One past the last frame that window `index` brings in, were the video endless. */
export function newEnd(s: WindowStrategy, index: number): number {
  return s.step * index + s.length
}

/** Frames at the first positions of window `index`: key frames, then the overlap. */
function carriedFrames(s: WindowStrategy, index: number): number[] {
  if (index === 0) return []
  const start = overlapStart(s, index)
  const keys = Array.from({ length: s.keyFrames }, (_, i) => start - s.keyInterval * (s.keyFrames - i))
  if (s.rule === 'upstream') keys[0] = 0
  return [...keys, ...Array.from({ length: s.overlap }, (_, i) => start + i)]
}

/** Later windows never look back more than two windows, but for frame 0; three cover every case. */
const lookAhead = 3

/** Frames of the next windows' first positions: what must outlive window `index`. */
function neededAfter(s: WindowStrategy, index: number, positions: number): Set<number> {
  const frames = new Set<number>()
  for (let k = index + 1; k <= index + lookAhead; k++) {
    for (const frame of carriedFrames(s, k).slice(0, positions)) frames.add(frame)
  }
  return frames
}

/**
 * Whether window `index` changes any of the first `frameCount` frames. The first overlapping frame is blended with
 * weight 0, so a window that starts one frame earlier than the video ends brings nothing and is left out.
 */
export function isNeeded(s: WindowStrategy, index: number, frameCount: number): boolean {
  if (index === 0) return frameCount > 0
  return frameCount > (s.blend ? overlapStart(s, index) + 1 : newStart(s, index))
}

/** Windows that a video of `frameCount` frames takes. */
export function windowCount(s: WindowStrategy, frameCount: number): number {
  let count = 0
  while (isNeeded(s, count, frameCount)) count++
  return count
}

/**
 * @param frameCount Frames of the video where its end has been seen, otherwise undefined: then all frames up to
 *   `newEnd` must exist.
 * @param aligned Whether windows are fitted to each other (disparity) or taken as they are (metric depth).
 */
export function planWindow(
  s: WindowStrategy,
  index: number,
  frameCount: number | undefined,
  aligned: boolean,
): WindowPlan {
  const endless = frameCount ?? Number.POSITIVE_INFINITY
  const start = newStart(s, index)
  const unclamped = [...carriedFrames(s, index), ...range(start, newEnd(s, index))]
  const last = frameCount !== undefined && !isNeeded(s, index + 1, frameCount)
  const append = { slot: unclamped.length - (newEnd(s, index) - start), count: newEnd(s, index) - start }
  if (last) append.count = Math.max(0, Math.min(append.count, endless - start))
  const blend = { slot: s.keyFrames, count: s.blend && index > 0 ? s.overlap : 0 }
  const align = aligned && index > 0 ? pairs(unclamped, s.alignPositions) : []
  const hold = s.blend && !last ? s.overlap : 0
  const firstEmitted = s.blend && index > 0 ? overlapStart(s, index) : start
  const step = {
    align,
    blend,
    append,
    hold,
    remember: aligned && !last ? remembered(s, index, append.slot, start) : [],
    forget: aligned ? forgotten(s, index, last) : [],
  }
  return {
    index,
    frames: unclamped.map((frame) => Math.min(frame, endless - 1)),
    wanted: wantedPositions(step),
    step,
    firstEmitted,
    emitted: Math.min(blend.count + append.count - hold, endless - firstEmitted),
    last,
  }
}

/** First frame that owes this window its depth where nothing is blended: the first blended frame's weight is 0 either way. */
export function firstRenewed({ step, firstEmitted }: WindowPlan): number {
  return firstEmitted + (step.blend.count > 1 ? 1 : 0)
}

/** Frames whose features no window after `index` sees; `seen` are those kept so far. */
export function releasable(s: WindowStrategy, index: number, seen: Iterable<number>): number[] {
  const needed = neededAfter(s, index, carried(s))
  return [...seen].filter((frame) => !needed.has(frame))
}

/** Feature slots that suffice for any number of windows. */
export function slotCount(s: WindowStrategy): number {
  let kept = new Set<number>()
  let most = 0
  for (let k = 0; k <= lookAhead + 1; k++) {
    for (const frame of range(newStart(s, k), newEnd(s, k))) kept.add(frame)
    most = Math.max(most, kept.size)
    const gone = new Set(releasable(s, k, kept))
    kept = new Set([...kept].filter((frame) => !gone.has(frame)))
  }
  return most
}

/** Which of this window's aligned maps later windows are fitted to. */
function remembered(s: WindowStrategy, index: number, slot: number, start: number): SlotFrame[] {
  const needed = neededAfter(s, index, s.alignPositions)
  return range(start, newEnd(s, index))
    .map((frame, i) => ({ slot: slot + i, frame }))
    .filter(({ frame }) => needed.has(frame))
}

/** Which of the earlier windows' references end here: all of them after the last window. */
function forgotten(s: WindowStrategy, index: number, last: boolean): number[] {
  if (index === 0) return []
  const kept = [...neededAfter(s, index - 1, s.alignPositions)].filter((frame) => frame < newEnd(s, index - 1))
  const needed = last ? new Set<number>() : neededAfter(s, index, s.alignPositions)
  return kept.filter((frame) => !needed.has(frame))
}

function wantedPositions(step: StitchStep): number[] {
  const { align, blend, append } = step
  const blended = range(blend.slot + 1, blend.slot + blend.count) // the first one's weight is 0
  const positions = new Set([
    ...align.map(({ slot }) => slot),
    ...blended,
    ...range(append.slot, append.slot + append.count),
  ])
  for (const { slot } of step.remember) positions.add(slot)
  return [...positions].sort((a, b) => a - b)
}

const pairs = (frames: readonly number[], count: number): SlotFrame[] =>
  frames.slice(0, count).map((frame, slot) => ({ slot, frame }))

const range = (from: number, to: number): number[] => Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i)
