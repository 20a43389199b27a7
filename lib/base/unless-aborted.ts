// Owns: waiting for something only as long as a signal is not aborted.
// Must not know: what is waited for.

/** What opens after an abort is closed again. */
export async function openUnlessAborted<T extends { close(): Promise<void> }>(
  opening: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  opening.then((opened) => (signal?.aborted === true ? opened.close() : undefined)).catch(() => undefined) // who waits for `opening` hears of it; who no longer does has nothing to learn
  return unlessAborted(opening, signal)
}

/**
 * Rejects with the signal's reason as soon as it is aborted. Each call has a listener and a promise of its own: a race
 * against one lasting promise would hold every result until that settles.
 */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  let abort: (() => void) | undefined
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    if (abort !== undefined) signal.removeEventListener('abort', abort)
  }
}
