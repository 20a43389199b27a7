// Owns: what is remembered of int8 against float32 for one checkpoint, in the folder of its weights.
// Must not know: how the figures came about, what follows from them.

import { writeAtomically } from '../../../cache/cache-folder.js'
import { hashName, readSealed, sealedText } from '../../../cache/json-record.js'
import type { Int8Figures } from './int8-check.js'

/** What the figures depend on beside the checkpoint, whose folder this is in. */
export interface CheckKey {
  readonly kernels: string
  readonly taps: readonly number[]
  readonly metric: boolean
  /** Versions of this package, of what the addon computes, and of the clip. */
  readonly versions: readonly (string | number)[]
}

interface Stored {
  readonly key: CheckKey
  readonly figures: Int8Figures
  /** ISO 8601. */
  readonly checkedAt: string
}

export class CheckRecord {
  readonly #folder: string
  readonly #key: CheckKey
  readonly #name: string

  constructor(folder: string, key: CheckKey) {
    this.#folder = folder
    this.#key = key
    this.#name = `int8-check.${hashName(key)}.json`
  }

  async read(): Promise<Int8Figures | undefined> {
    const stored = await readSealed<Stored>(this.#folder, this.#name)
    if (stored === undefined || JSON.stringify(stored.key) !== JSON.stringify(this.#key)) return undefined
    const { absRel, delta1, nonFinite } = stored.figures
    return [absRel, delta1, nonFinite].every(Number.isFinite) ? { absRel, delta1, nonFinite } : undefined
  }

  /** Best effort: where the cache is read-only the next load compares again. */
  async write(figures: Int8Figures): Promise<void> {
    const text = sealedText({ key: this.#key, figures, checkedAt: new Date().toISOString() } satisfies Stored)
    await writeAtomically(this.#folder, this.#name, (file) => file.writeFile(text)).catch(() => undefined)
  }
}
