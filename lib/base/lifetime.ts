// Owns: why something does not go on: one reason, decided once, by who closes it, a failure or an abort; what is released then.
// Must not know: what goes on.

/** Lasts until `end`, or until `parent` is aborted. */
export class Lifetime {
  readonly #ending = new AbortController()
  readonly #release: (reason: unknown) => Promise<void>
  readonly #parent: AbortSignal | undefined
  // Who closes is told what fails in releasing.
  readonly #onAbort = (): void => void this.end(this.#parent?.reason).catch(() => undefined)
  #released: Promise<void> | undefined

  /** @param release called once, after the listeners of `signal`; at once where `parent` was aborted before */
  constructor(release: (reason: unknown) => Promise<void>, parent?: AbortSignal) {
    this.#release = release
    this.#parent = parent
    parent?.addEventListener('abort', this.#onAbort, { once: true })
    if (parent?.aborted === true) this.#onAbort()
  }

  /** Aborted at the end, with its reason. */
  get signal(): AbortSignal {
    return this.#ending.signal
  }

  /** The first reason stays. Every call resolves when everything is released. */
  end(reason: unknown): Promise<void> {
    if (!this.signal.aborted) {
      this.#parent?.removeEventListener('abort', this.#onAbort)
      this.#ending.abort(reason)
      this.#released = this.#release(reason)
    }
    return this.#released ?? Promise.resolve()
  }

  /** Whether this error is the end itself. */
  isEnd(error: unknown): boolean {
    return this.signal.aborted && error === this.signal.reason
  }
}
