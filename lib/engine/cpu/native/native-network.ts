// Owns: the network at one size as the addon computes it: buffers in its layouts, plans in its types.
// Must not know: how the addon computes, weights, messages, videos.

import { VideoDepthError } from '../../../base/errors.js'
import { patchSize } from '../../../prepare/checkpoint/input-size.js'
import type { NativeCpuMemory, NativeCpuNetwork } from '../../../native/cpu-types.js'
import { stateSlots, type StepPlan } from '../../../plan/step-plan.js'
import type { Bytes, CpuNetwork, Floats, Grid } from '../network.js'

/** Temporal position tables of windows of a length: `null` where the stored ones suffice. */
export type TableSource = (windowLength: number) => Promise<readonly Float32Array[] | null>

/** The addon's calls are synchronous: what they throw rejects here. */
export class NativeNetwork implements CpuNetwork<Bytes, NativeCpuMemory> {
  readonly pixels: Floats
  readonly #native: NativeCpuNetwork
  readonly #tableSource: TableSource
  readonly #mapLength: number
  /** By window length. */
  readonly #tables = new Map<number, readonly Float32Array[] | null>()

  constructor(native: NativeCpuNetwork, { rows, cols }: Grid, tableSource: TableSource) {
    this.#native = native
    this.#tableSource = tableSource
    this.#mapLength = rows * cols * patchSize ** 2
    this.pixels = new Float32Array(3 * this.#mapLength)
  }

  newFeatures(): Bytes {
    return new Uint8Array(this.#native.featureBytes)
  }

  newMap(): Floats {
    return new Float32Array(this.#mapLength)
  }

  newMemory(): NativeCpuMemory {
    return this.#native.newMemory(stateSlots)
  }

  async loadWindows(length: number): Promise<void> {
    if (!this.#tables.has(length)) this.#tables.set(length, await this.#tableSource(length))
  }

  loadStreams(): Promise<void> {
    return Promise.resolve()
  }

  encode(features: Bytes): Promise<void> {
    return settled(() => this.#native.encode(this.pixels, features))
  }

  head(window: readonly Bytes[]): Promise<void> {
    return settled(() => {
      const tables = this.#tables.get(window.length)
      if (tables === undefined) throw new VideoDepthError('ENGINE_FAILED', `no head for a window of ${window.length}`)
      this.#native.head(window, tables)
    })
  }

  step(features: Bytes, memory: NativeCpuMemory, { positions, visible }: StepPlan): Promise<void> {
    const seen = Uint8Array.from(visible, Number)
    return settled(() => this.#native.step(features, memory, Int32Array.from(positions), seen))
  }

  remember(memory: NativeCpuMemory, slots: readonly number[]): void {
    this.#native.remember(memory, Int32Array.from(slots))
  }

  decode(position: number, features: Bytes, map: Floats): Promise<void> {
    return settled(() => this.#native.decode(position, features, map))
  }

  release(): Promise<void> {
    this.#native.release()
    return Promise.resolve()
  }
}

/** Runs a call that has ended when this returns. */
function settled(call: () => void): Promise<void> {
  return new Promise((resolve) => {
    call()
    resolve()
  })
}
