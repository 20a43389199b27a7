// Owns: which earlier frames a streamed frame sees, at which positions, and which slot it takes: upstream's cache rules.
// Must not know: engines, buffers, what a state is. Every function is pure.

/** Rows of the temporal position table: the frames that an attention sees, the new one included. */
const window = 32

/** How far the second key frame trails the new one: two window steps of 22, less 1, less the 10 − 8 frames of overlap
 * that are not blended (upstream's `gap`). */
const trailingGap = 41

/** Newest frames that are always seen. */
const recent = window - 3

/** States to keep: frame 0, and the frames that may still become the second key frame. */
export const stateSlots = 1 + trailingGap

/** What one step needs to know of the memory's slots, and where its own state goes afterwards. */
export interface StepPlan {
  /** Row of the position table for each slot and, last, for the new frame; 0 where not seen. */
  readonly positions: readonly number[]
  /** Whether the new frame sees each slot and, last, itself. */
  readonly visible: readonly boolean[]
  /** Slots that take the new frame's state. */
  readonly write: readonly number[]
  /** Nothing before this frame counts. */
  readonly first: boolean
  /** Frame 31, the first whose recent frames are all real ones: what a stabilized stream is held to. */
  readonly anchor: boolean
}

/**
 * The first frame runs alone at position 0, and its state stands for all frames before it. Frame n ≥ 1 sees frame 0, frame
 * n − 41, frames n − 29 … n − 1 (those before the first count as the first) at positions 0…30, and itself at 31.
 *
 * @param n frames since the stream began or was reset
 */
export function planStep(n: number): StepPlan {
  const positions = new Array<number>(stateSlots + 1).fill(0)
  const visible = new Array<boolean>(stateSlots + 1).fill(false)
  visible[stateSlots] = true
  if (n === 0) {
    const write = Array.from({ length: stateSlots }, (_, slot) => slot)
    return { positions, visible, write, first: true, anchor: false }
  }
  for (const [position, frame] of seenFrames(n).entries()) {
    const slot = position === 0 ? 0 : slotOf(frame)
    positions[slot] = position
    visible[slot] = true
  }
  positions[stateSlots] = window - 1
  return { positions, visible, write: [slotOf(n)], first: false, anchor: n === window - 1 }
}

/** Frames that frame n ≥ 1 sees, in the order of their positions; negative ones stand for the first frame. */
export function seenFrames(n: number): number[] {
  return [0, n - trailingGap, ...Array.from({ length: recent }, (_, i) => n - recent + i)]
}

/** Slot 0 is frame 0's; the others go round, so that frame n takes the place of frame n − 41 when it has been seen. */
function slotOf(frame: number): number {
  return 1 + (((frame % trailingGap) + trailingGap) % trailingGap)
}
