// Owns: JSON beside depth, or above it: read whole up to a size, and what it says of the values' kind.
// Must not know: which writer wrote it.

import type { DepthKind } from '../../base/frame.js'
import { readWhole } from '../../base/read-file.js'

/** A line for each frame of a day at 30 per second takes a little more. */
const mostTextBytes = 2 ** 28

/** @throws Error; the system's own */
export async function readText(path: string): Promise<string> {
  return (await readWhole(path, mostTextBytes)).toString('utf8')
}

/** @throws Error where it is not a JSON object */
export function parseObject(text: string): Readonly<Record<string, unknown>> {
  const found: unknown = JSON.parse(text)
  if (typeof found === 'object' && found !== null && !Array.isArray(found)) return found as Record<string, unknown>
  throw new Error(`expected a JSON object, found ${text.slice(0, 40)}`)
}

/** What a writer says of its values; undefined where it says nothing, as writers before the kind was written. @throws Error */
export function checkedKind(found: unknown): DepthKind | undefined {
  if (found === undefined || found === 'disparity' || found === 'metric') return found
  throw new Error(`expected "disparity" or "metric" for kind, found ${JSON.stringify(found).slice(0, 40)}`)
}
