// Owns: the command's exit codes, and what each error maps to.
// Must not know: any one command.

import { VideoDepthError, type ErrorCode } from '../base/errors.js'

/** An interrupted command has none: it ends by the signal, which a shell shows as 130 for Ctrl-C. */
export const exitCode = {
  ok: 0,
  /** No half-written file is left; what a command had finished before stays. */
  failed: 1,
  /** Unknown command, option or value. */
  usage: 2,
  /** The input broke off or was damaged; the outputs are complete for the frames that could be read. */
  partial: 3,
} as const

const partialCodes: readonly ErrorCode[] = ['SOURCE_DAMAGED', 'FRAME_SIZE_CHANGED']

/** Errors after which what came before is worth keeping. */
export function isPartial(error: unknown): boolean {
  return error instanceof VideoDepthError && partialCodes.includes(error.code)
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof VideoDepthError && error.code === 'INVALID_OPTION') return exitCode.usage
  return exitCode.failed
}
