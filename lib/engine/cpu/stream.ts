// Owns: one stream in the CPU engine's thread: what it remembers, and the way of one frame.
// Must not know: messages, queues, which frames are remembered.

import { VideoDepthError } from '../../base/errors.js'
import type { NativeAddon } from '../../native/types.js'
import type { NativePicture } from '../../base/pixel-format.js'
import { stabilize, unstabilized, type Stabilization } from '../../plan/stabilizer.js'
import type { StepPlan } from '../../plan/step-plan.js'
import type { StreamGeometry, StreamState, StreamStepResult } from '../engine.js'
import { isFlat } from '../is-flat.js'
import type { CpuNetwork, Floats, StreamMemory } from './network.js'

/** What a stream works with. */
export interface StreamParts {
  readonly addon: Pick<NativeAddon, 'preprocess' | 'upsample' | 'fitMap'>
  /** Loaded for streams. */
  readonly network: CpuNetwork
  /** Which arithmetic and layout its memory is of: StreamState.variant. */
  readonly variant: string
  readonly threads: number
}

export class CpuStream {
  readonly #addon: StreamParts['addon']
  readonly #network: CpuNetwork
  readonly #geometry: StreamGeometry
  readonly #variant: string
  readonly #threads: number
  readonly #features: object
  readonly #map: Floats
  readonly #memory: StreamMemory
  /** The anchor's disparity, where the stream is stabilized and that has come. */
  #reference: Floats | undefined
  #stabilization: Stabilization = unstabilized

  constructor({ addon, network, variant, threads }: StreamParts, geometry: StreamGeometry) {
    this.#addon = addon
    this.#network = network
    this.#geometry = geometry
    this.#variant = variant
    this.#threads = threads
    this.#features = network.newFeatures()
    this.#map = network.newMap()
    this.#memory = network.newMemory()
  }

  /**
   * One frame's depth. Only a finite one is remembered; after an error everything is as before.
   *
   * @param check called between two calls of the network; throws to stop
   */
  async step(
    picture: NativePicture,
    plan: StepPlan,
    check: () => Promise<void>,
  ): Promise<StreamStepResult & { readonly depth: Floats }> {
    const { inputWidth, inputHeight, frameWidth, frameHeight, stabilized } = this.#geometry
    const started = performance.now()
    this.#addon.preprocess(picture, this.#network.pixels, inputWidth, inputHeight, this.#threads)
    const preprocessed = performance.now()
    await this.#network.encode(this.#features)
    await check()
    await this.#network.step(this.#features, this.#memory, plan)
    await check()
    await this.#network.decode(0, this.#features, this.#map)
    const inferred = performance.now()
    const next = stabilized ? this.#stabilized(plan) : undefined
    const { scale, shift } = next ?? unstabilized
    const depth = new Float32Array(frameWidth * frameHeight)
    const nonFinite = this.#addon.upsample(
      this.#map,
      inputWidth,
      inputHeight,
      depth,
      frameWidth,
      frameHeight,
      scale,
      shift,
      this.#threads,
    )
    if (nonFinite === 0) this.#remember(plan, next)
    return {
      depth,
      nonFinite,
      flat: isFlat(this.#map),
      stabilization: next,
      preprocessMs: preprocessed - started,
      inferMs: inferred - preprocessed,
      postMs: performance.now() - inferred,
    }
  }

  exportState(): StreamState {
    const { scale, shift } = this.#stabilization
    return { variant: this.#variant, memory: this.#memory.export(), reference: this.#reference?.slice(), scale, shift }
  }

  /** Takes the reference over. @throws VideoDepthError SNAPSHOT_MISMATCH */
  importState({ variant, memory, reference, scale, shift }: StreamState): void {
    if (variant !== this.#variant) {
      const message = `The state is of another arithmetic (${variant}) than this stream's (${this.#variant})`
      throw new VideoDepthError('SNAPSHOT_MISMATCH', message)
    }
    const fits = (reference?.length ?? this.#map.length) === this.#map.length
    if (!fits) throw new VideoDepthError('SNAPSHOT_MISMATCH', 'The state is of another size than this stream')
    try {
      this.#memory.import(memory)
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause
      throw new VideoDepthError('SNAPSHOT_MISMATCH', 'The state is of another size than this stream', { cause })
    }
    this.#reference = reference
    this.#stabilization = { scale, shift }
  }

  /** Gives its memory back; nothing may be called afterwards. */
  release(): void {
    this.#memory.release()
  }

  #stabilized({ first }: StepPlan): Stabilization {
    if (first || this.#reference === undefined) return unstabilized
    return stabilize(this.#stabilization, this.#addon.fitMap(this.#map, this.#reference))
  }

  #remember(plan: StepPlan, stabilization: Stabilization | undefined): void {
    this.#network.remember(this.#memory, plan.write)
    if (stabilization === undefined) return
    this.#stabilization = stabilization
    if (plan.first) this.#reference = undefined
    if (plan.anchor) this.#reference = this.#map.slice()
  }
}
