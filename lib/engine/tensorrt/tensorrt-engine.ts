// Owns: the TensorRT engine: what it is made of, the sessions and streams on it, its end.
// Must not know: windows' meaning, videos, how the GPU computes.

import { VideoDepthError } from '../../base/errors.js'
import { Lifetime } from '../../base/lifetime.js'
import { emitterVersion } from '../../prepare/graph/builder.js'
import type { Precision } from '../../prepare/graph/weights.js'
import type { Architecture } from '../../prepare/checkpoint/architecture.js'
import type { Recipe } from '../../prepare/checkpoint/recipe.js'
import type { NativeGpu, NativeGpuEngine } from '../../native/gpu-types.js'
import { openUnlessAborted } from '../../base/unless-aborted.js'
import { engineId } from '../engine-id.js'
import type { EngineInfo } from '../engine-info.js'
import type {
  Engine,
  EngineSession,
  EngineStream,
  LoadProgress,
  Preparation,
  SessionGeometry,
  StreamGeometry,
} from '../engine.js'
import { GpuGuard } from './gpu-error.js'
import { GraphSource } from './graph-source.js'
import { exactOnly, ladderStart, type LadderStart } from './ladder.js'
import { openGpu, type GpuOptions, type OpenedGpu } from './open-gpu.js'
import { PlanBuilder } from './plan-builder.js'
import { buildTarget, PlanCache, planFolder } from './plan-cache.js'
import { PlanSets, type PlanSet } from './plan-sets.js'
import { streamBatches, windowPlans, type PlanSpec } from './plan-spec.js'
import { cpuReference, type ReferenceOptions, type ReferenceSource } from './reference.js'
import { StreamPool } from './stream-pool.js'
import type { Seat } from './stream-room.js'
import { TensorRtSession } from './tensorrt-session.js'
import { TensorRtStream } from './tensorrt-stream.js'

export interface TensorRtEngineOptions extends GpuOptions {
  readonly checkpoint: string
  readonly cacheDir?: string | undefined
  /** Undefined: FP16, but FP32 for weights that FP16 cannot hold. */
  readonly precision?: Precision | undefined
  readonly weightsKey?: string | undefined
  /** As in PrepareWeightsOptions. */
  readonly metric?: boolean | undefined
  /** Threads of the CPU engine that plans are compared with. */
  readonly threads: number
  readonly streamBatch: number
  readonly batchDelayMs: number
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined
}

/** What the engine does not make itself; others only in tests. */
export interface TensorRtParts {
  readonly gpu: NativeGpu | null
  readonly reference?: (options: ReferenceOptions) => ReferenceSource
}

interface Network {
  readonly architecture: Architecture
  /** As in PreparedWeights. */
  readonly sha256: string
  readonly recipe: Recipe | undefined
  readonly precision: Precision
  /** Why FP16 is left out, where the weights rule it out. */
  readonly exactReason: string | undefined
}

export class TensorRtEngine implements Engine {
  readonly backend = 'tensorrt'
  readonly architecture: Architecture
  readonly recipe: Recipe | undefined
  readonly id: string
  readonly #native: NativeGpuEngine
  readonly #guard = new GpuGuard()
  readonly #sets: PlanSets
  readonly #pools = new Map<string, StreamPool>()
  readonly #open = new Set<{ close(): Promise<void> }>()
  readonly #life = new Lifetime(() => this.#release())
  readonly #batches: readonly number[]
  readonly #options: TensorRtEngineOptions
  readonly #info: Omit<EngineInfo, 'plans'>

