// Owns: one frame's room between somebody who brings frames and somebody who takes them.
// Must not know: what a frame is, streams.

export const queuePolicies = ['all', 'latest'] as const

/**
 * `all`: who brings a frame waits for room. `latest`: the frame that waits is replaced.
 *
 * @useDeclaredType
 */
export type QueuePolicy = (typeof queuePolicies)[number]

/** For one bringer and one taker. */
export class Mailbox<T> {
  readonly #policy: QueuePolicy
  readonly #replace: (old: T, next: T) => T
  readonly #over = new AbortController()
  #held: { readonly item: T } | undefined
  #end: 'end' | { readonly error: unknown } | undefined
  /** Wakes whoever waits for a change. */
  #wake: () => void = () => undefined
  #change = this.#nextChange()

  /** @param replace with `latest`: what lies in the box when `next` comes before `old` was taken */
  constructor(policy: QueuePolicy, replace: (old: T, next: T) => T) {
    this.#policy = policy
    this.#replace = replace
  }

  /** Resolves when the item lies in the box: false where nobody will take it any more. */
  async put(item: T): Promise<boolean> {
    while (this.#held !== undefined && this.#policy === 'all' && this.#end === undefined) await this.#change
    if (this.#end !== undefined) return false
    this.#held = { item: this.#held === undefined ? item : this.#replace(this.#held.item, item) }
    this.#changed()
    return true
  }

  /** The next item; undefined after the end. An error is thrown once what lay in the box has been taken. */
  async take(): Promise<T | undefined> {
    while (this.#held === undefined && this.#end === undefined) await this.#change
    const held = this.#held
    this.#held = undefined
    this.#changed()
    if (held !== undefined) return held.item
    if (this.#end !== undefined && this.#end !== 'end') throw this.#end.error
    return undefined
  }

  /** No more items; the first end counts. */
  end(failure?: { readonly error: unknown }): void {
    this.#end ??= failure ?? 'end'
    this.#over.abort()
    this.#changed()
  }

  /** An end after which nothing more is taken. Gives back what lay in the box. */
  cancel(): T | undefined {
    const held = this.#held
    this.#held = undefined
    this.end()
    return held?.item
  }

  /** Aborted at the end, whatever lies in the box. */
  get over(): AbortSignal {
    return this.#over.signal
  }

  #changed(): void {
    this.#wake()
    this.#change = this.#nextChange()
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve))
  }
}
