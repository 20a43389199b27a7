// Owns: one video's way through the engine: reading, encoding, decoding and stitching in the order of the plan.
// Must not know: which engine runs, where frames come from, where depth goes.

import type { EngineSession, EngineTimings } from './engine/engine.js'
import { VideoDepthError } from './errors.js'
import type { DepthFrame, DepthKind, RgbFrame } from './frame.js'
import type { FrameSource, SourceInfo } from './io/source.js'
import type { ProcessProgress } from './options.js'
import { isNeeded, newEnd, planWindow, releasable, type WindowPlan } from './window/plan.js'
import { SlotTable } from './window/slots.js'
import type { WindowStrategy } from './window/strategy.js'

export interface DepthRunOptions {
  readonly strategy: WindowStrategy
  readonly kind: DepthKind
  readonly slots: number
  readonly openSource: (signal: AbortSignal) => Promise<FrameSource>
  readonly openSession: (width: number, height: number, signal: AbortSignal) => Promise<EngineSession>
  readonly signal: AbortSignal | undefined
  readonly onProgress: ((progress: ProcessProgress) => void) | undefined
  /** Called once, when the run holds nothing any more. */
  readonly onEnd?: () => void
}

export interface RunSummary {
  readonly framesIn: number
  readonly framesOut: number
  /** Encoder runs; equals framesIn, as no frame is ever encoded twice. */
  readonly framesEncoded: number
  readonly windows: number
  /** Windows that could not be fitted to the earlier ones and kept scale 1, shift 0. */
  readonly degenerateWindows: number
  /** Seconds spent by phase. `read` includes decoding and waiting for the source. */
  readonly seconds: Readonly<EngineTimings & { read: number }>
}

interface Emission {
  readonly plan: WindowPlan
  readonly frames: readonly Float32Array[]
  readonly aligned: DepthFrame['aligned']
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
  readonly #options: DepthRunOptions
  readonly #frames: AsyncGenerator<DepthFrame, undefined>
  readonly #slots: SlotTable
  readonly #timestamps = new Map<number, number>()
  readonly #stop = new AbortController()
  #source: FrameSource | undefined
  #reader: AsyncIterator<RgbFrame> | undefined
  #session: EngineSession | undefined
  #first: RgbFrame | undefined
  #reading = false
  #read = 0
  #framesIn = 0
  #framesEncoded = 0
  #framesOut = 0
  #windows = 0
  #degenerateWindows = 0
  #ended = false
  #sourceError: Error | undefined

  constructor(options: DepthRunOptions) {
    this.#options = options
    this.#slots = new SlotTable(options.slots)
    this.#frames = this.#run()
  }

  /** What the source says of itself; undefined until the first frame was asked for. */
  get info(): SourceInfo | undefined {
    return this.#source?.info
  }

