// Owns: which of the addon's kernels compute the network on this processor.
// Must not know: how they compute, where the addon and the environment come from.

import { invalidOption, VideoDepthError } from '../../base/errors.js'
import type { CpuKernels } from '../../native/cpu-types.js'

/** The CPU's own: float32, or products with weights in 8-bit integers. */
export type CpuPrecision = 'fp32' | 'int8'

/** Environment variable that forces kernels, for tests, benchmarks and diagnosis. */
export const kernelsVariable = 'VIDEO_DEPTH_CPU'

export interface Processor {
  /** Kernels of this build of the addon that it runs, fastest first; empty where the addon has none. */
  readonly kernels: readonly CpuKernels[]
  /** As the system names it. */
  readonly name: string
}

/**
 * The fastest kernels, or what is forced. Pure.
 *
 * @param forced of {@link kernelsVariable}; undefined or empty: nothing
 * @throws VideoDepthError ADDON_UNAVAILABLE without kernels; INVALID_OPTION listing what may be forced here
 */
export function chooseKernels({ kernels, name }: Processor, forced: string | undefined): CpuKernels {
  const [best] = kernels
  if (best === undefined)
    throw new VideoDepthError(
      'ADDON_UNAVAILABLE',
      `The addon was built without kernels for processors (this one is ${name}), which need GCC or Clang. Build it with one of them`,
    )
  if (forced === undefined || forced === '') return best
  const found = kernels.find((set) => set === forced)
  if (found !== undefined) return found
  throw invalidOption(`one of ${kernels.join(', ')} (what this machine has)`, kernelsVariable, forced)
}
