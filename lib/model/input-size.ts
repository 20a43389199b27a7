// Owns: the size that frames are resized to for the network.
// Must not know: pixels, tensors, engines.

/** Pixels along each side of a patch: DINOv2's ViT-…/14. */
export const patchSize = 14

export interface InputSize {
  /** Pixels, a multiple of 14. */
  readonly width: number
  readonly height: number
}

/**
 * Upstream's rule: frames wider than 1.78:1 get a smaller input size, then the shorter side becomes at least
 * `inputSize`, aspect kept, both sides rounded to a multiple of 14 (up where rounding fell below `inputSize`).
 *
 * @param inputSize pixels, upstream's `--input_size` (518)
 */
export function networkInputSize(frameWidth: number, frameHeight: number, inputSize: number): InputSize {
  const ratio = Math.max(frameWidth, frameHeight) / Math.min(frameWidth, frameHeight)
  const target =
    ratio > 1.78 ? roundHalfEven(Math.trunc((inputSize * 1.777) / ratio) / patchSize) * patchSize : inputSize
  const scale = Math.max(target / frameWidth, target / frameHeight)
  return { width: toPatches(scale * frameWidth, target), height: toPatches(scale * frameHeight, target) }
}

function toPatches(length: number, least: number): number {
  const rounded = roundHalfEven(length / patchSize) * patchSize
  return rounded < least ? Math.ceil(length / patchSize) * patchSize : rounded
}

/** numpy's and Python's rounding. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value)
  const difference = value - floor
  if (difference !== 0.5) return Math.round(value)
  return floor % 2 === 0 ? floor : floor + 1
}
