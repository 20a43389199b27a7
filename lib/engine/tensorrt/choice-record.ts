// Owns: what is remembered of the arithmetic chosen for a set of plans: which passed, which did not and why, what is suspect.
// Must not know: how plans are built or checked.

import type { Precision } from '../../prepare/graph/weights.js'
import type { CheckFigures, RejectedVariant } from '../engine-info.js'
import { hashName } from '../../cache/json-record.js'
import { readOwnRecord, writeRecord } from '../../cache/cached-file.js'
import type { BuildTarget } from './plan-cache.js'
import type { PlanSpec } from './plan-spec.js'

/** For whom the choice was made. */
export interface ChoiceKey extends BuildTarget {
  readonly weights: string
  readonly precision: Precision
  readonly spec: PlanSpec
}

export interface Choice {
  readonly key: ChoiceKey
  /** Name of a rung of the ladder. */
  readonly variant: string
  /** Hashes of its plans, hex: others have to be checked again. */
  readonly plans: readonly string[]
  /** Names of its plans in the cache's folder. */
  readonly files: readonly string[]
  readonly check: CheckFigures
  readonly buildSeconds: number
  readonly rejected: readonly RejectedVariant[]
  /** ISO 8601. */
  readonly checkedAt: string
  /** Why the next load leaves this variant out; absent while nothing is wrong. */
  readonly suspect?: { readonly reason: string; readonly since: string }
}

export const choicePrefix = 'choice-'

export class ChoiceRecord {
  readonly #folder: string
  readonly #key: ChoiceKey
  readonly #name: string

  constructor(folder: string, key: ChoiceKey) {
    this.#folder = folder
    this.#key = key
    this.#name = `${choicePrefix}${hashName(key)}.json`
  }

  async read(): Promise<Choice | undefined> {
    const choice = await readOwnRecord<Choice>(this.#folder, this.#name)
    return choice !== undefined && JSON.stringify(choice.key) === JSON.stringify(this.#key) ? choice : undefined
  }

  async write(choice: Omit<Choice, 'key' | 'checkedAt' | 'suspect'>): Promise<void> {
    const record: Choice = { key: this.#key, ...choice, checkedAt: new Date().toISOString() }
    await writeRecord(this.#folder, this.#name, record)
  }

  /** Only while the choice is still of that variant. Best effort: the video's own error is the one to tell. */
  async suspect(variant: string, reason: string): Promise<void> {
    const choice = await this.read()
    if (choice?.variant !== variant || choice.suspect !== undefined) return
    const suspect = { reason, since: new Date().toISOString() }
    await writeRecord(this.#folder, this.#name, { ...choice, suspect }).catch(() => undefined)
  }
}
