// Owns: errors of the derivatives of inverse depth at several scales (MAGE, MALE, MSGE): how sharp and how smooth it is.
// Must not know: how depth was aligned.

import { checkMaps, inverted, type ComparedMaps } from './compared-maps.js'

/** Each is the mean over the scales that have a pixel to compare; NaN where none has. Lower is better. */
export interface DerivativeErrors {
  /** Mean absolute gradient error, 1/metres a pixel. */
  readonly mage: number
  /** Mean absolute Laplace error, 1/metres a pixel². */
  readonly male: number
  /** Mean squared gradient error. */
  readonly msge: number
}

/** As Depth Pro has it. */
const scaleCount = 6

/**
 * After Depth Pro (Bochkovskii et al. 2024, equation 2), where they are losses: the difference of the derivatives of predicted
 * and true inverse depth, at six scales, each blurred and of half the size of the one before. The paper does not give the
 * rest, which is chosen here: the gradient is Scharr's (3, 10, 3), divided by 32 so that it is the slope a pixel, and its x
 * and y parts count alike; the Laplacian has the four neighbours; the blur is (1, 2, 1) / 4 each way, at the edge with the
 * nearest pixel repeated. A pixel counts where all pixels that it depends on are valid, so this is for dense truth.
 *
 * @param maps metres @throws VideoDepthError INVALID_OPTION
 */
export function derivativeErrors(maps: ComparedMaps): DerivativeErrors {
  checkMaps(maps)
  const found: DerivativeErrors[] = []
  let level = difference(inverted(maps))
  for (let scale = 0; scale < scaleCount && level.width >= 3 && level.height >= 3; scale++) {
    const errors = atOneScale(level)
    if (errors !== undefined) found.push(errors)
    level = halved(level)
  }
  const mean = (name: keyof DerivativeErrors): number =>
    found.reduce((sum, errors) => sum + errors[name], 0) / found.length
  return { mage: mean('mage'), male: mean('male'), msge: mean('msge') }
}

/** Derivatives are linear: those of the difference are the difference of those. */
interface Level {
  readonly data: Float64Array
  readonly valid: Uint8Array
  readonly width: number
  readonly height: number
}

function difference({ prediction, truth, valid, width, height }: ComparedMaps): Level {
  const data = new Float64Array(valid.length)
  for (let i = 0; i < valid.length; i++) if (valid[i] === 1) data[i] = (prediction[i] as number) - (truth[i] as number)
  return { data, valid, width, height }
}

function atOneScale({ data, valid, width, height }: Level): DerivativeErrors | undefined {
  let [gradients, squares, laplacians, count] = [0, 0, 0, 0]
  const ring = [-width - 1, -width, -width + 1, -1, 0, 1, width - 1, width, width + 1]
  const value = (at: number): number => data[at] as number
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const at = y * width + x
      if (!allValid(valid, at, ring)) continue
      const [above, below] = [at - width, at + width]
      const right = 3 * (value(above + 1) + value(below + 1)) + 10 * value(at + 1)
      const left = 3 * (value(above - 1) + value(below - 1)) + 10 * value(at - 1)
      const down = 3 * (value(below - 1) + value(below + 1)) + 10 * value(below)
      const up = 3 * (value(above - 1) + value(above + 1)) + 10 * value(above)
      const [gx, gy] = [(right - left) / 32, (down - up) / 32]
      gradients += (Math.abs(gx) + Math.abs(gy)) / 2
      squares += (gx * gx + gy * gy) / 2
      laplacians += Math.abs(value(at - 1) + value(at + 1) + value(above) + value(below) - 4 * value(at))
      count++
    }
  }
  return count === 0 ? undefined : { mage: gradients / count, male: laplacians / count, msge: squares / count }
}

function allValid(valid: Uint8Array, at: number, offsets: readonly number[]): boolean {
  for (const offset of offsets) if (valid[at + offset] === 0) return false
  return true
}

/** (1, 2, 1) / 4 each way, without the division by 16. */
const blur = [-1, 0, 1].flatMap((dy) =>
  [-1, 0, 1].map((dx) => ({ dx, dy, weight: (dx === 0 ? 2 : 1) * (dy === 0 ? 2 : 1) })),
)

function halved({ data, valid, width, height }: Level): Level {
  const [across, down] = [Math.ceil(width / 2), Math.ceil(height / 2)]
  const half = {
    data: new Float64Array(across * down),
    valid: new Uint8Array(across * down),
    width: across,
    height: down,
  }
  const inside = (at: number, length: number): number => Math.min(Math.max(at, 0), length - 1)
  for (let y = 0; y < down; y++) {
    for (let x = 0; x < across; x++) {
      let [sum, isValid] = [0, 1]
      for (const { dx, dy, weight } of blur) {
        const at = inside(2 * y + dy, height) * width + inside(2 * x + dx, width)
        isValid &= valid[at] as number
        sum += (data[at] as number) * weight
      }
      half.data[y * across + x] = isValid === 1 ? sum / 16 : 0
      half.valid[y * across + x] = isValid
    }
  }
  return half
}
