// Owns: which rows of a pool of streams are taken.
// Must not know: what a row holds.

export class Rows {
  readonly #free: number[]
  readonly #count: number

  constructor(count: number) {
    this.#count = count
    this.#free = Array.from({ length: count }, (_, i) => count - 1 - i)
  }

  /** The lowest that is free; undefined where none is. */
  take(): number | undefined {
    return this.#free.pop()
  }

  release(row: number): void {
    if (this.#free.includes(row) || row < 0 || row >= this.#count) throw new Error(`row ${row} is not taken`)
    this.#free.push(row)
    this.#free.sort((a, b) => b - a)
  }

  get areAllFree(): boolean {
    return this.#free.length === this.#count
  }
}
