// Owns: the shape of two maps of one frame that are compared pixel by pixel.
// Must not know: any measure.

import { invalidOption } from '../base/errors.js'

export interface ComparedMaps {
  /** [height, width] the prediction, in the unit that the measure names. */
  readonly prediction: ArrayLike<number>
  /** [height, width] the same of the truth; anything where it does not count. */
  readonly truth: ArrayLike<number>
  /** [height, width] 1 where the truth counts, else 0. */
  readonly valid: Uint8Array
  /** Pixels. */
  readonly width: number
  readonly height: number
}

/** @throws VideoDepthError INVALID_OPTION where an array is not of the size, or the size not that of `like` */
export function checkMaps(maps: ComparedMaps, like?: ComparedMaps): void {
  const { width, height } = maps
  for (const name of ['prediction', 'truth', 'valid'] as const)
    if (maps[name].length !== width * height)
      throw invalidOption(`${width * height} values (${width}×${height})`, name, `${maps[name].length} values`)
  if (like !== undefined && (like.width !== width || like.height !== height))
    throw invalidOption(`${like.width}×${like.height}, as before,`, 'frame', `${width}×${height}`)
}

/** 1/depth for maps of depth, and the other way round. */
export function inverted(maps: ComparedMaps): ComparedMaps {
  const inverse = (values: ArrayLike<number>): Float64Array => {
    const result = new Float64Array(values.length)
    for (let i = 0; i < result.length; i++) result[i] = 1 / (values[i] as number)
    return result
  }
  return { ...maps, prediction: inverse(maps.prediction), truth: inverse(maps.truth) }
}
