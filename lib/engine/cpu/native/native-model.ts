// Owns: a checkpoint as the addon's own network: weights packed for the processor, tables that a size or a window needs.
// Must not know: how the addon computes, messages, sessions.

import path from 'node:path'
import { setImmediate as breathe } from 'node:timers/promises'
import { encoderPositions, temporalTables } from '../../../prepare/graph/prepare-graphs.js'
import type { PreparedWeights } from '../../../prepare/graph/prepare-weights.js'
import { weightsIndex, type WeightsIndex } from '../../../prepare/graph/weights-file.js'
import type { CpuKernels, NativeCpu, NativeCpuModel } from '../../../native/cpu-types.js'
import type { CpuModel, Grid, Preparation } from '../network.js'
import { NativeNetwork } from './native-network.js'

/** Raised when the layout of a stream's memory or the arithmetic changes: snapshots and checks that are kept are of another one. */
export const nativeVersion = 3

export interface NativeModelOptions {
  readonly kernels: CpuKernels
  readonly precision: 'fp32' | 'int8'
  /** 1…256 */
  readonly threads: number
}

export class NativeModel implements CpuModel {
  readonly #weights: PreparedWeights
  readonly #index: WeightsIndex
  readonly #model: NativeCpuModel
  /** Tables of windows longer than the stored ones, by their length. */
  readonly #tables = new Map<number, readonly Float32Array[]>()

  /** Packs the weights, which blocks the thread. @param weights of precision fp32, whatever is computed with them */
  constructor(native: NativeCpu, weights: PreparedWeights, options: NativeModelOptions) {
    this.#weights = weights
    const { architecture, folder } = weights
    this.#index = weightsIndex(architecture, 'fp32')
    const tensors = Object.fromEntries(
      [...this.#index.tensors].map(([name, { offset, shape }]) => [name, { offset, shape }]),
    )
    const { embedWidth, depth, features, outChannels, temporalLength, taps } = architecture
    this.#model = new native.Model({
      ...options,
      weights: path.join(folder, this.#index.file),
      tensors,
      ...{ embedWidth, depth, features, outChannels, temporalLength, taps },
    })
  }

  async network(grid: Grid, { signal, onProgress }: Preparation): Promise<NativeNetwork> {
    await breathe() // lets an abort in
    signal.throwIfAborted()
    onProgress({ phase: 'sessions', fraction: 0 })
    const positions = await encoderPositions(this.#weights, this.#index, grid)
    const network = this.#model.network(grid.rows, grid.cols, positions ?? null)
    return new NativeNetwork(network, grid, (length) => this.#tablesFor(length))
  }

  /** The weights go with the last network over them. */
  release(): void {
    this.#model.release()
  }

  async #tablesFor(windowLength: number): Promise<readonly Float32Array[] | null> {
    const { temporalLength } = this.#weights.architecture
    if (windowLength <= temporalLength) return null
    const known = this.#tables.get(windowLength)
    if (known !== undefined) return known
    const tables = [...(await temporalTables(this.#weights, this.#index, windowLength)).values()]
    this.#tables.set(windowLength, tables)
    return tables
  }
}
