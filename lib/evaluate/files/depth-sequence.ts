// Owns: the interface of depth maps in order, whatever they are kept in.
// Must not know: formats, what is done with them.

import type { Plane } from '../plane.js'
import type { DepthKind } from '../../base/frame.js'

/** Depth maps in order, read from files when they are asked for. */
export interface DepthSequence {
  /** Where it came from, for messages. */
  readonly name: string
  /** Frames. */
  readonly length: number
  /** What the files themselves say; undefined where they say nothing. */
  readonly kind: DepthKind | undefined
  /**
   * Frames `from` to before `to`, one at a time; may be called again. Throws while iterating: SOURCE_UNREADABLE.
   */
  frames(from: number, to: number): AsyncIterable<Plane>
}
