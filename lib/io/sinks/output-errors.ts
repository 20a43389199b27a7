// Owns: what a failure to write means to the user.
// Must not know: file formats.

import { constants } from 'node:os'
import { VideoDepthError } from '../../base/errors.js'
import { shownPart } from '../../base/outside-text.js'

const fullCodes: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])
const codeOf = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]))

/** Wraps whatever went wrong while `path` was written; a VideoDepthError passes as it is. */
export function outputError(path: string, cause: unknown): VideoDepthError {
  if (cause instanceof VideoDepthError) return cause
  // The system's words name the path again; the code stands first.
  const reason = shownPart(cause instanceof Error ? cause.message : String(cause))
  return worded(path, errorCode(cause), reason, { cause })
}

/** The same for a negative FFmpeg status, which is −errno where the system failed. */
export function outputStatusError(path: string, status: number, text: string): VideoDepthError {
  const code = codeOf.get(-status)
  return worded(path, code, text, { cause: Object.assign(new Error(text), { code }) })
}

export function unwritable(path: string, reason: string): VideoDepthError {
  return new VideoDepthError('OUTPUT_UNWRITABLE', `Cannot write ${path}: ${reason}`)
}

export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

function worded(path: string, code: string | undefined, reason: string, options?: ErrorOptions): VideoDepthError {
  if (code !== undefined && fullCodes.has(code))
    return new VideoDepthError('OUTPUT_FULL', `No space left for ${path}: ${reason}`, options)
  return new VideoDepthError('OUTPUT_UNWRITABLE', `Cannot write ${path}: ${reason}`, options)
}
