// Owns: what Ctrl-C does to a command that has an end, and to one that goes on until then.
// Must not know: what the command writes.

import { VideoDepthError } from '../base/errors.js'
import { flushed, tell } from './tell.js'

/** Windows has no SIGHUP that a process could end by. */
const signals: readonly NodeJS.Signals[] =
  process.platform === 'win32' ? ['SIGINT', 'SIGTERM'] : ['SIGINT', 'SIGTERM', 'SIGHUP']

/** Time for native threads to come to their end. Milliseconds. */
const threadsMs = 1000

function listen(listener: (signal: NodeJS.Signals) => void): () => void {
  for (const signal of signals) process.on(signal, listener)
  return () => {
    for (const signal of signals) process.off(signal, listener)
  }
}

/**
 * Runs `work` with a signal that the first SIGINT, SIGTERM or SIGHUP aborts. The work then removes what is half written and
 * rejects; after that the process ends by the signal itself, without waiting for a graph run in native code. A second
 * signal ends it at once, and may leave a hidden `.partial` file.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController()
  let received: NodeJS.Signals | undefined
  const endBy = (signal: NodeJS.Signals): void => {
    unlisten()
    process.kill(process.pid, signal)
  }
  const unlisten = listen((signal) => {
    if (received !== undefined) endBy(signal)
    received = signal
    abort.abort(new VideoDepthError('CLOSED', `Interrupted by ${signal}`))
  })
  try {
    return await work(abort.signal)
  } finally {
    unlisten()
    if (received !== undefined) endBy(received)
  }
}

/**
 * Runs `work` with a signal that the first SIGINT, SIGTERM or SIGHUP aborts: that is how a live command is meant to end, so
 * the work goes on to a proper end of its own and gives the exit code. Where it rejects with the signal's reason there was
 * nothing to complete, and the process ends by the signal. A second signal ends it at once, and may leave a hidden
 * `.partial` file.
 */
export async function endable(work: (end: AbortSignal) => Promise<number>): Promise<number> {
  const end = new AbortController()
  let received: NodeJS.Signals | undefined
  const unlisten = listen((signal) => {
    unlisten()
    received = signal
    end.abort(new VideoDepthError('CLOSED', `Interrupted by ${signal} before the first frame`))
  })
  try {
    return await work(end.signal)
  } catch (error) {
    if (received === undefined || error !== end.signal.reason) throw error
    tell(`video-depth: ${(error as VideoDepthError).message}\n`)
    await flushed()
    process.kill(process.pid, received)
    throw error
  } finally {
    unlisten()
    if (received !== undefined) endSoon(received)
  }
}

/**
 * The outputs are complete, so nothing that still runs is worth waiting for: neither a reader who takes nothing, nor the
 * search for a host's address, which only a signal ends because exiting would wait for its thread.
 */
function endSoon(signal: NodeJS.Signals): void {
  const timer = setTimeout(() => {
    const isUnread = process.stdout.writableLength > 0 || process.stderr.writableLength > 0
    if (isUnread) process.exit()
    else process.kill(process.pid, signal)
  }, threadsMs)
  timer.unref()
}
