// Owns: one session and one stream of the CPU engine as the main thread sees them.
// Must not know: the worker's life, windows' meaning, videos.

import { loadAddon } from '../../native/addon.js'
import { VideoDepthError } from '../../base/errors.js'
import type { RgbFrame } from '../../base/frame.js'
import { type NativePicture, rgbPicture } from '../../base/pixel-format.js'
import type { NativeStitcher, StitchStep } from '../../native/types.js'
import type { StepPlan } from '../../plan/step-plan.js'
import type { CpuReplies, CpuRequest } from './protocol.js'
import type {
  EngineSession,
  EngineStream,
  EngineTimings,
  SessionGeometry,
  StitchedFrames,
  StreamGeometry,
  StreamState,
  StreamStepResult,
  WindowDepth,
} from '../engine.js'
import { isFlat } from '../is-flat.js'

/** One [inputHeight, inputWidth] map a position of the window, `null` where not wanted. */
export interface CpuWindowDepth extends WindowDepth {
  readonly maps: readonly (Float32Array<ArrayBuffer> | null)[]
}

/** What they need of their engine. */
export interface SessionHost {
  readonly threads: number
  request<R extends CpuRequest>(
    request: R,
    options?: { readonly transfer?: readonly ArrayBuffer[] },
  ): Promise<CpuReplies[R['op']]>
  /** Ends a session or a stream. */
  closeSession(session: number): void
}

/** What the worker keeps for one session or stream, until it is closed. */
abstract class Held {
  protected readonly engine: SessionHost
  protected readonly id: number
  readonly #onClose: () => void
  #closed = false

  constructor(engine: SessionHost, id: number, onClose: () => void) {
    this.engine = engine
    this.id = id
    this.#onClose = onClose
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true
      this.engine.closeSession(this.id)
      this.#onClose()
    }
    return Promise.resolve()
  }

  protected assertOpen(): void {
    if (this.#closed) throw new VideoDepthError('CLOSED', 'It was closed')
  }
}

export class CpuSession extends Held implements EngineSession {
  readonly geometry: SessionGeometry
  readonly timings: EngineTimings = { preprocess: 0, encode: 0, temporalHead: 0, depthDecoder: 0, stitch: 0 }
  readonly #stitcher: NativeStitcher

  constructor(engine: SessionHost, id: number, geometry: SessionGeometry, onClose: () => void) {
    super(engine, id, onClose)
    this.geometry = geometry
    const { inputWidth: mapWidth, inputHeight: mapHeight, frameWidth, frameHeight } = geometry
    const { Stitcher } = loadAddon()
    this.#stitcher = new Stitcher({ mapWidth, mapHeight, frameWidth, frameHeight, threads: engine.threads })
  }

  async encode(frame: RgbFrame, slot: number): Promise<void> {
    this.assertOpen()
    const data = new Uint8Array(frame.data)
    const picture = rgbPicture({ ...frame, data })
    const request = { op: 'encode', session: this.id, slot, picture } as const
    const reply = await this.engine.request(request, { transfer: [data.buffer] })
    this.timings.preprocess += reply.preprocess
    this.timings.encode += reply.encode
  }

  async decode(slots: readonly number[], wanted: readonly number[]): Promise<CpuWindowDepth> {
    this.assertOpen()
    const reply = await this.engine.request({ op: 'decode', session: this.id, slots, wanted })
    this.timings.temporalHead += reply.temporalHead
    this.timings.depthDecoder += reply.depthDecoder
    return { backend: 'cpu', maps: reply.maps }
  }

  async stitch(depth: WindowDepth, step: StitchStep): Promise<StitchedFrames> {
    this.assertOpen()
    const started = performance.now()
    const { maps } = depth as CpuWindowDepth
    const result = await this.#stitcher.stitch(maps, step)
    this.assertOpen()
    this.timings.stitch += (performance.now() - started) / 1000
    return { ...result, flat: maps.filter((map) => map !== null && isFlat(map)).length }
  }
}

export class CpuEngineStream extends Held implements EngineStream {
  readonly geometry: StreamGeometry

  constructor(engine: SessionHost, id: number, geometry: StreamGeometry, onClose: () => void) {
    super(engine, id, onClose)
    this.geometry = geometry
  }

  async step(
    picture: NativePicture & { readonly data: Uint8Array<ArrayBuffer> },
    plan: StepPlan,
  ): Promise<StreamStepResult> {
    this.assertOpen()
    const request = { op: 'step', session: this.id, picture, plan } as const
    return this.engine.request(request, { transfer: [picture.data.buffer] })
  }

  async exportState(): Promise<StreamState> {
    this.assertOpen()
    return this.engine.request({ op: 'export', session: this.id })
  }

  async importState(state: StreamState): Promise<void> {
    this.assertOpen()
    const { memory, reference } = state
    const transfer = reference === undefined ? [memory.buffer] : [memory.buffer, reference.buffer]
    await this.engine.request({ op: 'import', session: this.id, state }, { transfer })
  }
}
