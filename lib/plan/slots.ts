// Owns: which feature slot holds which frame.
// Must not know: what is in a slot, or which frames a window needs.

/** A fixed number of slots, handed out and taken back by frame. */
export class SlotTable {
  readonly #free: number[]
  readonly #slotOf = new Map<number, number>()

  constructor(count: number) {
    this.#free = Array.from({ length: count }, (_, i) => count - 1 - i)
  }

  /** Frames that hold a slot, oldest first. */
  get frames(): Iterable<number> {
    return this.#slotOf.keys()
  }

  take(frame: number): number {
    const slot = this.#free.pop()
    if (slot === undefined || this.#slotOf.has(frame)) throw new Error(`no slot for frame ${frame}`)
    this.#slotOf.set(frame, slot)
    return slot
  }

  slotOf(frame: number): number {
    const slot = this.#slotOf.get(frame)
    if (slot === undefined) throw new Error(`frame ${frame} has no slot`)
    return slot
  }

  release(frame: number): void {
    this.#free.push(this.slotOf(frame))
    this.#slotOf.delete(frame)
  }
}
