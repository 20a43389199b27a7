// Owns: from nothing to an opened GPU with TensorRT, or the clear reason why not.
// Must not know: checkpoints, plans.

import { VideoDepthError } from '../../base/errors.js'
import type { GpuDevice, GpuProbe, NativeGpu, NativeGpuEngine } from '../../native/gpu-types.js'
import { gpuError } from './gpu-error.js'

/** What to do is `video-depth doctor`'s to say. */
const advice = 'video-depth doctor says what is missing and how to install it'

/** Our kernels begin there, and so does TensorRT from 10.5 on. */
export const leastComputeCapability = '7.5'

export function isTooOld({ computeCapability }: GpuDevice): boolean {
  return Number(computeCapability) < Number(leastComputeCapability)
}

export interface GpuOptions {
  /** CUDA's index. */
  readonly device: number
  /** Folders searched for TensorRT before the system's places. */
  readonly tensorrtPath: readonly string[]
}

export interface OpenedGpu {
  readonly native: NativeGpuEngine
  /** CUDA's version that the addon was built with. */
  readonly cuda: string
}

/** @throws VideoDepthError GPU_UNAVAILABLE, TENSORRT_UNAVAILABLE, GPU_OUT_OF_MEMORY, GPU_FAILED */
export async function openGpu(gpu: NativeGpu | null, { device, tensorrtPath }: GpuOptions): Promise<OpenedGpu> {
  if (gpu === null) {
    const message = `The native addon was built without CUDA or without TensorRT's headers; ${advice}`
    throw new VideoDepthError('TENSORRT_UNAVAILABLE', message)
  }
  try {
    checkProbe(await gpu.probe(tensorrtPath), device)
    return { native: await gpu.open(device, tensorrtPath), cuda: gpu.compiled.cuda }
  } catch (error) {
    throw gpuError(error)
  }
}

function checkProbe({ driver, problem, devices, tensorRt }: GpuProbe, device: number): void {
  if (driver === '' || problem !== '' || devices.length === 0) {
    const reason = problem === '' ? 'there is none' : problem
    throw new VideoDepthError('GPU_UNAVAILABLE', `No NVIDIA GPU can be used: ${reason}; ${advice}`)
  }
  const wanted = devices.find(({ index }) => index === device)
  if (wanted === undefined) {
    const there = devices.map(({ index, name }) => `${index} (${name})`).join(', ')
    throw new VideoDepthError(
      'GPU_UNAVAILABLE',
      `Expected a GPU that is there for device, received ${device}: ${there}`,
    )
  }
  if (isTooOld(wanted)) {
    const { name, computeCapability } = wanted
    throw new VideoDepthError(
      'GPU_UNAVAILABLE',
      `Expected a GPU of compute capability ${leastComputeCapability} or later for device, ` +
        `received ${device} (${name}, compute capability ${computeCapability})`,
    )
  }
  if (tensorRt.some((report) => report.problem === '')) return
  const reasons = tensorRt.map(({ major, problem: why }) => `version ${major}: ${why}`).join('; ')
  throw new VideoDepthError('TENSORRT_UNAVAILABLE', `No TensorRT can be used: ${reasons}; ${advice}`)
}
