// Owns: the way of one frame through cut detector and engine, and everything that goes on in the next frame.
// Must not know: queues, adapters, who waits for the result.

import { counted } from '../base/counted.js'
import { CutDetector, type CutDecision } from '../cuts/cut-detector.js'
import type { EngineHost, EngineStream, StreamGeometry, StreamStepResult } from '../engine/engine.js'
import { VideoDepthError } from '../base/errors.js'
import type { SceneMark } from '../base/frame.js'
import { Lifetime } from '../base/lifetime.js'
import type { NativePicture } from '../base/pixel-format.js'
import { checkEngine, decodeSnapshot, encodeSnapshot, mismatch, type StreamSnapshot } from './snapshot.js'
import type { Stabilization } from '../plan/stabilizer.js'
import { planStep } from '../plan/step-plan.js'
import type { FrameTimings, OwnedFrame } from './stream-frame.js'
import type { CheckedStreamOptions } from './stream-options.js'

export interface ComputedFrame {
  readonly index: number
  readonly timestampMs: number
  readonly width: number
  readonly height: number
  readonly data: Float32Array
  readonly scene: SceneMark
  readonly stabilization: Stabilization | undefined
  readonly timings: FrameTimings
  /** It came before the network for its size was there. */
  readonly waitedForNetwork: boolean
}

/** One stream's state. No two calls overlap; `close` may come at any time. */
export class FrameComputer {
  readonly #host: EngineHost
  readonly #options: CheckedStreamOptions
  /** Its end ends a network's loading, too. */
  readonly #life = new Lifetime(async () => this.#stream?.close())
  #detector: CutDetector | undefined
  #stream: EngineStream | undefined
  /** `performance.now()` when the present network was there. */
  #readyMs = 0
  /** Frames remembered since the stream began anew. */
  #frames = 0
  /** From a frame's number to its index: other than 0 after a restore. */
  #indexOffset = 0
  #scene = -1
  /** `performance.now()` of time 0. */
  #originMs: number | undefined
  /** The last time that was not given. */
  #lastMs = 0
  #lastPicture: NativePicture | undefined
  #flatMaps = 0

  constructor(host: EngineHost, options: CheckedStreamOptions) {
    this.#host = host
    this.#options = options
    this.#detector = this.#newDetector()
  }

  /** Begun so far. */
  get scenes(): number {
    return this.#scene + 1
  }

  /** So far, without two different values. */
  get flatMaps(): number {
    return this.#flatMaps
  }

