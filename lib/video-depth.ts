// Owns: VideoDepth, the model as users hold it: load, process, stream, close.
// Must not know: how an engine computes, how files are decoded.

import { CutDetector } from './cuts/cut-detector.js'
import { DepthRun } from './video/run.js'
import type { EngineInfo } from './engine/engine-info.js'
import type { Backend, EngineHost } from './engine/engine.js'
import { openHost } from './engine/open-engine.js'
import { optionConflict, owned, VideoDepthError } from './base/errors.js'
import type { DepthKind } from './base/frame.js'
import { Lifetime } from './base/lifetime.js'
import { openSource, type SourceInput } from './io/sources/open-source.js'
import type { FrameSource } from './io/sources/source.js'
import type { Architecture } from './prepare/checkpoint/architecture.js'
import { kindDoubt } from './prepare/checkpoint/depth-kind.js'
import { checkLoadOptions, type LoadOptions } from './engine/load-options.js'
import { checkProcessOptions, type ProcessOptions } from './video/process-options.js'
import { DepthStream } from './stream/depth-stream.js'
import { checkStreamOptions, type StreamOptions } from './stream/stream-options.js'
import { windowStrategy } from './plan/strategy.js'

/**
 * A loaded Video Depth Anything network. Any number of videos and streams may be processed with one, also at the same
 * time. They take turns: a turn is one frame, or one window's decoding, which a stream beside a video may wait for. On a GPU
 * the first frame of a new size waits minutes for its plans, unless `video-depth build` made them; others go on meanwhile.
 *
 * @example
 * const model = await VideoDepth.load({ checkpoint: 'video_depth_anything_vits.pth' })
 * for await (const { index, data } of model.process('street.mp4')) console.log(index, data)
 * await model.close()
 */
export class VideoDepth {
  readonly #host: EngineHost
  readonly #runs = new Set<DepthRun>()
  readonly #streams = new Set<DepthStream<undefined>>()
  readonly #life = new Lifetime(() => this.#release())

  private constructor(host: EngineHost) {
    this.#host = host
  }

  /**
   * Reads and checks a checkpoint, off the JS thread, and converts it into the cache where that has not been done.
   *
   * @throws VideoDepthError INVALID_OPTION, ADDON_UNAVAILABLE, CHECKPOINT_UNREADABLE, CHECKPOINT_FORBIDDEN,
   *   CHECKPOINT_MISMATCH, WEIGHTS_NOT_FINITE, CACHE_UNWRITABLE; with `precision: 'int8'` also PRECISION_UNAVAILABLE,
   *   QUANTIZATION_REFUSED; with `backend: 'tensorrt'`, or `auto` with
   *   `precision: 'fp16'`, also GPU_UNAVAILABLE, TENSORRT_UNAVAILABLE, GPU_OUT_OF_MEMORY, GPU_FAILED
   */
  static async load(options: LoadOptions): Promise<VideoDepth> {
    const checked = checkLoadOptions(options)
    try {
      const host = await openHost(checked)
      const { checkpoint, metric, onWarning } = checked
      const doubt = host.engine.recipe === undefined ? kindDoubt(checkpoint, metric) : undefined
      if (doubt !== undefined) onWarning(doubt)
      return new VideoDepth(host)
    } catch (error) {
      if (checked.signal?.aborted === true) throw error
      throw owned(error, 'ENGINE_FAILED', 'The model cannot be loaded')
    }
  }

  /** What `load` found in the checkpoint. */
  get architecture(): Architecture {
    return this.#host.engine.architecture
  }

  /** The engine that runs the network. */
  get backend(): Backend {
    return this.#host.engine.backend
  }

  /** Machine, arithmetic and plans of the engine, and how well they agree with float32; grows with the sizes in use. */
  get engineInfo(): EngineInfo {
    return this.#host.engine.info
  }

  /** What the numbers in `DepthFrame.data` are. */
  get kind(): DepthKind {
    return this.#host.kind
  }

  /**
   * Depth of every frame of a video, in order. Nothing is opened before the first frame is asked for.
   *
   * @param source a video file, a folder or list of images, frames of your own, or a source from `openSource`
   *   (which then has its own `maxRes`, `maxLen` and `targetFps`)
   * @throws VideoDepthError INVALID_OPTION at once; from the iterator SOURCE_UNREADABLE, SOURCE_EMPTY, SOURCE_DAMAGED,
   *   FRAME_SIZE_CHANGED, FRAME_INVALID, DEPTH_NOT_FINITE, ENGINE_FAILED, ENGINE_CRASHED, CLOSED; on a GPU
   *   GPU_OUT_OF_MEMORY, GPU_FAILED, PLAN_FAILED
   */
  process(source: SourceInput | FrameSource, options: ProcessOptions = {}): DepthRun {
    const checked = checkProcessOptions(options)
    this.#assertOpen()
    const opened = isFrameSource(source)
    if (opened) refuseSourceOptions(checked.source)
    const run: DepthRun = new DepthRun(this.#host, {
      strategy: windowStrategy(checked.stitching),
      detector: checked.sceneCuts === undefined ? undefined : new CutDetector(checked.sceneCuts),
      openSource: async (signal) => {
        this.#assertOpen()
        this.#runs.add(run)
        return opened ? source : openSource(source, { ...checked.source, signal })
      },
      signal: checked.signal,
      onProgress: checked.onProgress,
      onEnd: () => this.#runs.delete(run),
    })
    return run
  }

  /**
   * A live video: one frame in, one depth map out. Nothing is loaded before the first frame, or `prepare`.
   *
   * @throws VideoDepthError INVALID_OPTION, CLOSED; the reason of a `signal` that is aborted already
   */
  stream(options: StreamOptions & { readonly queue: 'latest' }): DepthStream<undefined>
  stream(options?: StreamOptions & { readonly queue?: 'all' }): DepthStream
  stream(options?: StreamOptions): DepthStream<undefined>
  stream(options: StreamOptions = {}): DepthStream<undefined> {
    const checked = checkStreamOptions(options, this.kind === 'metric')
    this.#assertOpen()
    checked.signal?.throwIfAborted()
    const stream = new DepthStream<undefined>(this.#host, checked, () => this.#streams.delete(stream))
    this.#streams.add(stream)
    return stream
  }

  #assertOpen(): void {
    if (this.#life.signal.aborted) throw closed()
  }

  /** Idempotent. Runs and streams that are under way reject with code CLOSED. */
  close(): Promise<void> {
    return this.#life.end(closed())
  }

  #release(): Promise<void> {
    const released = this.#host.engine.close()
    for (const stream of this.#streams) void stream.close().catch(() => undefined) // told by the engine's own
    for (const run of this.#runs) run.stop(closed())
    return released
  }

  /** As `close()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

const closed = (): VideoDepthError => new VideoDepthError('CLOSED', 'The model was closed')

function isFrameSource(source: SourceInput | FrameSource): source is FrameSource {
  const candidate: unknown = source
  return typeof candidate === 'object' && candidate !== null && 'info' in candidate && 'close' in candidate
}

/** They would be ignored. */
function refuseSourceOptions(options: object): void {
  const [name] = Object.keys(options)
  if (name !== undefined)
    throw optionConflict(`${name} has no effect on a source that is open already: give it to what opens the source`)
}
