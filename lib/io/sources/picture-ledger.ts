// Owns: which packets a decoder was given, and which of them brought a picture: what is missing was lost.
// Must not know: FFmpeg, what packets hold.

/** A picture comes out at most so many packets after its own: reordering in the codec, and one for each thread. */
const mostDelay = 256

/** A step of the decoding times by more than this, in either direction, begins another recording. Milliseconds. */
const jumpMs = 10_000

export interface PacketFacts {
  readonly isKey: boolean
  /** `none` for what is decoded and not shown; `maybe` where its picture may have come with an earlier packet. */
  readonly picture: 'one' | 'maybe' | 'none'
  /** Presentation and decoding time; undefined where there is none. Milliseconds. */
  readonly ptsMs: number | undefined
  readonly dtsMs: number | undefined
}

interface Entry {
  readonly ptsMs: number | undefined
  /** For messages. */
  readonly atMs: number | undefined
  readonly isForgiven: boolean
}

interface FirstKey {
  readonly number: number
  readonly ptsMs: number | undefined
}

/**
 * A recording may begin in the middle: what comes before its first key picture, and what is shown before that picture but
 * refers to what was before it, cannot be decoded and is no damage.
 */
export class PictureLedger {
  /** Pictures that never came. */
  lost = 0
  /** Where the first of them was to be. Milliseconds. */
  firstLostMs: number | undefined
  readonly #dropsLeading: boolean
  readonly #waiting = new Map<number, Entry>()
  #next = 0
  /** Undefined: before it. */
  #firstKey: FirstKey | undefined
  /** A picture came out that needs none of those before it. */
  #isStartOut = false
  /** The packet after the leading pictures that the decoder dropped. */
  #afterLeading: number | undefined
  #lastDtsMs: number | undefined

  /** @param dropsLeading the decoder gives no picture for those of a first group that refer to the one before, whatever their times */
  constructor(dropsLeading: boolean) {
    this.#dropsLeading = dropsLeading
  }

  /** @returns the packet's number, with which its picture is settled */
  enter({ isKey, picture, ptsMs, dtsMs }: PacketFacts): number {
    const number = this.#next++
    if (isKey && (this.#firstKey === undefined || this.#isJump(dtsMs ?? ptsMs))) this.#begin(number, ptsMs)
    this.#lastDtsMs = dtsMs ?? ptsMs
    const isForgiven = picture === 'maybe' || this.#isBeforeStart(ptsMs)
    if (picture !== 'none') this.#waiting.set(number, { ptsMs, atMs: ptsMs ?? dtsMs, isForgiven })
    this.#expire(number - mostDelay)
    return number
  }

  /**
   * A picture came out.
   *
   * @param number of its packet; undefined where the picture does not tell: the oldest one
   * @param isSound without errors
   * @returns true where it is one of those that cannot be decoded, and has errors
   */
  settle(number: number | undefined, isKey: boolean, isSound: boolean): boolean {
    const of = number ?? this.#waiting.keys().next().value ?? -1
    const entry = this.#waiting.get(of)
    this.#waiting.delete(of)
    // Some containers do not tell which packets are key pictures.
    if (isKey && isSound && this.#firstKey === undefined) this.#begin(of, entry?.ptsMs)
    if (isKey || isSound) this.#isStartOut = true
    // Without times, leading pictures are those that come out first.
    const isLeading = !this.#isStartOut && entry?.ptsMs === undefined
    return !isSound && (isLeading || entry?.isForgiven === true)
  }

  /** No more pictures come. */
  close(): void {
    this.#expire(Infinity)
  }

  #begin(number: number, ptsMs: number | undefined): void {
    this.#firstKey = { number, ptsMs }
    this.#isStartOut = false
    this.#afterLeading = number + 1
  }

  #isJump(dtsMs: number | undefined): boolean {
    return dtsMs !== undefined && this.#lastDtsMs !== undefined && Math.abs(dtsMs - this.#lastDtsMs) > jumpMs
  }

  #isBeforeStart(ptsMs: number | undefined): boolean {
    if (this.#firstKey === undefined) return true
    return ptsMs !== undefined && this.#firstKey.ptsMs !== undefined && ptsMs < this.#firstKey.ptsMs
  }

  /** What waits since before `number` never comes. */
  #expire(number: number): void {
    for (const [waiting, { atMs, isForgiven }] of this.#waiting) {
      if (waiting > number) return
      this.#waiting.delete(waiting)
      if (isForgiven) continue
      if (this.#dropsLeading && waiting === this.#afterLeading) this.#afterLeading++
      else {
        this.lost++
        this.firstLostMs ??= atMs
      }
    }
  }
}
