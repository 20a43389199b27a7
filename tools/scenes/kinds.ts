// Owns: the kinds of scenes that there are.
// Must not know: sequences, pictures.

import { loadScenes } from './addon.js'
import { invalidOption } from '../../dist/esm/base/errors.js'

export interface SceneKind {
  readonly name: string
  /** The bundled network was never trained on it. */
  readonly heldOut: boolean
}

/** In a fixed order: positions are part of recorded streams. */
export const sceneKinds = (): readonly SceneKind[] => loadScenes().kinds

/** @param parameter what the name was given as @throws VideoDepthError INVALID_OPTION */
export function kindIndex(name: string, parameter = 'kind'): number {
  const kinds = sceneKinds().map((kind) => kind.name)
  const index = kinds.indexOf(name)
  if (index < 0) throw invalidOption(`one of ${kinds.join(', ')}`, parameter, name)
  return index
}
