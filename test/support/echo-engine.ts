// Owns: an engine that computes nothing, and streams on it: depth is the frame's first byte.
// Must not know: what is tested with it.

import type {
  Engine,
  EngineStream,
  StreamGeometry,
  StreamState,
  StreamStepResult,
} from '../../dist/esm/engine/engine.js'
import { VideoDepthError } from '../../dist/esm/base/errors.js'
import type { NativePicture } from '../../dist/esm/base/pixel-format.js'
import { DepthStream } from '../../dist/esm/stream/depth-stream.js'
import type { StepPlan } from '../../dist/esm/plan/step-plan.js'
import type { StreamFrame } from '../../dist/esm/stream/stream-frame.js'
import { checkStreamOptions, type StreamOptions } from '../../dist/esm/stream/stream-options.js'

export const width = 4
export const height = 2

/** Depth is the frame's first byte. Steps wait for `release` where the engine is held. */
export class EchoEngine implements Engine {
  readonly backend = 'cpu'
  readonly id = 'echo'
  readonly architecture = {} as Engine['architecture']
  readonly info = {} as Engine['info']
  readonly nonFiniteAdvice = 'That is what was asked for.'
  /** First bytes in the order in which they were computed, and whether they began anew. */
  readonly order: (readonly [number, boolean])[] = []
  opened = 0
  open = 0
  failAt = -1
  nonFiniteAt = -1
  #held: (() => void)[] | undefined
  #turn: Promise<void> = Promise.resolve()

  hold(): void {
    this.#held ??= []
  }

  release(): void {
    for (const go of this.#held ?? []) go()
    this.#held = undefined
  }

  /** As one worker does it: one step after another, in the order asked. */
  take<T>(step: () => T): Promise<T> {
    const turn = this.#turn.then(async () => {
      if (this.#held !== undefined) await new Promise<void>((resolve) => this.#held?.push(resolve))
      return step()
    })
    this.#turn = turn.then(
      () => undefined,
      () => undefined,
    )
    return turn
  }

  openStream(geometry: StreamGeometry): Promise<EngineStream> {
    this.opened++
    this.open++
    return Promise.resolve(new EchoStream(this, geometry))
  }

  openSession(): never {
    throw new Error('no sessions here')
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

class EchoStream implements EngineStream {
  readonly geometry: StreamGeometry
  readonly #engine: EchoEngine
  #closed = false
  #state = new Uint8Array(1)

  constructor(engine: EchoEngine, geometry: StreamGeometry) {
    this.#engine = engine
    this.geometry = geometry
  }

  async step(picture: NativePicture, { first }: StepPlan): Promise<StreamStepResult> {
    const value = picture.data[0] ?? -1
    return this.#engine.take(() => {
      if (this.#closed) throw new VideoDepthError('CLOSED', 'The stream was closed')
      if (value === this.#engine.failAt) throw new VideoDepthError('ENGINE_FAILED', 'as asked')
      this.#engine.order.push([value, first])
      this.#state = Uint8Array.of(value)
      const depth = new Float32Array(picture.width * picture.height).fill(value)
      const nonFinite = value === this.#engine.nonFiniteAt ? 3 : 0
      return {
        depth,
        nonFinite,
        flat: true,
        stabilization: undefined,
        preprocessMs: 0.01,
        inferMs: 0.02,
        postMs: 0.005,
      }
    })
  }

  exportState(): Promise<StreamState> {
    return Promise.resolve({ variant: '', memory: this.#state.slice(), reference: undefined, scale: 1, shift: 0 })
  }

  importState({ memory }: StreamState): Promise<void> {
    if (memory.length !== 1) return Promise.reject(new VideoDepthError('SNAPSHOT_MISMATCH', 'of another size'))
    this.#state = memory
    return Promise.resolve()
  }

  close(): Promise<void> {
    if (!this.#closed) this.#engine.open--
    this.#closed = true
    return Promise.resolve()
  }
}

export function streamOn(engine: EchoEngine, options: StreamOptions = {}): DepthStream<undefined> {
  const inputSize = () => ({ width: 14, height: 14 })
  return new DepthStream<undefined>(
    { engine, kind: 'disparity', inputSize },
    checkStreamOptions(options, false),
    () => undefined,
  )
}

export const frame = (value: number, more: Partial<StreamFrame> = {}): StreamFrame => ({
  data: new Uint8Array((more.width ?? width) * height * 3).fill(value),
  width,
  height,
  ...more,
})
