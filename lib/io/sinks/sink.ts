// Owns: the interface of everything that depth frames are written to.
// Must not know: file formats, the pipeline.

import type { DepthMap } from '../../base/frame.js'

/** Nothing appears under its final name before `finish()` resolves; `abort()` removes what was half written. */
export interface DepthSink {
  /** Resolves when the sink has room for the next frame. Frames come in order. The data is copied within the call. */
  write(frame: DepthMap): Promise<void>
  /** Completes the output atomically. Resolves with the finished paths. */
  finish(): Promise<readonly string[]>
  /** Idempotent; safe after an error and after `finish()`, where it does nothing. */
  abort(): Promise<void>
}
