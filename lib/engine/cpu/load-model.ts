// Owns: a checkpoint's way into a model that computes: weights, who computes, its identity.
// Must not know: messages, sessions, how a model computes.

import { emitterVersion } from '../../prepare/graph/builder.js'
import { prepareWeights, type PreparedWeights } from '../../prepare/graph/prepare-weights.js'
import type { CpuKernels, NativeCpu } from '../../native/cpu-types.js'
import type { NativeAddon } from '../../native/types.js'
import { engineId } from '../engine-id.js'
import type { DepthErrorFigures } from '../engine-info.js'
import type { CpuPrecision } from './choose-kernels.js'
import { NativeModel, nativeVersion } from './native/native-model.js'
import type { CpuModel, Preparation } from './network.js'
import { calibrationClip, clipFrames, clipGrid, clipVersion } from './quantization/calibration-clip.js'
import { CheckRecord } from './quantization/check-record.js'
import { clipDepth } from './quantization/clip-depth.js'
import { checkedInt8 } from './quantization/int8-check.js'

export interface ModelOptions {
  readonly checkpoint: string
  readonly cacheDir: string | undefined
  readonly weightsKey?: string | undefined
  readonly precision: CpuPrecision
  readonly kernels: CpuKernels
  readonly threads: number
  /** The checkpoint is taken for a metric one, or not: as in PrepareWeightsOptions, and int8 is judged by it. */
  readonly metric: boolean | undefined
}

export interface ModelParts {
  readonly addon: Pick<NativeAddon, 'version' | 'preprocess'>
  readonly native: NativeCpu | null
}

export interface LoadedModel {
  readonly model: CpuModel
  readonly weights: PreparedWeights
  /** Engine.id */
  readonly id: string
  /** StreamState.variant of its streams' memories. */
  readonly variant: string
  /** How far int8 is from float32. */
  readonly check: DepthErrorFigures | undefined
}

/** @throws VideoDepthError as prepareWeights and, for int8, as checkedInt8; the reason of an aborted signal */
export async function loadModel(
  options: ModelOptions,
  { addon, native }: ModelParts,
  preparation: Preparation,
): Promise<LoadedModel> {
  const { checkpoint, cacheDir, weightsKey, metric, precision, kernels, threads } = options
  const weights = await prepareWeights({
    ...{ checkpoint, cacheDir, weightsKey, metric, precision: 'fp32', ...preparation },
  })
  const variant = variantOf(kernels, precision)
  const { sha256, architecture } = weights
  const id = engineId({ sha256, emitterVersion, taps: architecture.taps }, precision, `cpu-${variant}`)
  const found = { weights, id, variant, check: undefined }
  const pack = packing(native, kernels, weights, threads, preparation)
  if (precision === 'fp32') return { ...found, model: pack('fp32') }
  return { ...found, ...(await checked(options, kernels, weights, addon, pack, preparation)) }
}

type Pack = (precision: CpuPrecision) => NativeModel

function packing(
  native: NativeCpu | null,
  kernels: CpuKernels,
  weights: PreparedWeights,
  threads: number,
  { onProgress }: Preparation,
): Pack {
  return (precision) => {
    if (native === null) throw new Error(`no kernels ${kernels} in this addon`)
    onProgress({ phase: 'sessions', fraction: 0 })
    return new NativeModel(native, weights, { kernels, precision, threads })
  }
}

function checked(
  { metric = false, threads }: ModelOptions,
  kernels: CpuKernels,
  { folder, architecture }: PreparedWeights,
  addon: ModelParts['addon'],
  load: Pack,
  { signal, onProgress }: Preparation,
): Promise<{ model: NativeModel; check: DepthErrorFigures }> {
  const { taps } = architecture
  const record = new CheckRecord(folder, {
    kernels,
    taps,
    metric,
    versions: [addon.version, nativeVersion, clipVersion],
  })
  return checkedInt8({
    ...{ metric, record, load, onProgress },
    release: (model) => model.release(),
    depth: (model, tell) =>
      clipDepth(model, {
        ...{ clip: calibrationClip(), frames: clipFrames, grid: clipGrid, threads, addon, signal },
        onProgress: tell,
      }),
  })
}

/** Which arithmetic and layout a stream's memory is of. */
export function variantOf(kernels: CpuKernels, precision: CpuPrecision): string {
  return `${kernels}-${precision}-v${nativeVersion}`
}
