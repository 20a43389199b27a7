// Owns: what the double's graphs compute (test/native/gpu-double/tensorrt/compute.cpp), in JavaScript, and an engine on it.
// Must not know: addons' GPU part, CUDA, plans.

import type {
  EngineSession,
  EngineStream,
  SessionGeometry,
  StreamGeometry,
  WindowDepth,
} from '../../dist/esm/engine/engine.js'
import type { RgbFrame } from '../../dist/esm/base/frame.js'
import type { NativeAddon, NativeStitcher, StitchStep } from '../../dist/esm/native/types.js'
import { type NativePicture, rgbPicture } from '../../dist/esm/base/pixel-format.js'
import { stabilize, unstabilized } from '../../dist/esm/plan/stabilizer.js'
import { stateSlots, type StepPlan } from '../../dist/esm/plan/step-plan.js'

const mean = (values: ArrayLike<number>): number => {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i] ?? 0
  return sum / values.length
}

/** What the encoder makes of a picture; its layer k is this + k/8. */
export function encoded(addon: NativeAddon, picture: NativePicture, width: number, height: number): number {
  const pixels = new Float32Array(3 * width * height)
  addon.preprocess(picture, pixels, width, height, 1)
  return mean(pixels)
}

/** What the head makes of the encoder's values of a window's frames. */
export function windowPaths(frames: readonly number[]): number[] {
  const layer3 = frames.map((value) => value + 0.375)
  return layer3.map((value) => value + 0.001 * mean(layer3))
}

/** @param remembered by slot */
export function stepPath(
  frame: number,
  remembered: readonly number[],
  { positions, visible }: Pick<StepPlan, 'positions' | 'visible'>,
): number {
  const seen = remembered.map((value, slot) =>
    visible[slot] === true ? value * ((positions[slot] ?? 0) + 1) * 0.01 : 0,
  )
  return seen.reduce((sum, value) => sum + value, frame + 0.375)
}

export function decoded(path3: number, frame: number, width: number, height: number): Float32Array<ArrayBuffer> {
  const base = path3 + 0.5 * (frame + 0.125)
  return Float32Array.from({ length: width * height }, (_, i) => Math.max(0, base + 0.01 * (i % width)))
}

interface ModelDepth extends WindowDepth {
  readonly maps: readonly (Float32Array | null)[]
}

export class ModelSession implements EngineSession {
  readonly timings = { preprocess: 0, encode: 0, temporalHead: 0, depthDecoder: 0, stitch: 0 }
  readonly #stitcher: NativeStitcher
  readonly #slots = new Map<number, number>()

  constructor(
    readonly addon: NativeAddon,
    readonly geometry: SessionGeometry,
  ) {
    const { inputWidth, inputHeight, frameWidth, frameHeight } = geometry
    this.#stitcher = new addon.Stitcher({
      ...{ mapWidth: inputWidth, mapHeight: inputHeight, frameWidth, frameHeight, threads: 1 },
    })
  }

  encode(frame: RgbFrame, slot: number): Promise<void> {
    const { inputWidth, inputHeight } = this.geometry
    this.#slots.set(slot, encoded(this.addon, rgbPicture(frame), inputWidth, inputHeight))
    return Promise.resolve()
  }

  decode(slots: readonly number[], wanted: readonly number[]): Promise<ModelDepth> {
    const { inputWidth, inputHeight } = this.geometry
    const frames = slots.map((slot) => this.#slots.get(slot) ?? Number.NaN)
    const paths = windowPaths(frames)
    const maps = frames.map((frame, i) =>
      wanted.includes(i) ? decoded(paths[i] ?? Number.NaN, frame, inputWidth, inputHeight) : null,
    )
    return Promise.resolve({ backend: 'cpu', maps })
  }

  async stitch(depth: WindowDepth, step: StitchStep) {
    return { ...(await this.#stitcher.stitch((depth as ModelDepth).maps, step)), flat: 0 }
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

export class ModelStream implements EngineStream {
  #slots = new Array<number>(stateSlots).fill(0)
  #reference: Float32Array | undefined
  #stabilization = unstabilized

  constructor(
    readonly addon: NativeAddon,
    readonly geometry: StreamGeometry,
  ) {}

  step(picture: NativePicture, plan: StepPlan) {
    const { inputWidth, inputHeight, frameWidth, frameHeight, stabilized } = this.geometry
    const frame = encoded(this.addon, picture, inputWidth, inputHeight)
    const map = decoded(stepPath(frame, this.#slots, plan), frame, inputWidth, inputHeight)
    for (const slot of plan.write) this.#slots[slot] = frame + 0.375
    if (plan.first) {
      this.#stabilization = unstabilized
      this.#reference = undefined
    }
    if (stabilized && this.#reference !== undefined)
      this.#stabilization = stabilize(this.#stabilization, this.addon.fitMap(map, this.#reference))
    if (plan.anchor) this.#reference = map
    const depth = new Float32Array(frameWidth * frameHeight)
    const { scale, shift } = this.#stabilization
    this.addon.upsample(map, inputWidth, inputHeight, depth, frameWidth, frameHeight, scale, shift, 1)
    const stabilization = stabilized ? this.#stabilization : undefined
    return Promise.resolve({
      ...{ depth, nonFinite: 0, flat: false, stabilization },
      ...{ preprocessMs: 0, inferMs: 0, postMs: 0 },
    })
  }

  exportState(): Promise<never> {
    return Promise.reject(new Error('not of the model'))
  }

  importState(): Promise<never> {
    return Promise.reject(new Error('not of the model'))
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
