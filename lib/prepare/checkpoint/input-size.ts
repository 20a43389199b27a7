// Owns: the size that frames are resized to for the network.
// Must not know: pixels, tensors, engines.

import { invalidOption, VideoDepthError } from '../../base/errors.js'
import { roundHalfEven } from '../../base/rounding.js'

/** Pixels along each side of a patch: DINOv2's ViT-…/14. */
export const patchSize = 14

/** Size of a frame as the network sees it, pixels: multiples of 14. */
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
 * @throws VideoDepthError FRAME_INVALID for frames so elongated that their input size would be below one patch
 */
export function networkInputSize(frameWidth: number, frameHeight: number, inputSize: number): InputSize {
  for (const [name, value] of Object.entries({ frameWidth, frameHeight, inputSize }))
    if (typeof value !== 'number') throw invalidOption('a number of pixels', name, value)
  const ratio = Math.max(frameWidth, frameHeight) / Math.min(frameWidth, frameHeight)
  const target = ratio > 1.78 ? reducedInputSize(inputSize, ratio) : inputSize
  if (target === 0) throw tooElongated(frameWidth, frameHeight, ratio, inputSize)
  const scale = Math.max(target / frameWidth, target / frameHeight)
  return { width: toPatches(scale * frameWidth, target), height: toPatches(scale * frameHeight, target) }
}

/** @returns a multiple of 14, 0 where less than half a patch is left */
function reducedInputSize(inputSize: number, ratio: number): number {
  return roundHalfEven(Math.trunc((inputSize * 1.777) / ratio) / patchSize) * patchSize
}

function tooElongated(width: number, height: number, ratio: number, inputSize: number): VideoDepthError {
  // Half a patch rounds to none (half to even), so more than that has to be left.
  const needed = Math.ceil(((patchSize / 2 + 1) * ratio) / 1.777)
  return new VideoDepthError(
    'FRAME_INVALID',
    `Frames of ${width}×${height} are too elongated (${ratio.toFixed(1)}:1) for an input size of ${inputSize}: ` +
      `crop them, or set inputSize to ${needed} or more`,
  )
}

function toPatches(length: number, least: number): number {
  const rounded = roundHalfEven(length / patchSize) * patchSize
  return rounded < least ? Math.ceil(length / patchSize) * patchSize : rounded
}
