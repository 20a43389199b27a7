// Owns: one video in windows on a GPU, as the engine's users see it.
// Must not know: windows' meaning, how plans came about, what else runs on the device.

import { counted } from '../../base/counted.js'
import { again, VideoDepthError } from '../../base/errors.js'
import { Lifetime } from '../../base/lifetime.js'
import type { RgbFrame } from '../../base/frame.js'
import type { NativeDecodeResult, NativeGpuWindows } from '../../native/gpu-types.js'
import type { StitchStep } from '../../native/types.js'
import { rgbPicture } from '../../base/pixel-format.js'
import { unlessAborted } from '../../base/unless-aborted.js'
import type { EngineSession, EngineTimings, SessionGeometry, StitchedFrames, WindowDepth } from '../engine.js'
import type { GpuGuard } from './gpu-error.js'
import type { PlanSet } from './plan-sets.js'

/** The maps stay on the device; this is what is known of them. */
interface DeviceDepth extends WindowDepth {
  readonly found: NativeDecodeResult
}

export class TensorRtSession implements EngineSession {
  readonly geometry: SessionGeometry
  readonly #native: NativeGpuWindows
  readonly #guard: GpuGuard
  readonly #set: PlanSet
  readonly #onClose: () => void
  readonly #life = new Lifetime(() => this.#release())
  /** Out of memory: what this session holds has been freed. */
  #poison: VideoDepthError | undefined

  constructor(
    native: NativeGpuWindows,
    geometry: SessionGeometry,
    { guard, set, onClose }: { readonly guard: GpuGuard; readonly set: PlanSet; readonly onClose: () => void },
  ) {
    this.#native = native
    this.geometry = geometry
    this.#guard = guard
    this.#set = set
    this.#onClose = onClose
  }

  get timings(): EngineTimings {
    const { preprocess, encode, temporalHead, depthDecoder, stitch } = this.#native.deviceMs
    return {
      preprocess: preprocess / 1000,
      encode: encode / 1000,
      temporalHead: temporalHead / 1000,
      depthDecoder: depthDecoder / 1000,
      stitch: stitch / 1000,
    }
  }

  encode(frame: RgbFrame, slot: number): Promise<void> {
    return this.#call(() => this.#native.encode(rgbPicture(frame), slot))
  }

  async decode(slots: readonly number[], wanted: readonly number[]): Promise<WindowDepth> {
    const found = await this.#call(() => this.#native.decode(slots, wanted))
    const depth: DeviceDepth = { backend: 'tensorrt', found }
    return depth
  }

  async stitch(depth: WindowDepth, step: StitchStep): Promise<StitchedFrames> {
    const { found } = depth as DeviceDepth
    if (found.nonFinite > 0)
      await this.#set.suspect(
        `${counted(found.nonFinite, 'value of a window was', 'values of a window were')} not finite`,
      )
    const result = await this.#call(() => this.#native.stitch(step))
    const nonFinite = Math.max(result.nonFinite, found.nonFinite)
    return { ...result, nonFinite, flat: found.flat.length }
  }

  close(): Promise<void> {
    return this.#life.end(new VideoDepthError('CLOSED', 'It was closed'))
  }

  async #release(): Promise<void> {
    try {
      await this.#native.close()
    } catch {
      // The engine or its device is gone, and the session with it.
    }
    this.#set.release()
    this.#onClose()
  }

  async #call<T>(work: () => Promise<T>): Promise<T> {
    const { signal } = this.#life
    signal.throwIfAborted()
    if (this.#poison !== undefined) throw again(this.#poison)
    try {
      return await unlessAborted(this.#guard.call(work), signal)
    } catch (error) {
      if (error instanceof VideoDepthError && error.code === 'GPU_OUT_OF_MEMORY') {
        this.#poison = error
        this.#native.close().catch(() => undefined) // frees what it can now, not when somebody closes it
      }
      throw error
    }
  }
}
