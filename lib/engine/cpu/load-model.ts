// Owns: a checkpoint's way into a model that computes: weights, who computes, its identity.
// Must not know: messages, sessions, how a model computes.

import { emitterVersion } from '../../graph/builder.js'
import { prepareWeights, type PreparedWeights } from '../../graph/prepare-weights.js'
import type { NativeCpu } from '../../native-cpu-types.js'
import type { DepthErrorFigures } from '../engine-info.js'
import type { CpuPrecision, CpuRuntime } from './choose-kernels.js'
import { NativeModel, nativeVersion } from './native/native-model.js'
import type { CpuModel, Preparation } from './network.js'
import { OrtModel } from './ort/ort-model.js'
import type { RunGate } from './ort/run-gate.js'

export interface ModelOptions {
  readonly checkpoint: string
  readonly cacheDir: string | undefined
  readonly taps: readonly number[] | undefined
  /** int8 with the addon's kernels alone. */
  readonly precision: CpuPrecision
  readonly kernels: CpuRuntime
  readonly threads: number
}

export interface ModelParts {
  readonly native: NativeCpu | null
  readonly gate: RunGate
}

export interface LoadedModel {
  readonly model: CpuModel
  readonly weights: PreparedWeights
  /** Engine.id */
  readonly id: string
  /** Of its streams' memories: StreamState.variant. */
  readonly variant: string
  /** Of int8 against float32. */
  readonly check: DepthErrorFigures | undefined
}

/** @throws VideoDepthError as prepareWeights; the reason of an aborted signal */
export async function loadModel(
  options: ModelOptions,
  { native, gate }: ModelParts,
  { signal, onProgress }: Preparation,
): Promise<LoadedModel> {
  const { checkpoint, cacheDir, taps, precision, kernels, threads } = options
  const weights = await prepareWeights({
    ...{ checkpoint, precision: 'fp32', signal, onProgress },
    ...(cacheDir !== undefined && { cacheDir }),
    ...(taps !== undefined && { taps }),
  })
  const variant = variantOf(kernels, precision)
  const id = [weights.sha256, emitterVersion, weights.architecture.taps.join('-'), precision, idOf(variant)].join('.')
  if (kernels === 'onnxruntime')
    return { model: new OrtModel(weights, threads, gate), weights, id, variant, check: undefined }
  if (native === null) throw new Error(`no kernels ${kernels} in this addon`)
  onProgress({ phase: 'sessions', fraction: 0 })
  return {
    model: new NativeModel(native, weights, { kernels, precision, threads }),
    weights,
    id,
    variant,
    check: undefined,
  }
}

/** Which arithmetic and layout a stream's memory is of; empty for ONNX Runtime's. */
export function variantOf(kernels: CpuRuntime, precision: CpuPrecision): string {
  return kernels === 'onnxruntime' ? '' : `${kernels}-${precision}-v${nativeVersion}`
}

const idOf = (variant: string): string => (variant === '' ? 'cpu' : `cpu-${variant}`)
