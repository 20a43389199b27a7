// Owns: a clip of a procedural scene, frame after frame.
// Must not know: how a frame is rendered, where it goes.

import { renderFrame, type RenderedFrame, type RenderOptions } from './render.js'
import { createScene } from './scene.js'

export interface SequenceOptions extends Omit<RenderOptions, 'timeMs'> {
  readonly seed: number
  readonly frames: number
  /** Frames per second. */
  readonly frameRate: number
}

/** Renders each frame when it is asked for; nothing is kept. */
export function* renderSequence({ seed, frames, frameRate, ...view }: SequenceOptions): Generator<RenderedFrame, void> {
  const scene = createScene(seed)
  for (let i = 0; i < frames; i++) yield renderFrame(scene, { ...view, timeMs: (i * 1000) / frameRate })
}
