// Owns: a clip of procedural scenes, frame after frame, and its cuts.
// Must not know: how a picture is drawn, where it goes.

import { loadScenes } from './addon.js'
import type { NativeRenderedPicture, NativeScene } from './native-types.js'
import { kindIndex } from './kinds.js'
import type { RenderedFrame } from './rendered-frame.js'
import { checkSequence, type CheckedSequence, type SequenceOptions } from './sequence-options.js'

/** Pictures drawn ahead of the one that is asked for, so that two cores have something to do. */
const ahead = 2
/** Spreads the seeds of a clip's scenes. */
const seedStride = 1_000_003

/**
 * Renders a little ahead of what is asked for; nothing is kept.
 *
 * @throws VideoDepthError INVALID_OPTION at once
 */
export function renderSequence(options: SequenceOptions): AsyncGenerator<RenderedFrame, void> {
  const checked = checkSequence(options)
  return drawn(new Clip(checked), checked.frames)
}

async function* drawn(clip: Clip, frames: number): AsyncGenerator<RenderedFrame, void> {
  const drawing: Promise<RenderedFrame>[] = []
  try {
    for (let i = 0; i < frames + ahead; i++) {
      if (i < frames) drawing.push(handled(clip.draw(i)))
      if (i < ahead) continue
      const next = drawing.shift()
      if (next !== undefined) yield await next
    }
  } finally {
    await Promise.allSettled(drawing)
  }
}

/** A picture that fails before it is asked for is told when it is, and does not end the process. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  return promise
}

/** The whole clip, in memory. */
export async function renderClip(options: SequenceOptions): Promise<RenderedFrame[]> {
  const frames: RenderedFrame[] = []
  for await (const frame of renderSequence(options)) frames.push(frame)
  return frames
}

class Clip {
  readonly #options: CheckedSequence
  readonly #kind: number
  #scene: NativeScene | undefined
  #shot = -1

  constructor(options: CheckedSequence) {
    this.#options = options
    this.#kind = kindIndex(options.kind)
  }

  async draw(index: number): Promise<RenderedFrame> {
    const { frameRate, width, height, cutEvery, seed, startSeconds, stillCamera, antialias, shutter, noise, flow } =
      this.#options
    const shot = cutEvery === undefined ? 0 : Math.floor(index / cutEvery)
    const scene = this.#sceneOf(shot)
    const seconds = startSeconds + index / frameRate
    const isLast = cutEvery !== undefined && (index + 1) % cutEvery === 0
    const picture = await scene.render({
      width,
      height,
      seconds,
      cameraSeconds: stillCamera ? startSeconds : null,
      antialias,
      shutter: shutter / frameRate,
      noise,
      noiseSeed: (seed + index) % 2 ** 32,
      flowTo: flow && !isLast ? seconds + 1 / frameRate : null,
    })
    return toFrame(picture, scene.moving, { width, height, timestampMs: (index * 1000) / frameRate })
  }

  #sceneOf(shot: number): NativeScene {
    if (shot !== this.#shot || this.#scene === undefined) {
      this.#scene = new (loadScenes().Scene)(this.#kind, this.#options.seed + shot * seedStride)
      this.#shot = shot
    }
    return this.#scene
  }
}

function toFrame(
  { data, depth, bodies, flow, pose, fx, fy, cx, cy }: NativeRenderedPicture,
  movers: Uint8Array,
  frame: { width: number; height: number; timestampMs: number },
): RenderedFrame {
  const moving = new Uint8Array(bodies.length)
  for (let i = 0; i < bodies.length; i++) moving[i] = movers[(bodies[i] ?? 0) - 1] ?? 0
  return { ...frame, data, depth, bodies, moving, flow: flow ?? undefined, pose, intrinsics: { fx, fy, cx, cy } }
}