  get summary(): RunSummary {
    const engine = this.#session?.timings ?? { preprocess: 0, encode: 0, temporalHead: 0, depthDecoder: 0, stitch: 0 }
    return {
      framesIn: this.#framesIn,
      framesOut: this.#framesOut,
      framesEncoded: this.#framesEncoded,
      windows: this.#windows,
      degenerateWindows: this.#degenerateWindows,
      seconds: { read: this.#read, ...engine },
    }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<DepthFrame, undefined>> {
    return this.#frames.next()
  }

  async return(): Promise<IteratorResult<DepthFrame, undefined>> {
    this.stop(ended())
    return this.#frames.return(undefined)
  }

  /** Makes what is waited for reject with `reason`; the frames so far stay the reader's. */
  stop(reason: Error): void {
    this.#stop.abort(reason)
  }

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
    this.#stop.signal.addEventListener('abort', () => void this.#session?.close())
    try {
      for await (const emission of this.#windowsInOrder()) yield* this.#emit(emission)
      if (this.#sourceError !== undefined) throw this.#sourceError
    } catch (error) {
      throw this.#stop.signal.aborted ? (this.#stop.signal.reason as Error) : error
    } finally {
      signal?.removeEventListener('abort', abort)
      await this.#release()
    }
  }

  async *#windowsInOrder(): AsyncGenerator<Emission> {
    const { strategy, kind } = this.#options
    await this.#open()
    let filling = this.#fill(0)
    try {
      for (let index = 0; ; index++) {
        await filling
        const frameCount = this.#ended ? this.#framesIn : undefined
        if (frameCount !== undefined && !isNeeded(strategy, index, frameCount)) return
        const plan = planWindow(strategy, index, frameCount, kind === 'disparity')
        const session = this.#engineSession()
        const depth = await session.decode(this.#slotsOf(plan), plan.wanted)
        this.#stop.signal.throwIfAborted()
        for (const frame of releasable(strategy, index, this.#slots.frames)) this.#slots.release(frame)
        filling = plan.last ? Promise.resolve() : this.#fill(index + 1) // goes on while this window is stitched and read
        filling.catch(() => undefined) // awaited above, or superseded by an earlier error
        const { frames, scale, shift, degenerate, nonFinite } = await session.stitch(depth, plan.step)
        if (nonFinite > 0) throw notFinite(index, nonFinite)
        this.#windows++
        if (degenerate) this.#degenerateWindows++
        yield { plan, frames, aligned: { scale, shift, degenerate } }
        if (plan.last) return
      }
    } finally {
      await filling.catch(() => undefined)
    }
  }

  *#emit({ plan, frames, aligned }: Emission): Generator<DepthFrame> {
    const { frameWidth: width, frameHeight: height } = this.#engineSession().geometry
    for (let i = 0; i < plan.emitted; i++) {
      this.#stop.signal.throwIfAborted()
      const index = plan.firstEmitted + i
      const data = frames[i]
      const timestampMs = this.#timestamps.get(index)
      if (data === undefined || timestampMs === undefined) throw new Error(`frame ${index} is missing`)
      this.#timestamps.delete(index)
      this.#framesOut++
      yield { index, timestampMs, width, height, data, kind: this.#options.kind, window: plan.index, aligned }
      this.#report()
    }
  }

  async #open(): Promise<void> {
    const { signal } = this.#stop
    this.#source = await openUnlessAborted(this.#options.openSource(signal), signal)
    this.#reader = this.#source[Symbol.asyncIterator]()
    const first = await this.#nextFrame()
    if (first === undefined) {
      throw this.#sourceError ?? new VideoDepthError('SOURCE_EMPTY', `${this.#source.info.name} has no frames`)
    }
    this.#first = first
    this.#session = await openUnlessAborted(this.#options.openSession(first.width, first.height, signal), signal)
  }

  /** Reads and encodes the frames that window `index` brings in, or as many as there are. */
  async #fill(index: number): Promise<void> {
    const end = newEnd(this.#options.strategy, index)
    const session = this.#engineSession()
    while (!this.#ended && this.#framesIn < end) {
      const frame = this.#first ?? (await this.#nextFrame())
      this.#first = undefined
      if (frame === undefined) return
      const frameIndex = this.#framesIn
      if (!this.#accept(frame, session)) return
      await session.encode(frame, this.#slots.take(frameIndex))
      this.#stop.signal.throwIfAborted()
      this.#framesEncoded++
      this.#report()
    }
  }

  /** Counts a frame in; one of another size ends the video there. */
  #accept(frame: RgbFrame, { geometry }: EngineSession): boolean {
    const { frameWidth, frameHeight } = geometry
    if (frame.width !== frameWidth || frame.height !== frameHeight) {
      const message = `Expected every frame to be ${frameWidth}×${frameHeight}, received ${frame.width}×${frame.height} at frame ${this.#framesIn}`
      this.#endSource(new VideoDepthError('FRAME_SIZE_CHANGED', message))
      return false
    }
    this.#timestamps.set(this.#framesIn, frame.timestampMs)
    this.#framesIn++
    return true
  }

  async #nextFrame(): Promise<RgbFrame | undefined> {
    this.#stop.signal.throwIfAborted()
    const started = performance.now()
    this.#reading = true
    try {
      const result = await unlessAborted(Promise.resolve(this.#reader?.next()), this.#stop.signal)
      if (result?.done === false) return result.value
      this.#ended = true
    } catch (error) {
      this.#stop.signal.throwIfAborted()
      this.#endSource(error)
    } finally {
      this.#read += (performance.now() - started) / 1000
      this.#reading = this.#stop.signal.aborted
    }
    return undefined
  }

  #endSource(error: unknown): void {
    this.#ended = true
    this.#sourceError = error instanceof Error ? error : new Error(String(error))
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
      frameCount: this.#source?.info.frameCount,
    })
  }

  async #release(): Promise<void> {
    this.#stop.abort(ended())
    await this.#session?.close()
    await this.#source?.close()
    // A generator that is stuck in its own await would never answer.
    if (!this.#reading) await this.#reader?.return?.()
    this.#options.onEnd?.()
  }
}

const ended = (): VideoDepthError => new VideoDepthError('CLOSED', 'The run has ended')

/** What opens after an abort is closed again. */
async function openUnlessAborted<T extends { close(): Promise<void> }>(
  opening: Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  opening.then(
    (opened) => signal.aborted && void opened.close(),
    () => undefined,
  )
  return unlessAborted(opening, signal)
}

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort: (() => void) | undefined
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    if (abort !== undefined) signal.removeEventListener('abort', abort)
  }
}

function notFinite(window: number, count: number): VideoDepthError {
  const message = `The network gave ${count} values that are not finite in window ${window}. The checkpoint is damaged, or does not belong to this network.`
  return new VideoDepthError('DEPTH_NOT_FINITE', message)
}
