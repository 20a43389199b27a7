// Owns: whether a map says nothing.
// Must not know: what it is a map of.

/** No two different values. Reads no further than to the first that differs. */
export function isFlat(map: Float32Array): boolean {
  return map.every((value) => value === map[0])
}
