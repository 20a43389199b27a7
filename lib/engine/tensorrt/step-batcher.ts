// Owns: which streams' frames go to the GPU together, and how long one waits for the others.
// Must not know: what a step is, GPUs, streams' state.

export interface BatchClock {
  /** Milliseconds. */
  now(): number
  /** @returns what stops it */
  after(ms: number, work: () => void): () => void
}

const systemClock: BatchClock = {
  now: () => performance.now(),
  after: (ms, work) => {
    const timer = setTimeout(work, ms)
    return () => clearTimeout(timer)
  },
}

export interface BatcherOptions<Entry, Result> {
  /** One result an entry, in their order. */
  readonly run: (entries: readonly Entry[]) => Promise<readonly Result[]>
  /** Entries that go together at most. */
  readonly most: number
  /** How long the oldest entry waits for others, milliseconds. */
  readonly delayMs: number
  readonly clock?: BatchClock
}

interface Waiting<Entry, Result> {
  readonly entry: Entry
  readonly sinceMs: number
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/**
 * Members give one entry at a time each. While a run is under way entries gather, and go together after it, oldest first.
 * Otherwise an entry waits for those of the other members, but no longer than `delayMs`; a lone member never waits.
 */
export class StepBatcher<Entry, Result> {
  readonly #options: BatcherOptions<Entry, Result>
  readonly #clock: BatchClock
  readonly #waiting: Waiting<Entry, Result>[] = []
  #members = 0
  #running = false
  #stopTimer: (() => void) | undefined

  constructor(options: BatcherOptions<Entry, Result>) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  /** One more that may give entries. @returns the end of that */
  join(): () => void {
    this.#members++
    let isMember = true
    return () => {
      if (!isMember) return
      isMember = false
      this.#members--
      this.#go()
    }
  }

  step(entry: Entry): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entry, sinceMs: this.#clock.now(), resolve, reject })
      this.#go()
    })
  }

  /** Takes an entry back that has not gone yet: its step rejects with `reason`. */
  withdraw(entry: Entry, reason: Error): void {
    const index = this.#waiting.findIndex((waiting) => waiting.entry === entry)
    if (index >= 0) for (const { reject } of this.#waiting.splice(index, 1)) reject(reason)
    this.#go()
  }

  #go(): void {
    this.#stopTimer?.()
    this.#stopTimer = undefined
    const [oldest] = this.#waiting
    if (this.#running || oldest === undefined) return
    const { most, delayMs } = this.#options
    const left = oldest.sinceMs + delayMs - this.#clock.now()
    const isComplete = this.#waiting.length >= Math.min(most, this.#members)
    if (isComplete || left <= 0) void this.#run()
    else this.#stopTimer = this.#clock.after(left, () => this.#go())
  }

  async #run(): Promise<void> {
    const batch = this.#waiting.splice(0, this.#options.most)
    this.#running = true
    try {
      const results = await this.#options.run(batch.map(({ entry }) => entry))
      for (const [i, { resolve, reject }] of batch.entries()) {
        const result = results[i]
        if (result === undefined) reject(new Error(`${results.length} results for ${batch.length} steps`))
        else resolve(result)
      }
    } catch (error) {
      for (const { reject } of batch) reject(error)
    } finally {
      this.#running = false
      this.#go()
    }
  }
}
