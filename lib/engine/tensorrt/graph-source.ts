// Owns: weights and graphs for plans, made in a thread of their own that lives as long as there is something to make.
// Must not know: plans, GPUs.

import { setTimeout as wait } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { VideoDepthError } from '../../base/errors.js'
import type { PreparedWeights } from '../../prepare/graph/prepare-weights.js'
import type { Precision } from '../../prepare/graph/weights.js'
import { inPackage } from '../../base/own-package.js'
import { unlessAborted } from '../../base/unless-aborted.js'
import type { LoadProgress, Preparation } from '../engine.js'
import type { GraphFile, GraphFileRequest, GraphMessage, WeightsRequest } from './graph-protocol.js'
import type { GraphRequest } from './plan-spec.js'

// Worker threads always run the ESM build, also for CommonJS callers.
const workerFile = ['dist', 'esm', 'engine', 'tensorrt', 'graph-worker.js'] as const

/** For the thread to stop between two tensors and remove what it was writing. */
const stopGraceMs = 500

export interface CheckpointOptions {
  readonly checkpoint: string
  readonly cacheDir?: string | undefined
  readonly weightsKey?: string | undefined
  /** As in PrepareWeightsOptions. */
  readonly metric?: boolean | undefined
}

/** One use: opened, asked, closed. */
export class GraphSource {
  readonly #options: CheckpointOptions
  readonly #preparation: Preparation
  readonly #worker = new Worker(inPackage(...workerFile), { name: 'video-depth graphs', execArgv: [] })
  readonly #weights = new Map<Precision, Promise<PreparedWeights>>()
  /** Settles when the thread has answered, also where nobody waits for that any more. */
  #idle: Promise<void> = Promise.resolve()
  #ended: VideoDepthError | undefined

  private constructor(options: CheckpointOptions, preparation: Preparation) {
    this.#options = options
    this.#preparation = preparation
    // Also between two requests: without a listener an error there would be the process's.
    this.#worker.on('error', ({ message }) => (this.#ended ??= crashed(message)))
    this.#worker.on('exit', (code) => (this.#ended ??= crashed(`exit code ${code}`)))
  }

  /** The thread ends with `work`. An abort rejects with its reason, within the time that cleaning up takes. */
  static async use<T>(
    options: CheckpointOptions,
    preparation: Preparation,
    work: (source: GraphSource) => Promise<T>,
  ): Promise<T> {
    preparation.signal.throwIfAborted()
    const source = new GraphSource(options, preparation)
    try {
      return await work(source)
    } finally {
      await source.#close()
    }
  }

  /** Converted at most once. */
  weights(precision: Precision): Promise<PreparedWeights> {
    let weights = this.#weights.get(precision)
    if (weights === undefined) {
      const { checkpoint, cacheDir, weightsKey, metric } = this.#options
      const request = { op: 'weights', checkpoint, cacheDir, weightsKey, metric, precision } as const
      weights = this.#ask<PreparedWeights>(request)
      this.#weights.set(precision, weights)
    }
    return weights
  }

  async graph(request: GraphRequest): Promise<GraphFile> {
    const weights = await this.weights(request.form.weights)
    return this.#ask<GraphFile>({ op: 'graph', weights, request })
  }

  async #ask<T>(request: WeightsRequest | GraphFileRequest): Promise<T> {
    const { signal } = this.#preparation
    await unlessAborted(this.#idle, signal)
    if (this.#ended !== undefined) throw this.#ended
    return unlessAborted(this.#exchange<T>(request), signal)
  }

  #exchange<T>(request: WeightsRequest | GraphFileRequest): Promise<T> {
    const worker = this.#worker
    return new Promise<T>((resolve, reject) => {
      this.#idle = new Promise((becomeIdle) => {
        const receive = (message: GraphMessage): void => {
          if ('progress' in message) {
            this.#report(message.progress, reject)
            return
          }
          end()
          if ('value' in message) resolve(message.value as T)
          else reject(revived(message.error))
        }
        const fail = (error: Error): void => {
          end()
          reject(crashed(error.message))
        }
        const exited = (code: number): void => fail(new Error(`exit code ${code}`))
        const end = (): void => {
          worker.off('message', receive).off('error', fail).off('exit', exited)
          becomeIdle()
        }
        worker.on('message', receive).on('error', fail).on('exit', exited)
        worker.postMessage(request)
      })
    })
  }

  /** A callback of the user's that throws fails the call that it was given to. */
  #report(progress: LoadProgress, reject: (error: unknown) => void): void {
    if (this.#preparation.signal.aborted) return
    try {
      this.#preparation.onProgress(progress)
    } catch (error) {
      reject(error)
    }
  }

  async #close(): Promise<void> {
    this.#worker.postMessage({ op: 'stop' })
    await Promise.race([this.#idle, wait(stopGraceMs)])
    await this.#worker.terminate()
  }
}

function crashed(how: string): VideoDepthError {
  return new VideoDepthError('ENGINE_CRASHED', `The thread that makes graphs ended unexpectedly (${how})`)
}

function revived({ code, message, stack }: Extract<GraphMessage, { error: unknown }>['error']): VideoDepthError {
  const cause = new Error(message)
  if (stack !== undefined) cause.stack = stack
  return new VideoDepthError(code ?? 'ENGINE_FAILED', message, { cause })
}
