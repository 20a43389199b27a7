// Owns: the CPU engine as the main thread sees it: one worker thread, its pending requests, its end.
// Must not know: windows' meaning, videos.

import { setTimeout as wait } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { VideoDepthError } from '../../base/errors.js'
import type { CpuKernels } from '../../native/cpu-types.js'
import type { Architecture } from '../../prepare/checkpoint/architecture.js'
import type { Recipe } from '../../prepare/checkpoint/recipe.js'
import { inPackage } from '../../base/own-package.js'
import { chooseKernels, kernelsVariable, type CpuPrecision } from './choose-kernels.js'
import { thisProcessor } from './processor.js'
import type { CpuMessage, CpuReplies, CpuRequest, OpenRequest, OpenStreamRequest, WireError } from './protocol.js'
import { CpuEngineStream, CpuSession, type SessionHost } from './session.js'
import type { EngineFallback, EngineInfo } from '../engine-info.js'
import type { Engine, EngineStream, LoadProgress, SessionGeometry, StreamGeometry } from '../engine.js'

export interface CpuEngineOptions {
  readonly checkpoint: string
  readonly cacheDir?: string | undefined
  readonly precision: CpuPrecision
  readonly weightsKey?: string | undefined
  /** The checkpoint is taken for a metric one, or not: as in PrepareWeightsOptions, and int8 is judged by it. */
  readonly metric?: boolean | undefined
  /** ≥ 1 */
  readonly threads: number
  /** Why no GPU runs the network instead, where one was looked for. */
  readonly fallback?: EngineFallback | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined
  /** The worker's program; another one only in tests. */
  readonly workerFile?: string
}

/** For the worker to stop between two tensors and clean up. */
const abortGraceMs = 500

/** {@link Engine.nonFiniteAdvice} */
const advice: Readonly<Record<CpuPrecision, string>> = {
  fp32: 'The checkpoint is damaged, or does not belong to this network.',
  int8: "Load the model with precision 'fp32'; where that gives the same, the checkpoint is damaged.",
}

interface Pending {
  /** Undefined for requests that belong to no session. */
  readonly session: number | undefined
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  readonly onProgress: ((progress: LoadProgress) => void) | undefined
}

interface RequestOptions {
  readonly transfer?: readonly ArrayBuffer[]
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined
}

// Worker threads always run the ESM build, also for CommonJS callers.
const workerFile = ['dist', 'esm', 'engine', 'cpu', 'worker.js'] as const

export class CpuEngine implements Engine, SessionHost {
  readonly backend = 'cpu'
  readonly threads: number
  readonly nonFiniteAdvice: string
  readonly #worker: Worker
  readonly #exited: Promise<void>
  readonly #pending = new Map<number, Pending>()
  readonly #sessions = new Set<CpuSession | CpuEngineStream>()
  readonly #onProgress: ((progress: LoadProgress) => void) | undefined
  #nextId = 0
  #ended: VideoDepthError | undefined
  #architecture: Architecture | undefined
  #recipe: Recipe | undefined
  #id = ''
  #info: EngineInfo

