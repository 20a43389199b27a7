// Owns: what a depth file that cannot be read means to the user.
// Must not know: any format.

import { VideoDepthError } from '../../base/errors.js'

export function unreadable(path: string, reason: string, cause?: unknown): VideoDepthError {
  return new VideoDepthError('SOURCE_UNREADABLE', `Cannot read ${path}: ${reason}`, { cause })
}

/** Wraps whatever went wrong while `path` was read; a VideoDepthError passes as it is. */
export function readError(path: string, cause: unknown): VideoDepthError {
  if (cause instanceof VideoDepthError) return cause
  return unreadable(path, cause instanceof Error ? cause.message : String(cause), cause)
}
