// Owns: the mean of residuals, with or without the largest ones.
// Must not know: what they are residuals of.

import { invalidOption } from '../base/errors.js'

/**
 * Σ of the smallest ⌊n · (1 − trim)⌋ of n residuals, over `count`, which need not be n. Keeps them only where it trims.
 * Nothing counted, or nothing kept, gives 0.
 */
export class ResidualMean {
  readonly #trim: number
  #kept: Float64Array[] = []
  #sum = 0
  #residuals = 0
  #count = 0

  /** @param trim part of the residuals that is left out, 0 ≤ trim < 1 @throws VideoDepthError INVALID_OPTION */
  constructor(trim: number) {
    if (!(trim >= 0 && trim < 1)) throw invalidOption('a number from 0 to below 1', 'trim', trim)
    this.#trim = trim
  }

  /** @param residuals ≥ 0, not changed afterwards; @param count what they add to the divisor */
  add(residuals: Float64Array, count: number): void {
    this.#count += count
    this.#residuals += residuals.length
    if (this.#trim > 0) this.#kept.push(residuals)
    else for (const residual of residuals) this.#sum += residual
  }

  value(): number {
    if (this.#count === 0) return 0
    return (this.#trim > 0 ? this.#trimmedSum() : this.#sum) / this.#count
  }

  #trimmedSum(): number {
    const all = new Float64Array(this.#residuals)
    let at = 0
    for (const part of this.#kept) {
      all.set(part, at)
      at += part.length
    }
    all.sort()
    this.#kept = [all]
    const keep = Math.trunc(all.length * (1 - this.#trim))
    let sum = 0
    for (let i = 0; i < keep; i++) sum += all[i] as number
    return sum
  }
}
