// Owns: the networks of one model that are loaded, by input size.
// Must not know: messages, sessions, videos, what computes a network.

import { patchSize } from '../../prepare/checkpoint/input-size.js'
import type { CpuModel, CpuNetwork, Preparation } from './network.js'

/** Network input, pixels, multiples of 14. */
export interface InputGeometry {
  readonly inputWidth: number
  readonly inputHeight: number
}

export class CpuNetworks {
  readonly #model: CpuModel
  /** By input size. */
  readonly #networks = new Map<string, CpuNetwork>()

  constructor(model: CpuModel) {
    this.#model = model
  }

  /** @param used networks that must stay */
  async forWindows(
    geometry: InputGeometry & { readonly windowLength: number },
    used: ReadonlySet<CpuNetwork>,
    preparation: Preparation,
  ): Promise<CpuNetwork> {
    const network = await this.#network(geometry, used, preparation)
    await network.loadWindows(geometry.windowLength, preparation)
    return network
  }

  /** @param used networks that must stay */
  async forStreams(
    geometry: InputGeometry,
    used: ReadonlySet<CpuNetwork>,
    preparation: Preparation,
  ): Promise<CpuNetwork> {
    const network = await this.#network(geometry, used, preparation)
    await network.loadStreams(preparation)
    return network
  }

  async #network(
    { inputWidth, inputHeight }: InputGeometry,
    used: ReadonlySet<CpuNetwork>,
    preparation: Preparation,
  ): Promise<CpuNetwork> {
    const key = `${inputWidth}x${inputHeight}`
    const known = this.#networks.get(key)
    if (known !== undefined) return known
    await this.#releaseAllBut(used)
    const grid = { rows: inputHeight / patchSize, cols: inputWidth / patchSize }
    const network = await this.#model.network(grid, preparation)
    this.#networks.set(key, network)
    return network
  }

  /** A size that nobody uses is kept until another one is asked for. */
  async #releaseAllBut(used: ReadonlySet<CpuNetwork>): Promise<void> {
    for (const [key, network] of this.#networks) {
      if (used.has(network)) continue
      this.#networks.delete(key)
      await network.release()
    }
  }
}
