// Owns: pieces of work that run one after another, in the order asked.
// Must not know: what the work is.

/** A piece that fails holds up none after it. */
export class SerialQueue {
  #last: Promise<void> = Promise.resolve()

  /** What becomes of `work`, which begins when everything that was asked for before has settled. */
  run<T>(work: () => T | Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.then(nothing, nothing)
    return done
  }

  /** Resolves, always, when everything that was asked for so far has settled. */
  get settled(): Promise<void> {
    return this.#last
  }
}

const nothing = (): void => undefined
