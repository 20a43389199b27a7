// Owns: which engine runs a model, and at which size.
// Must not know: how any engine works.

import { loadAddon } from '../native/addon.js'
import type { VideoDepthError } from '../base/errors.js'
import type { NativeGpu } from '../native/gpu-types.js'
import type { NativeAddon } from '../native/types.js'
import { networkInputSize } from '../prepare/checkpoint/input-size.js'
import { defaultInputSize } from '../prepare/checkpoint/recipe.js'
import type { BackendChoice, CheckedLoadOptions, Precision } from './load-options.js'
import { CpuEngine, type CpuEngineOptions } from './cpu/cpu-engine.js'
import type { EngineFallback } from './engine-info.js'
import type { Engine, EngineHost } from './engine.js'
import { isGpuError } from './tensorrt/gpu-error.js'
import { TensorRtEngine, type TensorRtEngineOptions, type TensorRtParts } from './tensorrt/tensorrt-engine.js'

export type EngineOptions = Omit<CpuEngineOptions, 'precision' | 'fallback' | 'workerFile'> &
  Omit<TensorRtEngineOptions, 'device' | 'precision'> & {
    /** Undefined: the first one, and `auto` may do without. */
    readonly device: number | undefined
    /** `auto`: TensorRT where it opens, else the CPU. */
    readonly backend: BackendChoice
    /** Undefined: the backend's own. */
    readonly precision?: Precision | undefined
  }

/** What `VideoDepth` holds. Throws as openEngine. */
export async function openHost(options: CheckedLoadOptions): Promise<EngineHost> {
  const engine = await openEngine(options)
  const side = options.inputSize ?? defaultInputSize(engine.architecture)
  return {
    engine,
    kind: options.metric ? 'metric' : 'disparity',
    inputSize: (width, height) => networkInputSize(width, height, side),
  }
}

/** int8 never looks for a GPU. @param parts others only in tests */
export async function openEngine(options: EngineOptions, parts: TensorRtParts = nativeParts()): Promise<Engine> {
  const { backend, precision, device } = options
  if (precision === 'int8') return CpuEngine.load({ ...options, precision }) // the processor's alone
  if (backend === 'cpu') return CpuEngine.load({ ...options, precision: 'fp32' })
  try {
    return await TensorRtEngine.load({ ...options, precision, device: device ?? 0 }, parts)
  } catch (error) {
    // The processor has no FP16: who asks for it wants the GPU or to be told.
    if (backend === 'tensorrt' || precision === 'fp16' || !isGpuError(error)) throw error
    if (device !== undefined && error.code === 'GPU_UNAVAILABLE') throw error // nor is another GPU meant
    const fallback = await explained(error, parts.gpu, options.tensorrtPath)
    return CpuEngine.load({ ...options, precision: 'fp32', fallback })
  }
}

function nativeParts(): TensorRtParts {
  return { gpu: nativeGpu() }
}

/** `null` also of an addon that was built before there was a GPU part. @throws VideoDepthError ADDON_UNAVAILABLE */
export function nativeGpu(): NativeGpu | null {
  return (loadAddon() as Partial<NativeAddon>).gpu ?? null
}

async function explained(
  { code, message }: VideoDepthError,
  gpu: NativeGpu | null,
  folders: readonly string[],
): Promise<EngineFallback> {
  const driver = gpu === null ? '' : (await gpu.probe(folders)).driver
  return { code, reason: message, isSurprising: driver !== '' }
}
