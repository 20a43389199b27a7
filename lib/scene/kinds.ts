// Owns: the kinds of scenes that there are.
// Must not know: sequences, pictures.

import { loadAddon } from '../binding.js'
import { invalidOption } from '../errors.js'

export interface SceneKind {
  readonly name: string
  /** The bundled network was never trained on it. */
  readonly heldOut: boolean
}

/** In a fixed order: positions are part of recorded streams. */
export const sceneKinds = (): readonly SceneKind[] => loadAddon().scene.kinds

/** @throws VideoDepthError INVALID_OPTION */
export function kindIndex(name: string): number {
  const kinds = sceneKinds().map((kind) => kind.name)
  const index = kinds.indexOf(name)
  if (index < 0) throw invalidOption(`one of ${kinds.join(', ')}`, 'kind', name)
  return index
}
