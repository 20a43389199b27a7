// Owns: what `doctor` says of the kernels that would compute on this processor.
// Must not know: how they compute, GPUs.

import { VideoDepthError } from '../../base/errors.js'
import { chooseKernels, kernelsVariable, type Processor } from '../../engine/cpu/choose-kernels.js'
import type { Finding } from './finding.js'

/** @param forced value of {@link kernelsVariable} */
export function processorFinding(processor: Processor, forced: string | undefined): Finding {
  const part = 'processor'
  try {
    const chosen = chooseKernels(processor, forced)
    const isForced = forced !== undefined && forced !== ''
    return { part, ok: true, detail: `${chosen} kernels (float32, int8)${isForced ? `, by ${kernelsVariable}` : ''}` }
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    const isMistaken = error instanceof VideoDepthError && error.code === 'INVALID_OPTION'
    const remedy = isMistaken ? `unset ${kernelsVariable}` : 'CXX=g++ npm run build:addon'
    return { part, ok: false, detail, remedy }
  }
}