  /** A fresh frame begins anew; its size may then be another one. */
  async compute({ picture, timestampMs, arrivedMs, fresh, number }: OwnedFrame): Promise<ComputedFrame> {
    const { width, height } = picture
    if (fresh) this.begin()
    const stream = await this.#streamFor(width, height)
    const { cut, contentScore, cutMs } = await this.#detect(picture)
    if (cut) this.#frames = 0
    const isFirst = this.#frames === 0
    const index = number + this.#indexOffset
    const result = await stream.step(picture, planStep(this.#frames))
    if (result.nonFinite > 0) throw this.#notFinite(index, result.nonFinite)
    if (result.flat) this.#flatMaps++
    this.#frames++
    if (isFirst) this.#scene++
    return {
      index,
      timestampMs: timestampMs ?? this.#timeOf(arrivedMs),
      width,
      height,
      data: result.depth,
      scene: { index: this.#scene, cut: isFirst && this.#scene > 0, contentScore },
      stabilization: result.stabilization,
      timings: timings(result, cutMs, performance.now() - arrivedMs),
      waitedForNetwork: arrivedMs < this.#readyMs,
    }
  }

  /** The next frame is a first one. */
  begin(): void {
    this.#frames = 0
    this.#detector?.begin()
  }

  async prepare(width: number, height: number): Promise<void> {
    await this.#streamFor(width, height)
  }

  /** @param next number of the first frame that comes after it */
  async snapshot(next: number): Promise<Uint8Array<ArrayBuffer>> {
    const stream = this.#stream
    if (stream === undefined || this.#frames === 0)
      throw mismatch('There is nothing to go on from before the first frame')
    return encodeSnapshot({
      engine: this.#host.engine.id,
      geometry: stream.geometry,
      frames: this.#frames,
      nextIndex: next + this.#indexOffset,
      elapsedMs: performance.now() - (this.#originMs ?? 0),
      scene: { index: this.#scene, length: this.#detector?.sceneLength ?? 0 },
      state: await stream.exportState(),
      lastPicture: this.#lastPicture,
    })
  }

  /**
   * Where it rejects, nothing has changed.
   *
   * @param next number of the first frame that comes after it
   * @param calledMs `performance.now()` when that was settled
   */
  async restore(bytes: Uint8Array, next: number, calledMs: number): Promise<void> {
    const snapshot = await decodeSnapshot(bytes)
    const { geometry, lastPicture, scene } = snapshot
    this.#checkFit(snapshot)
    const detector = this.#newDetector()
    const stream = await this.#host.engine.openStream(geometry, this.#life.signal)
    try {
      await stream.importState(snapshot.state)
      if (lastPicture !== undefined) await detector?.resume(scene.length, lastPicture)
    } catch (error) {
      await stream.close()
      throw error
    }
    await this.#replaceStream(stream)
    this.#detector = detector
    this.#frames = snapshot.frames
    this.#indexOffset = snapshot.nextIndex - next
    this.#scene = scene.index
    this.#originMs = calledMs - snapshot.elapsedMs
    this.#lastPicture = lastPicture
  }

  /** @throws VideoDepthError SNAPSHOT_MISMATCH naming what differs */
  #checkFit({ engine, geometry, lastPicture }: StreamSnapshot): void {
    checkEngine(engine, this.#host.engine.id)
    const wanted = this.#geometry(geometry.frameWidth, geometry.frameHeight)
    for (const key of ['inputWidth', 'inputHeight', 'stabilized'] as const) {
      if (geometry[key] !== wanted[key])
        throw mismatch(`The snapshot's ${key} is ${geometry[key]}, this stream's ${wanted[key]}`)
    }
    if ((lastPicture === undefined) !== (this.#detector === undefined))
      throw mismatch(
        `The snapshot was made ${lastPicture === undefined ? 'without' : 'with'} sceneCuts, unlike this stream`,
      )
  }

  close(): Promise<void> {
    return this.#life.end(new VideoDepthError('CLOSED', 'The stream was closed'))
  }

  #notFinite(index: number, count: number): VideoDepthError {
    const advice = this.#host.engine.nonFiniteAdvice
    const message = `The network gave ${counted(count, 'value that is', 'values that are')} not finite for frame ${index}; it is not remembered. ${advice}`
    return new VideoDepthError('DEPTH_NOT_FINITE', message)
  }

  #newDetector(): CutDetector | undefined {
    return this.#options.sceneCuts === undefined ? undefined : new CutDetector(this.#options.sceneCuts)
  }

  /** Since the first frame; never back, as frames may come while a snapshot is restored. */
  #timeOf(arrivedMs: number): number {
    this.#originMs ??= arrivedMs
    this.#lastMs = Math.max(this.#lastMs, arrivedMs - this.#originMs)
    return this.#lastMs
  }

  #fits(width: number, height: number): boolean {
    const geometry = this.#stream?.geometry
    return geometry?.frameWidth === width && geometry.frameHeight === height
  }

  async #streamFor(width: number, height: number): Promise<EngineStream> {
    if (this.#stream !== undefined && this.#fits(width, height)) return this.#stream
    const { geometry } = this.#stream ?? {}
    if (geometry !== undefined && this.#frames > 0) {
      const message =
        `Expected frames of ${geometry.frameWidth}×${geometry.frameHeight}, received ${width}×${height}; ` +
        'call reset() before frames of another size'
      throw new VideoDepthError('FRAME_SIZE_CHANGED', message)
    }
    const stream = await this.#host.engine.openStream(this.#geometry(width, height), this.#life.signal)
    await this.#replaceStream(stream)
    return stream
  }

  async #replaceStream(stream: EngineStream): Promise<void> {
    const last = this.#stream
    this.#stream = stream
    this.#readyMs = performance.now()
    await last?.close()
    if (this.#life.signal.aborted) await stream.close()
  }

  #geometry(frameWidth: number, frameHeight: number): StreamGeometry {
    const { width: inputWidth, height: inputHeight } = this.#host.inputSize(frameWidth, frameHeight)
    return { frameWidth, frameHeight, inputWidth, inputHeight, stabilized: this.#options.stabilize }
  }

  async #detect(picture: NativePicture): Promise<CutDecision & { readonly cutMs: number }> {
    if (this.#detector === undefined) return { cut: false, contentScore: undefined, cutMs: 0 }
    const started = performance.now()
    const decision = await this.#detector.next(picture)
    this.#lastPicture = { ...picture, data: picture.data.slice() } // the engine takes the picture's own bytes
    return { ...decision, cutMs: performance.now() - started }
  }
}

function timings({ preprocessMs, inferMs, postMs }: StreamStepResult, cutMs: number, totalMs: number): FrameTimings {
  const queuedMs = Math.max(0, totalMs - cutMs - preprocessMs - inferMs - postMs)
  return { queuedMs, preprocessMs: preprocessMs + cutMs, inferMs, postMs, totalMs }
}
