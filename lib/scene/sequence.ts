// Owns: a clip of procedural scenes, frame after frame, and its cuts.
// Must not know: how a picture is drawn, where it goes.

import { loadAddon } from '../binding.js'
import type { NativeRenderedPicture, NativeScene } from '../native-scene-types.js'
import { kindIndex } from './kinds.js'
import type { RenderedFrame } from './rendered-frame.js'

export interface SequenceOptions {
  /** 0…2³²−1. The same seed gives the same clip. */
  readonly seed: number
  readonly frames: number
  /** Frames per second. */
  readonly frameRate: number
  /** Pixels, 1…4096. */
  readonly width: number
  readonly height: number
  /** A name of `sceneKinds()`. Default `courtyard`. */
  readonly kind?: string
  /** Another scene of this kind (a seed of its own) from every so-many-th frame on. Default: one scene. */
  readonly cutEvery?: number
  /** Four samples of colour a pixel. Default true. Depth, flow and bodies are always the pixel centre's. */
  readonly antialias?: boolean
  /** Share of the time between frames that the shutter is open, 0…1: motion blur. Default 0. Costs five pictures. */
  readonly shutter?: number
  /** Sensor noise: standard deviation in the middle greys, of 255. Default 0. */
  readonly noise?: number
  /** Default false. */
  readonly flow?: boolean
  /** Of the first frame, seconds into the scene. Default 0. */
  readonly startSeconds?: number
}

/** Pictures drawn ahead of the one that is asked for, so that two cores have something to do. */
const ahead = 2
/** Spreads the seeds of a clip's scenes. */
const seedStride = 1_000_003

/**
 * Renders a little ahead of what is asked for; nothing is kept.
 *
 * @throws VideoDepthError INVALID_OPTION for a kind that there is not
 */
export async function* renderSequence(options: SequenceOptions): AsyncGenerator<RenderedFrame, void> {
  const clip = new Clip(options)
  const drawing: Promise<RenderedFrame>[] = []
  try {
    for (let i = 0; i < options.frames + ahead; i++) {
      if (i < options.frames) drawing.push(clip.draw(i))
      if (i < ahead) continue
      const next = drawing.shift()
      if (next !== undefined) yield await next
    }
  } finally {
    await Promise.allSettled(drawing)
  }
}

/** The whole clip, in memory. */
export async function renderClip(options: SequenceOptions): Promise<RenderedFrame[]> {
  const frames: RenderedFrame[] = []
  for await (const frame of renderSequence(options)) frames.push(frame)
  return frames
}

class Clip {
  readonly #options: SequenceOptions
  readonly #kind: number
  #scene: NativeScene | undefined
  #shot = -1

  constructor(options: SequenceOptions) {
    this.#options = options
    this.#kind = kindIndex(options.kind ?? 'courtyard')
  }

  async draw(index: number): Promise<RenderedFrame> {
    const { frameRate, width, height, cutEvery, seed, startSeconds = 0 } = this.#options
    const shot = cutEvery === undefined ? 0 : Math.floor(index / cutEvery)
    const scene = this.#sceneOf(shot)
    const seconds = startSeconds + index / frameRate
    const isLast = cutEvery !== undefined && (index + 1) % cutEvery === 0
    const picture = await scene.render({
      width,
      height,
      seconds,
      antialias: this.#options.antialias ?? true,
      shutter: (this.#options.shutter ?? 0) / frameRate,
      noise: this.#options.noise ?? 0,
      noiseSeed: (seed + index) % 2 ** 32,
      flowTo: this.#options.flow === true && !isLast ? seconds + 1 / frameRate : null,
    })
    return toFrame(picture, scene.moving, { width, height, timestampMs: (index * 1000) / frameRate })
  }

  #sceneOf(shot: number): NativeScene {
    if (shot !== this.#shot || this.#scene === undefined) {
      this.#scene = new (loadAddon().scene.Scene)(this.#kind, this.#options.seed + shot * seedStride)
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
