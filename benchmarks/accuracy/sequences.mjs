// Owns: the sequences that accuracy is measured on: none of them was trained on.
// Must not know: networks, scores.

import { sceneKinds } from '../../dist-tools/scenes/kinds.js'
import { renderClip } from '../../dist-tools/scenes/sequence.js'

/** Training takes seeds below a million. */
const firstSeed = 9_000_000
const perKind = 5

/** As the network sees them: 9 × 12 patches. */
export const size = { width: 168, height: 126 }
export const frameRate = 24

/** Forty: five of each kind of place, two of the eight never trained on. Jumbles, of no place, are for training alone. */
export function heldOut() {
  return sceneKinds().flatMap(({ name, heldOut: unseen }, kind) =>
    name === 'jumble'
      ? []
      : Array.from({ length: perKind }, (_, i) => ({ kind: name, unseen, seed: firstSeed + 100 * kind + i })),
  )
}

/** One of each kind. */
export const oneOfEach = () => heldOut().filter((_, i) => i % perKind === 0)

export const nameOf = ({ kind, seed }) => `${kind}-${seed}`

/** All frames, with truth. @param more of `renderClip` */
export function render({ kind, seed }, frames, more = {}) {
  return renderClip({ ...size, frameRate, kind, seed, frames, ...more })
}
