// Owns: what becomes of an error from the addon's GPU part, and that a lost GPU stays lost for its engine.
// Must not know: which call failed, plans, videos.

import { again, VideoDepthError, type ErrorCode } from '../../base/errors.js'

const nativeCodes: readonly ErrorCode[] = [
  'GPU_UNAVAILABLE',
  'GPU_OUT_OF_MEMORY',
  'GPU_FAILED',
  'TENSORRT_UNAVAILABLE',
  'PLAN_FAILED',
  'CLOSED',
]

/** Codes with which another engine may do what this one cannot. */
export function isGpuError(error: unknown): error is VideoDepthError {
  return error instanceof VideoDepthError && error.code !== 'CLOSED' && nativeCodes.includes(error.code)
}

/** The addon's errors carry `code`, and `lasting` where the device's context is lost. */
export function gpuError(error: unknown): VideoDepthError {
  if (error instanceof VideoDepthError) return error
  const { code, message, lasting } = fieldsOf(error)
  const known = nativeCodes.find((one) => one === code)
  if (known === 'GPU_OUT_OF_MEMORY') {
    const advice = 'Use a smaller inputSize, fewer videos and streams at once, or backend cpu'
    return new VideoDepthError(known, `The GPU has too little memory left: ${message}. ${advice}`, { cause: error })
  }
  if (known === 'GPU_FAILED') {
    const after = lasting ? '. No GPU work is possible in this process any more: restart it' : ''
    return new VideoDepthError(known, `The GPU reported an error: ${message}${after}`, { cause: error })
  }
  if (known !== undefined) return new VideoDepthError(known, message, { cause: error })
  return new VideoDepthError('ENGINE_FAILED', `The TensorRT engine failed: ${message}`, { cause: error })
}

function fieldsOf(error: unknown): { readonly code: unknown; readonly message: string; readonly lasting: boolean } {
  if (!(error instanceof Error)) return { code: undefined, message: String(error), lasting: false }
  const { code, lasting } = error as { code?: unknown; lasting?: unknown }
  return { code, message: error.message, lasting: lasting === true }
}

/** Every call of one engine to the GPU goes through here. After a failure that lasts, each rejects with it. */
export class GpuGuard {
  #ended: VideoDepthError | undefined

  async call<T>(work: () => Promise<T>): Promise<T> {
    this.assertUsable()
    try {
      return await work()
    } catch (error) {
      const worded = gpuError(error)
      if (fieldsOf(error).lasting) this.#ended ??= worded
      throw worded
    }
  }

  /** @throws VideoDepthError GPU_FAILED or CLOSED, a new one for each caller */
  assertUsable(): void {
    if (this.#ended !== undefined) throw again(this.#ended)
  }

  close(): void {
    this.#ended ??= new VideoDepthError('CLOSED', 'The engine was closed')
  }
}
