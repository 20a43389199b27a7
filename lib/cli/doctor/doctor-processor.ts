// Owns: what `doctor` says of the kernels that would compute on this processor.
// Must not know: how they compute, GPUs.

import { chooseKernels, kernelsVariable, type Processor } from '../../engine/cpu/choose-kernels.js'
import type { Finding } from './finding.js'

/** @param forced value of {@link kernelsVariable} */
export function processorFinding(processor: Processor, forced: string | undefined): Finding {
  const part = 'processor'
  try {
    const chosen = chooseKernels(processor, 'fp32', forced)
    const isForced = forced !== undefined && forced !== ''
    if (chosen === 'onnxruntime') {
      const why = isForced ? `${kernelsVariable} says` : 'the addon was built without kernels for processors'
      return { part, ok: true, detail: `ONNX Runtime, as ${why}` }
    }
    return { part, ok: true, detail: `${chosen} kernels (float32, int8)${isForced ? `, by ${kernelsVariable}` : ''}` }
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    return { part, ok: false, detail, remedy: `unset ${kernelsVariable}` }
  }
}
