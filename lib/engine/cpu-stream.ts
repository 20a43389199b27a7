// Owns: one stream in the CPU engine's thread: what it remembers, and the way of one frame.
// Must not know: messages, queues, which frames are remembered.

import { VideoDepthError } from '../errors.js'
import type { NativeAddon, NativePicture } from '../native-types.js'
import { stabilize, unstabilized, type Stabilization } from '../stream/stabilizer.js'
import type { StepPlan } from '../stream/step-plan.js'
import type { CpuNetwork, Features } from './cpu-network.js'
import type { StreamHead, StreamMemory } from './cpu-stream-head.js'
import type { StreamGeometry, StreamState, StreamStepResult } from './engine.js'
import { isFlat } from './is-flat.js'
import type { Floats } from './ort.js'

export class CpuStream {
  readonly #addon: NativeAddon
  readonly #network: CpuNetwork
  readonly #head: StreamHead
  readonly #geometry: StreamGeometry
  readonly #threads: number
  readonly #features: Features
  readonly #map: Floats
  #memory: StreamMemory
  /** The anchor's disparity, where the stream is stabilized and that has come. */
  #reference: Floats | undefined
  #stabilization: Stabilization = unstabilized

  constructor(addon: NativeAddon, network: CpuNetwork, head: StreamHead, geometry: StreamGeometry, threads: number) {
    this.#addon = addon
    this.#network = network
    this.#head = head
    this.#geometry = geometry
    this.#threads = threads
    this.#features = network.newFeatures()
    this.#map = network.newMap()
    this.#memory = head.newMemory()
  }

  /**
   * One frame's depth. Only a finite one is remembered; after an error everything is as before.
   *
   * @param check called between graph runs; throws to stop
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
    const path3 = await this.#head.run(this.#features, this.#memory, plan)
    await check()
    await this.#network.decode(path3, this.#features, this.#map)
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
    const reference = this.#reference?.slice()
    const memory = new Uint8Array(this.#memory.all.slice().buffer)
    return { variant: '', memory, reference, scale, shift }
  }

  /** Takes the arrays over; the memory fills its buffer. */
  importState({ variant, memory, reference, scale, shift }: StreamState): void {
    const { inputWidth, inputHeight } = this.#geometry
    if (
      variant !== '' ||
      memory.byteLength !== this.#head.memoryLength * Float32Array.BYTES_PER_ELEMENT ||
      (reference?.length ?? inputWidth * inputHeight) !== this.#map.length
    )
      throw new VideoDepthError('SNAPSHOT_MISMATCH', 'The state is of another size than this stream')
    this.#memory = this.#head.newMemory(new Float32Array(memory.buffer))
    this.#reference = reference
    this.#stabilization = { scale, shift }
  }

  #stabilized({ first }: StepPlan): Stabilization {
    if (first || this.#reference === undefined) return unstabilized
    return stabilize(this.#stabilization, this.#addon.fitMap(this.#map, this.#reference))
  }

  #remember(plan: StepPlan, stabilization: Stabilization | undefined): void {
    this.#head.commit(this.#memory, plan.write)
    if (stabilization === undefined) return
    this.#stabilization = stabilization
    if (plan.first) this.#reference = undefined
    if (plan.anchor) this.#reference = this.#map.slice()
  }
}
