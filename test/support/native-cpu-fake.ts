// Owns: a NativeCpu that computes next to nothing, so that what is asked of it and where results go can be seen.
// Must not know: what is tested with it.

import type {
  CpuKernels,
  NativeCpu,
  NativeCpuMemory,
  NativeCpuModel,
  NativeCpuModelOptions,
  NativeCpuNetwork,
} from '../../dist/esm/native/cpu-types.js'

/** A number a slot. */
class FakeMemory implements NativeCpuMemory {
  readonly states: Float32Array<ArrayBuffer>

  constructor(slots: number) {
    this.states = new Float32Array(slots)
  }

  export(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.states.slice().buffer)
  }

  import(state: Uint8Array): void {
    if (state.length !== 4 * this.states.length) throw new RangeError('a state of another size')
    this.states.set(floats(state))
  }

  release(): void {
    this.states.fill(NaN)
  }
}

/** Depth is the frame's first pixel plus what the head makes of the window or of the memory. */
export class FakeNativeNetwork implements NativeCpuNetwork {
  readonly rows: number
  readonly cols: number
  readonly positions: Float32Array | null
  readonly featureBytes = 4
  /** Of `head`, in order. */
  readonly tables: (readonly Float32Array[] | null)[] = []
  readonly steps: { readonly positions: Int32Array; readonly visible: Uint8Array }[] = []
  released = false
  /** Thrown by the next call. */
  failure: Error | undefined
  readonly #gain: number
  #heads: number[] = []
  #state = 0

  constructor(rows: number, cols: number, positions: Float32Array | null, gain: number) {
    this.rows = rows
    this.cols = cols
    this.positions = positions
    this.#gain = gain
  }

  newMemory(slots: number): FakeMemory {
    return new FakeMemory(slots)
  }

  encode(pixels: Float32Array, features: Uint8Array): void {
    this.#fail()
    floats(features)[0] = (pixels[0] ?? NaN) * this.#gain
  }

  /** Each position adds its number. */
  head(window: readonly Uint8Array[], tables: readonly Float32Array[] | null): void {
    this.#fail()
    this.tables.push(tables)
    this.#heads = window.map((_, position) => position)
  }

  /** Adds the sum of the states that are seen. */
  step(features: Uint8Array, memory: FakeMemory, positions: Int32Array, visible: Uint8Array): void {
    this.#fail()
    this.steps.push({ positions, visible })
    this.#heads = [memory.states.reduce((sum, state, slot) => sum + (visible[slot] === 1 ? state : 0), 0)]
    this.#state = floats(features)[0] ?? NaN
  }

  remember(memory: FakeMemory, slots: Int32Array): void {
    for (const slot of slots) memory.states[slot] = this.#state
  }

  decode(position: number, features: Uint8Array, map: Float32Array): void {
    this.#fail()
    const head = this.#heads[position]
    if (head === undefined) throw new Error(`no position ${position}`)
    map.fill((floats(features)[0] ?? NaN) + head)
  }

  release(): void {
    this.released = true
    this.failure = new Error('released')
  }

  #fail(): void {
    const { failure } = this
    this.failure = undefined
    if (failure !== undefined) throw failure
  }
}

function floats({ buffer, byteOffset, byteLength }: Uint8Array): Float32Array {
  return new Float32Array(buffer, byteOffset, byteLength / 4)
}

export class FakeNativeCpu implements NativeCpu {
  readonly kernels: readonly CpuKernels[]
  readonly models: NativeCpuModelOptions[] = []
  readonly networks: FakeNativeNetwork[] = []
  readonly Model: NativeCpu['Model']

  /** @param int8Gain what int8 multiplies features by: 1 is exact */
  constructor(kernels: readonly CpuKernels[] = ['avx2'], int8Gain = 1) {
    this.kernels = kernels
    const { models, networks } = this
    this.Model = class implements NativeCpuModel {
      readonly weightBytes = 1
      readonly #gain: number

      constructor(options: NativeCpuModelOptions) {
        models.push(options)
        this.#gain = options.precision === 'int8' ? int8Gain : 1
      }

      network(rows: number, cols: number, positions: Float32Array | null): FakeNativeNetwork {
        const network = new FakeNativeNetwork(rows, cols, positions, this.#gain)
        networks.push(network)
        return network
      }

      release(): void {
        // It holds nothing.
      }
    }
  }
}
