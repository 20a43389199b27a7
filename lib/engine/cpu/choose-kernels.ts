// Owns: what computes the network on this processor: the addon's kernels, which of them, or ONNX Runtime.
// Must not know: how either computes, where the addon and the environment come from.

import { expected, invalidOption, optionConflict, VideoDepthError } from '../../base/errors.js'
import type { CpuKernels } from '../../native/cpu-types.js'

export type CpuRuntime = 'onnxruntime' | CpuKernels

/** The CPU's own: float32, or products with weights in 8-bit integers. */
export type CpuPrecision = 'fp32' | 'int8'

/** Environment variable that forces one, for tests, benchmarks and diagnosis. */
export const kernelsVariable = 'VIDEO_DEPTH_CPU'

export interface Processor {
  /** Kernels of this build of the addon that it runs, fastest first; empty where the addon has none. */
  readonly kernels: readonly CpuKernels[]
  /** As the system names it. */
  readonly name: string
}

/**
 * The fastest kernels, ONNX Runtime where there are none; or what is forced. Pure.
 *
 * @param forced of {@link kernelsVariable}; undefined or empty: nothing
 * @throws VideoDepthError INVALID_OPTION listing what may be forced here; PRECISION_UNAVAILABLE for int8 without kernels
 */
export function chooseKernels(processor: Processor, precision: CpuPrecision, forced: string | undefined): CpuRuntime {
  const runtimes = runtimesOf(processor)
  const wanted = forced === '' ? undefined : forced
  const runtime = wanted === undefined ? runtimes[0] : runtimes.find((name) => name === wanted)
  if (runtime === undefined)
    throw invalidOption(`one of ${runtimes.join(', ')} (what this machine has)`, kernelsVariable, wanted)
  if (precision === 'fp32' || runtime !== 'onnxruntime') return runtime
  if (wanted !== undefined)
    throw optionConflict(
      `precision '${precision}' has no effect with ${kernelsVariable}=onnxruntime: remove one of them`,
    )
  throw new VideoDepthError(
    'PRECISION_UNAVAILABLE',
    `${expected('fp32', 'precision', precision)}: int8 needs the addon's own kernels, which this build of it ` +
      `does not have (processor: ${processor.name}). Use precision fp32`,
  )
}

/** What may be chosen, fastest first. */
export function runtimesOf({ kernels }: Processor): readonly [CpuRuntime, ...CpuRuntime[]] {
  const [best, ...others] = kernels
  return best === undefined ? ['onnxruntime'] : [best, ...others, 'onnxruntime']
}
