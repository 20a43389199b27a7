// Owns: the three ONNX Runtime sessions of one geometry, and the scratch buffers that they share.
// Must not know: threads, messages, videos. Its calls block the thread that makes them.

import { setImmediate as breathe } from 'node:timers/promises'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { VideoDepthError } from '../errors.js'
import type { RunGate } from './run-gate.js'

/** What is kept of one frame: the encoder's four outputs. */
export type Features = readonly Float32Array<ArrayBuffer>[]

const featureNames = ['layer1', 'layer2', 'layer3', 'layer4'] as const

export interface NetworkPaths {
  readonly encoder: string
  readonly temporalHead: string
  readonly depthDecoder: string
}

export interface DecodedWindow {
  readonly maps: (Float32Array<ArrayBuffer> | null)[]
  readonly temporalHead: number
  readonly depthDecoder: number
}

interface Port {
  readonly name: string
  readonly shape: readonly number[]
  readonly length: number
}

export class CpuNetwork {
  readonly #gate: RunGate
  readonly #encoder: InferenceSession
  readonly #head: InferenceSession
  readonly #decoder: InferenceSession
  readonly #featurePorts: readonly Port[]
  readonly #headInputs: readonly { port: Port; buffer: Float32Array<ArrayBuffer> }[]
  readonly #path: Port
  readonly #pathBuffer: Float32Array<ArrayBuffer>
  readonly #depth: Port
  readonly #pixels: Port
  /** [3, H, W] input of the encoder, filled by the caller before `encode`. */
  readonly pixels: Float32Array<ArrayBuffer>

  private constructor(gate: RunGate, encoder: InferenceSession, head: InferenceSession, decoder: InferenceSession) {
    this.#gate = gate
    this.#encoder = encoder
    this.#head = head
    this.#decoder = decoder
    this.#featurePorts = featureNames.map((name) => port(encoder.outputMetadata, name))
    this.#headInputs = ['layer3', 'layer4'].map((name) => {
      const inputPort = port(head.inputMetadata, name)
      return { port: inputPort, buffer: new Float32Array(inputPort.length) }
    })
    this.#path = port(head.outputMetadata, 'path3')
    this.#pathBuffer = new Float32Array(this.#path.length)
    this.#depth = port(decoder.outputMetadata, 'depth')
    this.#pixels = port(encoder.inputMetadata, 'pixels')
    this.pixels = new Float32Array(this.#pixels.length)
  }

  /** @param threads ONNX Runtime's threads for one operator, ≥ 1 */
  static async create(paths: NetworkPaths, threads: number, gate: RunGate, signal: AbortSignal): Promise<CpuNetwork> {
    const options: InferenceSession.SessionOptions = {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
    }
    const sessions: InferenceSession[] = []
    try {
      for (const path of [paths.encoder, paths.temporalHead, paths.depthDecoder]) {
        sessions.push(await through(gate, () => InferenceSession.create(path, options)))
        await breathe()
        signal.throwIfAborted()
      }
    } catch (cause) {
      await Promise.all(sessions.map((session) => session.release()))
      throw signal.aborted ? cause : failure('could not load the graphs', cause)
    }
    const [encoder, head, decoder] = sessions as [InferenceSession, InferenceSession, InferenceSession]
    return new CpuNetwork(gate, encoder, head, decoder)
  }

  newFeatures(): Features {
    return this.#featurePorts.map(({ length }) => new Float32Array(length))
  }

  /** Encodes `pixels` into `features`. */
  async encode(features: Features): Promise<void> {
    const fetches = Object.fromEntries(this.#featurePorts.map((p, i) => [p.name, tensor(features[i], p.shape)]))
    await run(this.#gate, this.#encoder, { pixels: tensor(this.pixels, this.#pixels.shape) }, fetches)
  }

  /**
   * @param window features of each position of the window
   * @param wanted positions to decode
   * @param check called between graph runs; throws to stop
   */
  async decode(window: readonly Features[], wanted: readonly number[], check: () => void): Promise<DecodedWindow> {
    const started = performance.now()
    await this.#runHead(window)
    const headDone = performance.now()
    const maps: (Float32Array<ArrayBuffer> | null)[] = window.map(() => null)
    const perPosition = this.#path.length / window.length
    for (const position of wanted) {
      await breathe() // lets a close message in
      check()
      const map = new Float32Array(this.#depth.length)
      const features = window[position]
      const slice = this.#pathBuffer.subarray(position * perPosition, (position + 1) * perPosition)
      const feeds = {
        path3: tensor(slice, [1, ...this.#path.shape.slice(1)]),
        layer1: tensor(features?.[0], this.#featurePorts[0]?.shape),
        layer2: tensor(features?.[1], this.#featurePorts[1]?.shape),
      }
      await run(this.#gate, this.#decoder, feeds, { depth: tensor(map, this.#depth.shape) })
      maps[position] = map
    }
    return { maps, temporalHead: (headDone - started) / 1000, depthDecoder: (performance.now() - headDone) / 1000 }
  }

  async #runHead(window: readonly Features[]): Promise<void> {
    const feeds: Record<string, Tensor> = {}
    for (const [i, { port: input, buffer }] of this.#headInputs.entries()) {
      const perFrame = input.length / window.length
      for (const [position, features] of window.entries()) {
        const layer = features[i + 2]
        if (layer?.length !== perFrame)
          throw new VideoDepthError('ENGINE_FAILED', `window of ${window.length} does not fit`)
        buffer.set(layer, position * perFrame)
      }
      feeds[input.name] = tensor(buffer, input.shape)
    }
    await run(this.#gate, this.#head, feeds, { path3: tensor(this.#pathBuffer, this.#path.shape) })
  }

  async release(): Promise<void> {
    await Promise.all([this.#encoder, this.#head, this.#decoder].map((session) => session.release()))
  }
}

function port(metadata: readonly InferenceSession.ValueMetadata[], name: string): Port {
  const found = metadata.find((value) => value.name === name)
  if (!found?.isTensor) throw new VideoDepthError('ENGINE_FAILED', `graph has no tensor ${name}`)
  const shape = found.shape.map(Number)
  return { name, shape, length: shape.reduce((a, b) => a * b, 1) }
}

function tensor(data: Float32Array | undefined, shape: readonly number[] | undefined): Tensor {
  if (data === undefined || shape === undefined)
    throw new VideoDepthError('ENGINE_FAILED', 'position outside the window')
  return new Tensor('float32', data, shape)
}

async function run(
  gate: RunGate,
  session: InferenceSession,
  feeds: Record<string, Tensor>,
  fetches: Record<string, Tensor>,
): Promise<void> {
  try {
    await through(gate, () => session.run(feeds, fetches))
  } catch (cause) {
    throw failure('failed', cause)
  }
}

async function through<T>(gate: RunGate, work: () => Promise<T>): Promise<T> {
  const passed = await gate.pass(work)
  if (passed === undefined) throw new VideoDepthError('CLOSED', 'The engine was closed')
  return passed.value
}

function failure(what: string, cause: unknown): VideoDepthError {
  if (cause instanceof VideoDepthError) return cause
  const text = cause instanceof Error ? cause.message : String(cause)
  return new VideoDepthError('ENGINE_FAILED', `ONNX Runtime ${what}: ${text}`, { cause })
}