  private constructor(options: CpuEngineOptions, kernels: CpuKernels) {
    this.threads = options.threads
    const { precision, fallback } = options
    this.#info = { backend: 'cpu', precision, kernels, check: undefined, fallback, gpu: undefined, plans: [] }
    this.nonFiniteAdvice = advice[precision]
    this.#onProgress = options.onProgress
    this.#worker = new Worker(options.workerFile ?? inPackage(...workerFile), {
      name: 'video-depth cpu engine',
      resourceLimits: { maxYoungGenerationSizeMb: 4 }, // it makes little garbage; by default V8 lets that grow to 48 MB
      execArgv: [], // the caller's flags, such as --input-type, are not for this program
    })
    this.#worker.unref() // pending requests hold the process, an idle engine does not
    this.#worker.on('message', (message: CpuMessage) => this.#receive(message))
    this.#worker.on('error', (cause) => this.#end(crashed(cause.message, cause)))
    this.#exited = new Promise((resolve) => this.#worker.once('exit', () => resolve()))
    this.#worker.on('exit', (code) => this.#end(crashed(`exit code ${code}`)))
  }

  /**
   * Reads the checkpoint, or finds it in the cache, in the worker. What computes it is {@link chooseKernels}'s.
   *
   * @throws VideoDepthError ADDON_UNAVAILABLE, INVALID_OPTION, QUANTIZATION_REFUSED, DEPTH_NOT_FINITE, and what reading a checkpoint throws
   */
  static async load(options: CpuEngineOptions): Promise<CpuEngine> {
    options.signal?.throwIfAborted()
    const { checkpoint, cacheDir, precision, weightsKey, metric, threads, signal, onProgress } = options
    // An addon that does not load fails here, with its diagnosis, rather than in the worker.
    const kernels = chooseKernels(thisProcessor(), process.env[kernelsVariable])
    const engine = new CpuEngine(options, kernels)
    try {
      const checkpointOptions = { checkpoint, cacheDir, weightsKey, metric }
      const request = { op: 'load', ...checkpointOptions, precision, kernels, threads } as const
      const { architecture, recipe, id, check } = await engine.request(request, { signal, onProgress })
      engine.#architecture = architecture
      engine.#recipe = recipe
      engine.#id = id
      engine.#info = { ...engine.#info, check }
      return engine
    } catch (error) {
      // The worker removes what it was writing; an abort does not wait long for that.
      await (signal?.aborted === true ? Promise.race([engine.close(), wait(abortGraceMs)]) : engine.close())
      throw error
    }
  }

  get architecture(): Architecture {
    if (this.#architecture === undefined) throw new VideoDepthError('CLOSED', 'The engine was not loaded')
    return this.#architecture
  }

  get recipe(): Recipe | undefined {
    return this.#recipe
  }

  get id(): string {
    return this.#id
  }

  get info(): EngineInfo {
    return this.#info
  }

  async openStream(geometry: StreamGeometry, signal?: AbortSignal): Promise<EngineStream> {
    const id = await this.#open((session) => ({ op: 'open-stream', session, geometry }), signal)
    const stream = new CpuEngineStream(this, id, geometry, () => this.#sessions.delete(stream))
    this.#sessions.add(stream)
    return stream
  }

  async openSession(geometry: SessionGeometry, signal?: AbortSignal): Promise<CpuSession> {
    const id = await this.#open((session) => ({ op: 'open', session, geometry }), signal)
    const session = new CpuSession(this, id, geometry, () => this.#sessions.delete(session))
    this.#sessions.add(session)
    return session
  }

  async #open(
    request: (session: number) => OpenRequest | OpenStreamRequest,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const id = this.#nextId++
    try {
      await this.request(request(id), { signal, onProgress: this.#onProgress })
      return id
    } catch (error) {
      this.closeSession(id) // where the worker opens it after all
      throw error
    }
  }

  request<R extends CpuRequest>(request: R, options: RequestOptions = {}): Promise<CpuReplies[R['op']]> {
    const { transfer = [], signal, onProgress } = options
    if (this.#ended !== undefined) return Promise.reject(new VideoDepthError(this.#ended.code, this.#ended.message))
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error)
    const id = this.#nextId++
    const abort = (): void => {
      this.#worker.postMessage({ id: this.#nextId++, op: 'abort', target: id })
      this.#settle(id)?.reject(signal?.reason)
    }
    signal?.addEventListener('abort', abort, { once: true })
    const reply = new Promise<unknown>((resolve, reject) => {
      const isOpening = request.op === 'open' || request.op === 'open-stream'
      const session = 'session' in request && !isOpening ? request.session : undefined
      this.#pending.set(id, { session, resolve, reject, onProgress })
      if (this.#pending.size === 1) this.#worker.ref()
      this.#worker.postMessage({ ...request, id }, transfer)
    })
    return reply.finally(() => signal?.removeEventListener('abort', abort)) as Promise<CpuReplies[R['op']]>
  }

  /** Ends a session or a stream. Rejects what it waits for; the worker frees its memory when what it computes is done. */
  closeSession(session: number): void {
    for (const [id, pending] of this.#pending) {
      if (pending.session !== session) continue
      this.#settle(id)?.reject(new VideoDepthError('CLOSED', 'It was closed'))
    }
    this.request({ op: 'close', session }).catch(() => {
      // The engine is gone, and the session with it.
    })
  }

  /** Everything pending rejects at once; resolves when the thread has ended, which what it computes holds up. */
  async close(): Promise<void> {
    this.#end(new VideoDepthError('CLOSED', 'The engine was closed'))
    await Promise.all([...this.#sessions].map((session) => session.close()))
    this.#worker.ref() // or the process could end before its end is known
    this.#worker.postMessage({ id: this.#nextId++, op: 'shutdown' })
    await this.#exited
  }

  #receive(message: CpuMessage): void {
    if ('progress' in message) this.#report(message.id, message.progress)
    else if ('error' in message) this.#settle(message.id)?.reject(revived(message.error))
    else this.#settle(message.id)?.resolve(message.value)
  }

  /** A callback of the user's that throws fails the call that it was given to. */
  #report(id: number, progress: LoadProgress): void {
    try {
      this.#pending.get(id)?.onProgress?.(progress)
    } catch (error) {
      this.#settle(id)?.reject(error)
      this.#worker.postMessage({ id: this.#nextId++, op: 'abort', target: id })
    }
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    // A late answer, after `close`, changes nothing.
    if (this.#pending.delete(id) && this.#pending.size === 0) this.#worker.unref()
    return pending
  }

  /** The first reason stays; everything pending is rejected with it. */
  #end(reason: VideoDepthError): void {
    if (this.#ended !== undefined) return
    this.#ended = reason
    for (const { reject } of this.#pending.values()) reject(reason)
    this.#pending.clear()
  }
}

function crashed(how: string, cause?: unknown): VideoDepthError {
  const message = `The CPU engine's worker ended unexpectedly (${how}). Load the model again to go on.`
  return new VideoDepthError('ENGINE_CRASHED', message, cause === undefined ? undefined : { cause })
}

function revived({ code, message, stack }: WireError): Error {
  const cause = new Error(message)
  if (stack !== undefined) cause.stack = stack
  return new VideoDepthError(code === 'ABORTED' ? 'CLOSED' : code, message, { cause })
}
