// Owns: what Ctrl-C does to a command.
// Must not know: what the command writes.

import { VideoDepthError } from '../errors.js'

/**
 * Runs `work` with a signal that the first SIGINT or SIGTERM aborts. The work then removes what is half written and
 * rejects; after that the process ends by the signal itself, without waiting for a graph run in native code. A second
 * signal ends it at once.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController()
  let received: NodeJS.Signals | undefined
  const onSignal = (signal: NodeJS.Signals): void => {
    if (received !== undefined) endBy(signal)
    received = signal
    abort.abort(new VideoDepthError('CLOSED', `Interrupted by ${signal}`))
  }
  const endBy = (signal: NodeJS.Signals): void => {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
    process.kill(process.pid, signal)
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  try {
    return await work(abort.signal)
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
    if (received !== undefined) endBy(received)
  }
}
