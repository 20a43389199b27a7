// Owns: Engine.id: how it is made, and what of it is the network itself.
// Must not know: engines.

/** What an engine computes, whoever computes it. */
interface NetworkParts {
  /** Of the weights. */
  readonly sha256: string
  /** Version of the graphs that say what the network is. */
  readonly emitterVersion: string
  readonly taps: readonly number[]
}

const networkParts = 3

/** @param arithmetic precision, backend, kernels and version of the layout; without dots each */
export function engineId({ sha256, emitterVersion, taps }: NetworkParts, ...arithmetic: readonly string[]): string {
  return [sha256, emitterVersion, taps.join('-'), ...arithmetic].join('.')
}

/** An id's two parts. */
export function partsOfId(id: string): { readonly network: string; readonly arithmetic: string } {
  const parts = id.split('.')
  return { network: parts.slice(0, networkParts).join('.'), arithmetic: parts.slice(networkParts).join('.') }
}
