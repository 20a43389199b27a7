// Owns: promises that may be left alone once what they belong to was closed.
// Must not know: what closes, what is waited for.

import { VideoDepthError } from './errors.js'

/**
 * The same result as `work`, whose failure ends the process where nobody looks, as always in Node.js; but not a failure that
 * the caller brought about by closing, which is no news.
 *
 * @param isEnd which failures those are; default: CLOSED
 */
export function quietAtEnd<T>(work: Promise<T>, isEnd: (error: unknown) => boolean = isClosed): Promise<T> {
  const given = work.then((value) => value)
  // This runs after `given` has failed, and before Node.js looks for failures that nobody handles.
  work.catch((error: unknown) => {
    if (isEnd(error)) given.catch(() => undefined)
  })
  return given
}

/** An iterator whose calls are quiet at the end. */
export function quietIterator<T>(
  iterator: AsyncIterator<T, undefined>,
  isEnd: (error: unknown) => boolean = isClosed,
): AsyncIterableIterator<T, undefined> {
  const quiet: AsyncIterableIterator<T, undefined> = {
    next: () => quietAtEnd(iterator.next(), isEnd),
    return: () => quietAtEnd(iterator.return?.() ?? Promise.resolve({ done: true, value: undefined }), isEnd),
    [Symbol.asyncIterator]: () => quiet,
  }
  return quiet
}

function isClosed(error: unknown): boolean {
  return error instanceof VideoDepthError && error.code === 'CLOSED'
}
