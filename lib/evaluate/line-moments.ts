// Owns: the least-squares line through any number of points, from running sums.
// Must not know: what the points are.

import type { LineFit } from './depth-error.js'

export interface Fit extends LineFit {
  /** No usable slope: no point at all (scale 1, shift 0) or all x the same (scale 0, shift the mean of y). */
  readonly degenerate: boolean
}

/** Part of the mean square: a smaller variance is rounding. */
const flatPart = 1e-12

/**
 * Count, means and centred second moments of (x, y). Sets are merged by Chan's formula, so that rounding does not grow with
 * the number of points as it does in plain sums.
 */
export class LineMoments {
  #count = 0
  #meanX = 0
  #meanY = 0
  #squares = 0
  #products = 0

  get count(): number {
    return this.#count
  }

  /** Moments of the points whose `chosen` is not 0. All arrays have one length. */
  static of(x: ArrayLike<number>, y: ArrayLike<number>, chosen: Uint8Array): LineMoments {
    const moments = new LineMoments()
    let [count, sumX, sumY] = [0, 0, 0]
    for (let i = 0; i < chosen.length; i++) {
      if (chosen[i] === 0) continue
      count++
      sumX += x[i] as number
      sumY += y[i] as number
    }
    if (count === 0) return moments
    const [meanX, meanY] = [sumX / count, sumY / count]
    let [squares, products] = [0, 0]
    for (let i = 0; i < chosen.length; i++) {
      if (chosen[i] === 0) continue
      const dx = (x[i] as number) - meanX
      squares += dx * dx
      products += dx * ((y[i] as number) - meanY)
    }
    moments.#set(count, meanX, meanY, squares, products)
    return moments
  }

  /** Adds the points of `other`. */
  merge(other: LineMoments): void {
    if (other.#count === 0) return
    const count = this.#count + other.#count
    const [dx, dy] = [other.#meanX - this.#meanX, other.#meanY - this.#meanY]
    const part = other.#count / count
    const weight = this.#count * part
    this.#set(
      count,
      this.#meanX + dx * part,
      this.#meanY + dy * part,
      this.#squares + other.#squares + dx * dx * weight,
      this.#products + other.#products + dx * dy * weight,
    )
  }

  /** y ≈ scale · x + shift */
  fit(): Fit {
    if (this.#count === 0) return { scale: 1, shift: 0, degenerate: true }
    const variance = this.#squares / this.#count
    const degenerate = !(variance > flatPart * (variance + this.#meanX * this.#meanX))
    const scale = degenerate ? 0 : this.#products / this.#squares
    return { scale, shift: this.#meanY - scale * this.#meanX, degenerate }
  }

  #set(count: number, meanX: number, meanY: number, squares: number, products: number): void {
    this.#count = count
    this.#meanX = meanX
    this.#meanY = meanY
    this.#squares = squares
    this.#products = products
  }
}
