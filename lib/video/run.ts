// Owns: one video's way through the engine: reading, encoding, decoding and stitching in the order of the plan.
// Must not know: which engine runs, where frames come from, where depth goes.

import { counted } from '../base/counted.js'
import type { CutDetector } from '../cuts/cut-detector.js'
import type { EngineHost, EngineSession, EngineTimings } from '../engine/engine.js'
import { owned, VideoDepthError } from '../base/errors.js'
import type { Alignment, DepthFrame, RgbFrame, SceneMark } from '../base/frame.js'
import { FrameReader, type ReadFrame } from './reader.js'
import type { FrameSource, SourceInfo } from '../io/sources/source.js'
import type { StitchResult } from '../native/types.js'
import type { ProcessProgress } from './process-options.js'
import { quietAtEnd } from '../base/quiet-promise.js'
import { openUnlessAborted } from '../base/unless-aborted.js'
import {
  firstRenewed,
  isNeeded,
  newEnd,
  planWindow,
  releasable,
  slotCount,
  type WindowPlan,
} from '../plan/window-plan.js'
import { SlotTable } from '../plan/slots.js'
import type { WindowStrategy } from '../plan/strategy.js'

export interface DepthRunOptions {
  readonly strategy: WindowStrategy
  /** Undefined where the video is one scene. */
  readonly detector?: CutDetector | undefined
  readonly openSource: (signal: AbortSignal) => Promise<FrameSource>
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: ProcessProgress) => void) | undefined
  /** Called once, when the run holds nothing any more. */
  readonly onEnd?: () => void
}

/** What a run has done: so far, or in all once it has ended. */
export interface RunSummary {
  readonly framesIn: number
  readonly framesOut: number
  /** Encoder runs; equals framesIn, as no frame is ever encoded twice. */
  readonly framesEncoded: number
  readonly windows: number
  /** Scenes that the video was cut into: 1 unless `sceneCuts` found any, or a window began anew. */
  readonly scenes: number
  /** Windows that could not be fitted to the earlier ones and kept scale 1, shift 0; those that began anew among them. */
  readonly degenerateWindows: number
  /** First frames of windows that began anew, as the frames before had no content: see `DegenerateReason`. */
  readonly begunAnew: readonly number[]
  /** Maps of the network without two different values. */
  readonly flatMaps: number
  /** Seconds spent by phase. `read` includes decoding and waiting for the source. */
  readonly seconds: Readonly<EngineTimings & { read: number }>
}

interface Emission {
  readonly plan: WindowPlan
  /** Running number of the window. */
  readonly window: number
  /** Index of the scene's first frame. */
  readonly base: number
  readonly frames: readonly Float32Array[]
  readonly aligned: Alignment
}

/** What is known of a frame besides its pixels, until its depth is there. */
interface FrameFacts {
  readonly timestampMs: number
  readonly scene: SceneMark
}

/**
 * Depth maps of one video, in order, as they become ready. Single use. While the reader of one window's maps is
 * busy, at most the next window's frames are read and encoded; then everything waits.
 *
 * If the source fails after some frames, the depth of all frames that came is given out first and the source's
 * error is thrown after it. Breaking out of the loop, an abort or `[Symbol.asyncDispose]()` frees everything; the
 * model stays usable.
 */
export class DepthRun implements AsyncIterableIterator<DepthFrame> {
  readonly #host: EngineHost
  readonly #options: DepthRunOptions
  readonly #slotCount: number
  readonly #frames: AsyncGenerator<DepthFrame, undefined>
  readonly #facts = new Map<number, FrameFacts>()
  readonly #stop = new AbortController()
  readonly #reader: FrameReader
  #session: EngineSession | undefined
  /** Read, but not yet part of a scene. */
  #pending: ReadFrame | undefined
  /** Slots of the present scene's frames, by their position in it. */
  #slots: SlotTable
  #scenes = 0
  #sceneStart = 0
  /** No more frames belong to the present scene. */
  #sceneEnded = false
  #framesIn = 0
  #framesEncoded = 0
  #framesOut = 0
  #windows = 0
  #degenerateWindows = 0
  readonly #begunAnew: number[] = []
  #flatMaps = 0

  /** Made by `VideoDepth.process`. @internal */
  constructor(host: EngineHost, options: DepthRunOptions) {
    this.#host = host
    this.#options = options
    this.#slotCount = slotCount(options.strategy)
    this.#reader = new FrameReader(options.detector, this.#stop.signal)
    this.#slots = new SlotTable(this.#slotCount)
    this.#frames = this.#run()
  }

  /** What the source says of itself; undefined until the first frame was asked for. */
  get info(): SourceInfo | undefined {
    return this.#reader.info
  }

