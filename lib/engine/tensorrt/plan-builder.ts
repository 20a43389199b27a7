// Owns: one plan: found in the cache or built now, with progress and cancelling, and loaded.
// Must not know: which plans belong together, whether their numbers are right.

import { VideoDepthError } from '../../base/errors.js'
import { emitterVersion } from '../../prepare/graph/builder.js'
import type { NativeGpuEngine, NativePlan } from '../../native/gpu-types.js'
import type { GpuGuard } from './gpu-error.js'
import type { Preparation } from '../engine.js'
import type { GraphSource } from './graph-source.js'
import { planName, type BuildTarget, type PlanCache, type PlanKey } from './plan-cache.js'
import type { GraphRequest } from './plan-spec.js'

/** TensorRT's own default; higher levels search longer. */
const optimizationLevel = 3
/** Scratch memory that a tactic may ask for: no more than half of the device's. */
const mostWorkspaceBytes = 4 * 2 ** 30

export interface LoadedPlan {
  readonly plan: NativePlan
  /** Hex. */
  readonly sha256: string
  /** Name in the cache's folder. */
  readonly file: string
  readonly wasBuilt: boolean
  /** When it was built, now or earlier. */
  readonly buildSeconds: number
}

export class PlanBuilder {
  readonly #native: NativeGpuEngine
  readonly #guard: GpuGuard
  readonly #cache: PlanCache
  readonly #target: BuildTarget

  constructor(native: NativeGpuEngine, guard: GpuGuard, cache: PlanCache, target: BuildTarget) {
    this.#native = native
    this.#guard = guard
    this.#cache = cache
    this.#target = target
  }

  /**
   * A plan that the library refuses to load is built again, once.
   *
   * @param onProgress `fraction` of this plan
   */
  async load(graphs: GraphSource, request: GraphRequest, preparation: Preparation): Promise<LoadedPlan> {
    const { path, sha256: graphSha256, ports } = await graphs.graph(request)
    const { sha256: checkpointSha256 } = await graphs.weights(request.form.weights)
    const key = this.#key(request, graphSha256, checkpointSha256, { ...ports.inputs, ...ports.outputs })
    const cached = await this.#cache.find(key)
    if (cached !== undefined) {
      const plan = await this.#accepted(cached.data)
      const { sha256, buildSeconds } = cached.record
      if (plan !== undefined) return { plan, sha256, file: planName(key), wasBuilt: false, buildSeconds }
    }
    return this.#build(path, key, request.label, preparation)
  }

  /** Removes plans that turned out wrong. Best effort: they only take room. */
  async forget(files: Iterable<string>): Promise<void> {
    await this.#cache.remove(files).catch(() => undefined)
  }

  #key(request: GraphRequest, graphSha256: string, checkpoint: string, shapes: PlanKey['shapes']): PlanKey {
    const { weights } = request.form
    const options = { optimizationLevel, workspaceBytes: this.#workspaceBytes(), tf32: false }
    return { ...this.#target, graphSha256, weights: `${checkpoint}.v${emitterVersion}.${weights}`, shapes, options }
  }

  #workspaceBytes(): number {
    return Math.min(mostWorkspaceBytes, Math.floor(this.#native.device.memoryBytes / 2))
  }

  async #accepted(data: Uint8Array): Promise<NativePlan | undefined> {
    try {
      return await this.#guard.call(() => this.#native.loadPlan(data))
    } catch (error) {
      if (error instanceof VideoDepthError && error.code === 'PLAN_FAILED') return undefined
      throw error
    }
  }

  async #build(onnxPath: string, key: PlanKey, label: string, preparation: Preparation): Promise<LoadedPlan> {
    const started = performance.now()
    const timingCache = await this.#cache.timings(this.#target)
    const request = { onnxPath, workspaceBytes: this.#workspaceBytes(), optimizationLevel, timingCache }
    const { plan: data, timingCache: timings } = await this.#cancellable(preparation, (onProgress) =>
      this.#native.build(request, onProgress),
    )
    const buildSeconds = (performance.now() - started) / 1000
    const sha256 = await this.#cache.store(key, data, { label, buildSeconds })
    if (timings.length > 0) await this.#cache.storeTimings(this.#target, timings).catch(() => undefined) // only saves time
    const plan = await this.#guard.call(() => this.#native.loadPlan(data))
    return { plan, sha256, file: planName(key), wasBuilt: true, buildSeconds }
  }

  /** Rejects with the signal's reason once TensorRT has stopped, so that nothing of the build is left. */
  async #cancellable<T>(
    { signal, onProgress }: Preparation,
    build: (onProgress: (phase: string, fraction: number) => void) => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted()
    let failed: { readonly error: unknown } | undefined
    const cancel = (): void => this.#native.cancelBuild()
    const report = (phase: string, fraction: number): void => {
      if (signal.aborted || failed !== undefined) return
      try {
        onProgress({ phase: 'plans', fraction, detail: phase })
      } catch (error) {
        failed = { error }
        cancel()
      }
    }
    signal.addEventListener('abort', cancel, { once: true })
    try {
      const built = await this.#guard.call(() => build(report))
      signal.throwIfAborted()
      if (failed === undefined) return built
    } catch (error) {
      signal.throwIfAborted()
      if (failed === undefined) throw error
    } finally {
      signal.removeEventListener('abort', cancel)
    }
    throw failed.error
  }
}