  private constructor(
    { native, cuda }: OpenedGpu,
    network: Network,
    options: TensorRtEngineOptions,
    parts: TensorRtParts,
  ) {
    const { architecture, sha256, recipe, precision, exactReason } = network
    const { device, tensorRt } = native
    this.architecture = architecture
    this.recipe = recipe
    const name = [sha256, architecture.taps.join('-')].join('.')
    // Streams' states also name their arithmetic: which one that is depends on the size.
    this.id = engineId({ sha256, emitterVersion, taps: architecture.taps }, precision, 'tensorrt')
    this.#native = native
    this.#options = options
    this.#batches = streamBatches(options.streamBatch)
    const { name: gpuName, index, computeCapability, memoryBytes } = device
    const gpu = { tensorRt, device: index, name: gpuName, computeCapability, memoryBytes }
    this.#info = { backend: 'tensorrt', precision, kernels: undefined, check: undefined, fallback: undefined, gpu }
    const { checkpoint, cacheDir, weightsKey, threads } = options
    const target = buildTarget(native, cuda)
    const cache = new PlanCache(planFolder(cacheDir))
    const start: LadderStart =
      exactReason === undefined ? ladderStart(precision, tensorRt, computeCapability) : exactOnly(exactReason)
    const reference = (parts.reference ?? cpuReference)({
      checkpoint,
      cacheDir,
      weightsKey,
      threads,
      network: name,
      folder: cache.folder,
    })
    this.#sets = new PlanSets({
      native,
      guard: this.#guard,
      builder: new PlanBuilder(native, this.#guard, cache, target),
      reference,
      checkpoint: { checkpoint, cacheDir, weightsKey },
      network: name,
      precision,
      start,
      target,
      folder: cache.folder,
    })
  }

  /**
   * Opens the GPU and reads the checkpoint; plans come with the first frame of a size.
   *
   * @throws VideoDepthError GPU_UNAVAILABLE, TENSORRT_UNAVAILABLE, GPU_OUT_OF_MEMORY, GPU_FAILED, or of the checkpoint
   */
  static async load(options: TensorRtEngineOptions, parts: TensorRtParts): Promise<TensorRtEngine> {
    const { signal } = options
    signal?.throwIfAborted()
    const { native, cuda } = await openUnlessAborted(openedGpu(parts.gpu, options), signal)
    try {
      return new TensorRtEngine({ native, cuda }, await readNetwork(options), options, parts)
    } catch (error) {
      await native.close()
      throw error
    }
  }

  get info(): EngineInfo {
    return { ...this.#info, plans: this.#sets.infos }
  }

  /** About what came out not finite last: the error that this ends tells of that. */
  get nonFiniteAdvice(): string {
    return (this.#sets.lastSuspect ?? this.#info.precision) === 'fp32'
      ? 'The checkpoint is damaged, or does not belong to this network.'
      : "Load the model with precision 'fp32'; the next load takes slower arithmetic by itself."
  }

  async openSession(geometry: SessionGeometry, signal?: AbortSignal): Promise<EngineSession> {
    const { inputWidth, inputHeight, windowLength, frameWidth, frameHeight, slots } = geometry
    const ending = this.#ending(signal)
    const set = await this.#hold({ use: 'windows', inputWidth, inputHeight, windowLength }, ending)
    return this.#opened(set, ending, async () => {
      const options = { ...windowPlans(set.plans), frameWidth, frameHeight, slots }
      const native = await this.#guard.call(() => this.#native.openWindows(options))
      const session: TensorRtSession = new TensorRtSession(native, geometry, {
        guard: this.#guard,
        set,
        onClose: () => this.#open.delete(session),
      })
      return session
    })
  }

  async openStream(geometry: StreamGeometry, signal?: AbortSignal): Promise<EngineStream> {
    const { inputWidth, inputHeight } = geometry
    const spec = { use: 'streams', inputWidth, inputHeight, batches: this.#batches } as const
    const ending = this.#ending(signal)
    const set = await this.#hold(spec, ending)
    return this.#opened(set, ending, async () => {
      const takeSeat = (): Promise<Seat> => this.#pool(inputWidth, inputHeight).seat(spec, set)
      const onClose = (): void => void this.#open.delete(stream)
      const stream: TensorRtStream = new TensorRtStream(geometry, { seat: await takeSeat(), takeSeat, set, onClose })
      return stream
    })
  }

  /** The end of a call: its caller's abort, or the engine's own end. */
  #ending(signal: AbortSignal | undefined): AbortSignal {
    return AbortSignal.any([this.#life.signal, ...(signal === undefined ? [] : [signal])])
  }

  async #hold(spec: PlanSpec, signal: AbortSignal): Promise<PlanSet> {
    this.#guard.assertUsable()
    return this.#sets.hold(spec, { signal, onProgress: this.#options.onProgress ?? (() => undefined) })
  }

  /** An abort rejects at once; what opens after it is closed again. */
  #opened<T extends { close(): Promise<void> }>(set: PlanSet, signal: AbortSignal, open: () => Promise<T>): Promise<T> {
    const opening = open().then(
      (opened) => {
        this.#open.add(opened)
        return opened
      },
      (error: unknown) => {
        set.release()
        throw error
      },
    )
    return openUnlessAborted(opening, signal)
  }

  #pool(inputWidth: number, inputHeight: number): StreamPool {
    const name = `${inputWidth}x${inputHeight}`
    let pool = this.#pools.get(name)
    if (pool === undefined) {
      const { batchDelayMs } = this.#options
      pool = new StreamPool({ native: this.#native, guard: this.#guard, batchDelayMs })
      this.#pools.set(name, pool)
    }
    return pool
  }

  close(): Promise<void> {
    this.#guard.close()
    return this.#life.end(new VideoDepthError('CLOSED', 'The engine was closed'))
  }

  async #release(): Promise<void> {
    const sessions = [...this.#open].map((one) => one.close())
    await this.#native.close()
    await Promise.all(sessions)
    await this.#sets.settled()
  }
}

async function openedGpu(gpu: NativeGpu | null, options: GpuOptions): Promise<OpenedGpu & { close(): Promise<void> }> {
  const opened = await openGpu(gpu, options)
  return { ...opened, close: () => opened.native.close() }
}

/** Also the weights, so that a checkpoint is refused by `load` and not at the first frame. */
async function readNetwork(options: TensorRtEngineOptions): Promise<Network> {
  const { precision, signal, onProgress } = options
  const preparation: Preparation = {
    signal: signal ?? new AbortController().signal,
    onProgress: onProgress ?? (() => undefined),
  }
  return GraphSource.use(options, preparation, async (graphs) => {
    try {
      const weights = await graphs.weights(precision ?? 'fp16')
      return { ...weights, exactReason: undefined }
    } catch (error) {
      const isTooLarge = error instanceof VideoDepthError && error.code === 'WEIGHTS_NOT_FINITE'
      if (precision !== undefined || !isTooLarge) throw error
      return { ...(await graphs.weights('fp32')), precision: 'fp16', exactReason: error.message }
    }
  })
}