  /** What the run has done so far. */
  get summary(): RunSummary {
    const engine = this.#session?.timings ?? { preprocess: 0, encode: 0, temporalHead: 0, depthDecoder: 0, stitch: 0 }
    return {
      framesIn: this.#framesIn,
      framesOut: this.#framesOut,
      framesEncoded: this.#framesEncoded,
      windows: this.#windows,
      scenes: this.#scenes + this.#begunAnew.length,
      degenerateWindows: this.#degenerateWindows,
      begunAnew: [...this.#begunAnew],
      flatMaps: this.#flatMaps,
      seconds: { read: this.#reader.seconds, ...engine },
    }
  }

  /** The run itself, as it is used once. */
  [Symbol.asyncIterator](): this {
    return this
  }

  /** The next frame's depth, when it is ready. Rejects with what ended the run. */
  next(): Promise<IteratorResult<DepthFrame, undefined>> {
    return quietAtEnd(this.#frames.next(), (error) => this.#isEnd(error))
  }

  /** Ends the run and frees everything; breaking out of a `for await` loop calls it. */
  return(): Promise<IteratorResult<DepthFrame, undefined>> {
    this.stop(ended())
    return quietAtEnd(this.#frames.return(undefined), (error) => this.#isEnd(error))
  }

  #isEnd(error: unknown): boolean {
    return this.#stop.signal.aborted && error === this.#stop.signal.reason
  }

  /** Makes what is waited for reject with `reason`; the frames so far stay the reader's. */
  stop(reason: Error): void {
    this.#stop.abort(reason)
  }

  /** As `return()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  async *#run(): AsyncGenerator<DepthFrame, undefined> {
    const { signal } = this.#options
    const abort = (): void => this.#stop.abort(signal?.reason)
    signal?.throwIfAborted()
    this.#stop.signal.throwIfAborted()
    signal?.addEventListener('abort', abort, { once: true })
    // What is waited for then rejects, so that an abort takes effect before a long graph run ends.
    this.#stop.signal.addEventListener('abort', () => void this.#session?.close().catch(() => undefined))
    try {
      for await (const emission of this.#windowsInOrder()) yield* this.#emit(emission)
      if (this.#reader.failure !== undefined) throw this.#reader.failure.error
    } catch (error) {
      if (this.#stop.signal.aborted) throw this.#stop.signal.reason
      throw owned(error, 'ENGINE_FAILED', `${this.info?.name ?? 'The video'} cannot be processed`)
    } finally {
      signal?.removeEventListener('abort', abort)
      await this.#release()
    }
  }

  async *#windowsInOrder(): AsyncGenerator<Emission> {
    await this.#open()
    while (this.#pending !== undefined) {
      this.#beginScene()
      yield* this.#sceneWindows()
    }
  }

  /** Every scene is a video of its own: its windows see, and are fitted to, nothing before it. */
  #beginScene(): void {
    this.#scenes++
    this.#sceneStart = this.#framesIn
    this.#sceneEnded = false
    this.#slots = new SlotTable(this.#slotCount)
  }

  async *#sceneWindows(): AsyncGenerator<Emission> {
    const { strategy } = this.#options
    const base = this.#sceneStart
    let filling = this.#fill(0)
    try {
      for (let index = 0; ; index++) {
        await filling
        const frameCount = this.#sceneEnded ? this.#framesIn - base : undefined
        if (frameCount !== undefined && !isNeeded(strategy, index, frameCount)) return
        const plan = planWindow(strategy, index, frameCount, this.#host.kind === 'disparity')
        const session = this.#engineSession()
        const decoding = session.decode(this.#slotsOf(plan), plan.wanted)
        // Calls run in the order made, so the next frames may have these slots: they come in while this window is decoded,
        // stitched and read, and an engine that computes beside us never waits for them.
        for (const frame of releasable(strategy, index, this.#slots.frames)) this.#slots.release(frame)
        filling = plan.last ? Promise.resolve() : this.#fill(index + 1)
        filling.catch(() => undefined) // awaited above, or superseded by an earlier error
        const depth = await decoding
        this.#stop.signal.throwIfAborted()
        const { frames, nonFinite, flat, ...fit } = await session.stitch(depth, plan.step)
        if (nonFinite > 0) throw notFinite(this.#windows, nonFinite, this.#host.engine.nonFiniteAdvice)
        this.#flatMaps += flat
        if (fit.degenerate) this.#degenerateWindows++
        yield { plan, window: this.#windows++, base, frames, aligned: alignment(fit) }
        if (plan.last) return
      }
    } finally {
      await filling.catch(() => undefined)
    }
  }

  *#emit({ plan, window, base, frames, aligned }: Emission): Generator<DepthFrame> {
    const { frameWidth: width, frameHeight: height } = this.#engineSession().geometry
    const anewAt = aligned.reason === 'no-content' ? base + firstRenewed(plan) : undefined
    for (let i = 0; i < plan.emitted; i++) {
      this.#stop.signal.throwIfAborted()
      const index = base + plan.firstEmitted + i
      const data = frames[i]
      const facts = this.#facts.get(index)
      if (data === undefined || facts === undefined) throw new Error(`frame ${index} is missing`)
      this.#facts.delete(index)
      this.#framesOut++
      const isAnew = index === anewAt
      if (isAnew) this.#begunAnew.push(index)
      const { timestampMs } = facts
      const scene = {
        ...facts.scene,
        index: facts.scene.index + this.#begunAnew.length,
        cut: facts.scene.cut || isAnew,
      }
      yield { index, timestampMs, width, height, data, kind: this.#host.kind, window, aligned, scene }
      this.#report()
    }
  }

  async #open(): Promise<void> {
    const { signal } = this.#stop
    await this.#reader.open(this.#options.openSource(signal))
    const first = await this.#reader.next()
    if (first === undefined) {
      if (this.#reader.failure !== undefined) throw this.#reader.failure.error
      throw new VideoDepthError('SOURCE_EMPTY', `${this.info?.name} has no frames`)
    }
    this.#pending = first
    const { width, height } = first.frame
    this.#session = await openUnlessAborted(this.#openSession(width, height, signal), signal)
  }

  #openSession(frameWidth: number, frameHeight: number, signal: AbortSignal): Promise<EngineSession> {
    const { engine, inputSize } = this.#host
    const { width: inputWidth, height: inputHeight } = inputSize(frameWidth, frameHeight)
    const windows = { windowLength: this.#options.strategy.length, slots: this.#slotCount }
    return engine.openSession({ frameWidth, frameHeight, inputWidth, inputHeight, ...windows }, signal)
  }

  /** Reads and encodes the frames that window `index` of the scene brings in, or as many as there are. */
  async #fill(index: number): Promise<void> {
    const end = this.#sceneStart + newEnd(this.#options.strategy, index)
    const session = this.#engineSession()
    while (!this.#sceneEnded && this.#framesIn < end) {
      const next = this.#pending ?? (await this.#reader.next())
      this.#pending = undefined
      if (next === undefined || !this.#fits(next.frame, session)) {
        this.#sceneEnded = true
        return
      }
      if (next.decision.cut && this.#framesIn > this.#sceneStart) {
        this.#pending = next
        this.#sceneEnded = true
        return
      }
      const slot = this.#slots.take(this.#framesIn - this.#sceneStart)
      this.#accept(next)
      await session.encode(next.frame, slot)
      this.#stop.signal.throwIfAborted()
      this.#framesEncoded++
      this.#report()
    }
  }

  /** One of another size ends the video. */
  #fits(frame: RgbFrame, { geometry }: EngineSession): boolean {
    const { frameWidth, frameHeight } = geometry
    if (frame.width === frameWidth && frame.height === frameHeight) return true
    const message = `Expected every frame to be ${frameWidth}×${frameHeight}, received ${frame.width}×${frame.height} at frame ${this.#framesIn}`
    this.#reader.end(new VideoDepthError('FRAME_SIZE_CHANGED', message))
    return false
  }

  #accept({ frame: { timestampMs }, decision }: ReadFrame): void {
    this.#facts.set(this.#framesIn, { timestampMs, scene: { index: this.#scenes - 1, ...decision } })
    this.#framesIn++
  }

  #slotsOf(plan: WindowPlan): number[] {
    return plan.frames.map((frame) => this.#slots.slotOf(frame))
  }

  #engineSession(): EngineSession {
    if (this.#session === undefined) throw new VideoDepthError('CLOSED', 'The run has no session')
    return this.#session
  }

  #report(): void {
    this.#options.onProgress?.({
      framesEncoded: this.#framesEncoded,
      framesOut: this.#framesOut,
      frameCount: this.#reader.info?.frameCount,
    })
  }

  async #release(): Promise<void> {
    this.#stop.abort(ended())
    await this.#session?.close()
    await this.#reader.close()
    this.#options.onEnd?.()
  }
}

function alignment({ scale, shift, degenerate, anew, leftOut }: Omit<StitchResult, 'frames' | 'nonFinite'>): Alignment {
  const reason = !degenerate ? undefined : anew ? 'no-content' : 'no-solution'
  return { scale, shift, degenerate, reason, leftOut }
}

const ended = (): VideoDepthError => new VideoDepthError('CLOSED', 'The run has ended')

function notFinite(window: number, count: number, advice: string): VideoDepthError {
  const message = `The network gave ${counted(count, 'value that is', 'values that are')} not finite in window ${window}.`
  return new VideoDepthError('DEPTH_NOT_FINITE', `${message} ${advice}`)
}
