// Owns: DepthStream, one frame in, one depth map out: who waits, in which order, what is dropped, how it ends.
// Must not know: how a frame is computed, where frames come from, where depth goes.

import { counted } from '../base/counted.js'
import { invalidOption, owned, VideoDepthError } from '../base/errors.js'
import { Lifetime } from '../base/lifetime.js'
import { mostPixels } from '../base/pixel-format.js'
import { quietAtEnd, quietIterator } from '../base/quiet-promise.js'
import { depthTransform, depthsOf, type StreamPort } from './adapters.js'
import type { EngineHost } from '../engine/engine.js'
import { FrameComputer, type ComputedFrame } from './frame-computer.js'
import { LatencyRecord, type LatencyPercentiles } from './latency.js'
import { ownFrame, type OwnedFrame, type StreamDepth, type StreamFrame } from './stream-frame.js'
import type { CheckedStreamOptions } from './stream-options.js'

/** What a stream has done so far. */
export interface StreamStats {
  /** Frames that came, those dropped or refused included. */
  readonly framesIn: number
  readonly framesOut: number
  /** Frames that `queue: 'latest'` passed over for newer ones. */
  readonly dropped: number
  /** Scenes begun: one with the first frame, one more for each cut, reset and discontinuity. */
  readonly scenes: number
  /** Maps of the network without two different values. */
  readonly flatMaps: number
  /** Latency of all frames but those that waited for the network to be loaded; undefined before the first of them. */
  readonly latency: LatencyPercentiles | undefined
}

interface FrameJob {
  readonly frame: OwnedFrame
  readonly resolve: (depth: StreamDepth | undefined) => void
  readonly reject: (error: unknown) => void
}

interface Task {
  readonly work: () => Promise<void>
  readonly reject: (error: unknown) => void
}

/**
 * Depth of a live video, frame by frame, as Video Depth Anything's streaming mode computes it: each frame sees what its
 * temporal attentions remember of up to 31 earlier ones. Frames are computed in the order pushed. Streams of one model take
 * turns, frame by frame, and share nothing else.
 *
 * A frame that fails rejects its own `push` and is not remembered; the stream goes on with the next one. Where a GPU fails or
 * runs out of memory, what was remembered is gone: each frame is rejected with that error until `reset`, a cut or `restore`.
 */
export class DepthStream<Dropped extends undefined = never> {
  readonly #computer: FrameComputer
  readonly #host: EngineHost
  readonly #options: CheckedStreamOptions
  readonly #latency = new LatencyRecord()
  readonly #queue: (FrameJob | Task)[] = []
  readonly #life: Lifetime
  #busy: FrameJob | Task | undefined
  /** The next frame that comes begins anew. */
  #fresh = false
  #framesIn = 0
  #framesOut = 0
  #dropped = 0

