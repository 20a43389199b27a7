// Owns: long loops over pixels that leave the JavaScript thread free in between.
// Must not know: what the loops compute.

import { setImmediate } from 'node:timers/promises'

/** Elements a slice: well under a millisecond of simple arithmetic. */
const sliceLength = 1 << 17

/** Calls `body(from, to)` for consecutive ranges of 0…length, letting other events run between two of them. */
export async function inSlices(length: number, body: (from: number, to: number) => void): Promise<void> {
  for (let from = 0; from < length; from += sliceLength) {
    if (from > 0) await setImmediate()
    body(from, Math.min(from + sliceLength, length))
  }
}