  /** Made by `VideoDepth.stream`. @internal */
  constructor(host: EngineHost, options: CheckedStreamOptions, onClose: () => void) {
    this.#host = host
    this.#options = options
    this.#computer = new FrameComputer(host, options)
    this.#life = new Lifetime((reason) => {
      this.#rejectAll(reason)
      onClose()
      return this.#computer.close()
    }, options.signal)
  }

  /** What the stream has done so far. */
  get stats(): StreamStats {
    return {
      framesIn: this.#framesIn,
      framesOut: this.#framesOut,
      dropped: this.#dropped,
      scenes: this.#computer.scenes,
      flatMaps: this.#computer.flatMaps,
      latency: this.#latency.percentiles,
    }
  }

  /**
   * The frame's depth. The bytes are copied before this returns. With `queue: 'latest'`, undefined where a newer frame
   * came before this one's turn.
   *
   * Rejects with FRAME_INVALID, FRAME_SIZE_CHANGED, QUEUE_FULL (`queueLimit` frames are waiting), DEPTH_NOT_FINITE,
   * ENGINE_FAILED, ENGINE_CRASHED or CLOSED, or the reason of an aborted `signal`. A promise that rejects because the stream
   * has ended may be left alone; other errors of a promise that nobody awaits end the process, as Node.js does it.
   */
  push(frame: StreamFrame): Promise<StreamDepth | Dropped> {
    return this.#quiet(this.#push(frame))
  }

  async #push(frame: StreamFrame): Promise<StreamDepth | Dropped> {
    const waiting = this.#waiting().length
    if (this.#options.queue === 'all' && waiting >= this.#options.queueLimit) {
      this.#refuse(frame)
      const message = `${counted(waiting, 'frame is', 'frames are')} waiting already: await push(), raise queueLimit, or use queue 'latest'`
      throw new VideoDepthError('QUEUE_FULL', message)
    }
    // With `all` nothing is dropped.
    return (await this.#enqueue(this.#own(frame))) as StreamDepth | Dropped
  }

  /**
   * Depth of all these frames, in order. One frame is read ahead; with `queue: 'latest'` frames are read as they come and
   * the newest is computed when the reader asks. An error of the frames is thrown after the depth of those before it.
   * Breaking out of the loop closes the frames, not the stream; closing the stream ends the loop with its error.
   */
  depths(frames: Iterable<StreamFrame> | AsyncIterable<StreamFrame>): AsyncIterableIterator<StreamDepth, undefined> {
    return quietIterator(depthsOf(this.#port(), frames), (error) => this.#life.isEnd(error))
  }

  /**
   * The same as a pair of Web streams: `camera.pipeThrough(stream.transform())`. A slow reader holds up its own frames
   * (`all`) or has them dropped (`latest`), and nobody else. An error of either side, or the stream's end, ends both.
   */
  transform(): TransformStream<StreamFrame, StreamDepth> {
    return depthTransform(this.#port())
  }

  /** Loads the network for frames of this size, in pixels; otherwise the first frame waits for that. */
  prepare(width: number, height: number): Promise<void> {
    return this.#quiet(this.#prepare(width, height))
  }

  async #prepare(width: number, height: number): Promise<void> {
    for (const [name, side] of Object.entries({ width, height })) {
      if (!Number.isInteger(side) || side < 1 || side > mostPixels)
        throw invalidOption(`a whole number of pixels from 1 to ${mostPixels}`, name, side)
    }
    await this.#task(() => this.#computer.prepare(width, height))
  }

  /** The next frame that comes begins anew, as the first one did; it may have another size. */
  reset(): void {
    this.#fresh = true
  }

  /**
   * Everything that the next frame depends on, once the frames that came so far are done. `restore` goes on from there bit
   * for bit, in this or another process, with the same checkpoint and options. For ViT-S: 118 MB at 252×448, 282 MB at
   * 518×518; with `sceneCuts` also the last picture. Rejects with SNAPSHOT_MISMATCH where there is nothing to go on from.
   */
  snapshot(): Promise<Uint8Array<ArrayBuffer>> {
    const next = this.#framesIn
    return this.#quiet(this.#task(() => this.#computer.snapshot(next)))
  }

  /**
   * Frames that come from now on go on where the snapshot was made. The bytes must not change before it settles.
   *
   * Rejects with SNAPSHOT_MISMATCH where the bytes are damaged, of another version, of another model, or of a stream with
   * another input size or other options; then this stream is as it was.
   */
  restore(snapshot: Uint8Array): Promise<void> {
    const next = this.#framesIn
    const calledMs = performance.now()
    return this.#quiet(this.#task(() => this.#computer.restore(snapshot, next, calledMs)))
  }

  /** Idempotent. What is waited for rejects with code CLOSED. */
  close(): Promise<void> {
    return this.#life.end(new VideoDepthError('CLOSED', 'The stream was closed'))
  }

  /** As `close()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #port(): StreamPort {
    return {
      policy: this.#options.queue,
      own: (frame) => this.#own(frame),
      compute: (frame) => this.#enqueue(frame),
      replaced: (old, next) => {
        this.#dropped++
        return old.fresh ? { ...next, fresh: true } : next
      },
      discarded: (frame) => {
        if (frame?.fresh === true) this.#fresh = true
      },
      life: this.#life.signal,
    }
  }

  #own(frame: StreamFrame): OwnedFrame {
    this.#assertOpen()
    try {
      const owned = ownFrame(frame, this.#framesIn, this.#fresh)
      this.#fresh = false
      this.#framesIn++
      return owned
    } catch (error) {
      this.#refuse(frame)
      throw owned(error, 'FRAME_INVALID', `Frame ${this.#framesIn - 1} cannot be read`)
    }
  }

  /** It counts, and if it was to begin anew, so does the next one. */
  #refuse(frame: StreamFrame): void {
    this.#framesIn++
    if ((frame as StreamFrame | undefined)?.discontinuity === true) this.#fresh = true
  }

  async #enqueue(frame: OwnedFrame): Promise<StreamDepth | undefined> {
    this.#assertOpen()
    if (this.#options.queue === 'latest') for (const job of this.#waiting()) this.#drop(job)
    return new Promise((resolve, reject) => this.#add({ frame, resolve, reject }))
  }

  #waiting(): FrameJob[] {
    return this.#queue.filter((job) => 'frame' in job)
  }

  /** What it was to begin begins in its place. */
  #drop(job: FrameJob): void {
    const begin: Task[] = job.frame.fresh ? [this.#beginning()] : []
    this.#queue.splice(this.#queue.indexOf(job), 1, ...begin)
    this.#dropped++
    job.resolve(undefined)
  }

  #beginning(): Task {
    const work = (): Promise<void> => {
      this.#computer.begin()
      return Promise.resolve()
    }
    return { work, reject: () => undefined }
  }

  /** In the order of the frames; a reset that no frame has taken up comes before it. */
  #task<T>(action: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#assertOpen()
      if (this.#fresh) this.#add(this.#beginning())
      this.#fresh = false
      this.#add({ work: async () => resolve(await action()), reject })
    })
  }

  #add(job: FrameJob | Task): void {
    this.#queue.push(job)
    if (this.#busy === undefined) void this.#work()
  }

  async #work(): Promise<void> {
    for (let job = this.#queue.shift(); job !== undefined; job = this.#queue.shift()) {
      this.#busy = job
      try {
        if ('frame' in job) job.resolve(this.#finished(await this.#computer.compute(job.frame)))
        else await job.work()
      } catch (error) {
        job.reject(
          this.#life.signal.aborted
            ? this.#life.signal.reason
            : owned(error, 'ENGINE_FAILED', 'The stream cannot go on'),
        )
      }
    }
    this.#busy = undefined
  }

  #finished({ waitedForNetwork, ...frame }: ComputedFrame): StreamDepth {
    this.#framesOut++
    if (!waitedForNetwork) this.#latency.add(frame.timings.totalMs)
    return { ...frame, kind: this.#host.kind, latency: this.#latency.percentiles, dropped: this.#dropped }
  }

  #rejectAll(reason: unknown): void {
    this.#busy?.reject(reason)
    for (const { reject } of this.#queue.splice(0)) reject(reason)
  }

  #quiet<T>(work: Promise<T>): Promise<T> {
    return quietAtEnd(work, (error) => this.#life.isEnd(error))
  }

  #assertOpen(): void {
    this.#life.signal.throwIfAborted()
  }
}
