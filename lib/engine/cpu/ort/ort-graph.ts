// Owns: how a graph is loaded into ONNX Runtime and run: ports, tensors over our own memory, errors, the gate.
// Must not know: which graphs there are.

import { InferenceSession, Tensor } from 'onnxruntime-node'
import { VideoDepthError } from '../../../base/errors.js'
import type { RunGate } from './run-gate.js'

/** A graph's input or output. */
export interface Port {
  readonly name: string
  readonly shape: readonly number[]
  /** Elements. */
  readonly length: number
}

/** A loaded graph. Its calls block the thread that makes them. */
export class OrtGraph {
  readonly #gate: RunGate
  readonly #session: InferenceSession

  private constructor(gate: RunGate, session: InferenceSession) {
    this.#gate = gate
    this.#session = session
  }

  /** @param threads ONNX Runtime's threads for one operator, ≥ 1 */
  static async load(path: string, threads: number, gate: RunGate): Promise<OrtGraph> {
    const options: InferenceSession.SessionOptions = {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      enableMemPattern: false, // it plans one block for a whole run beside what the arena holds already: a fifth more memory
      logSeverityLevel: 3,
    }
    try {
      return new OrtGraph(gate, await through(gate, () => InferenceSession.create(path, options)))
    } catch (cause) {
      throw failure('could not load a graph', cause)
    }
  }

  input(name: string): Port {
    return port(this.#session.inputMetadata, name)
  }

  output(name: string): Port {
    return port(this.#session.outputMetadata, name)
  }

  /** Reads `feeds` and writes into `fetches` in place. */
  async run(feeds: Readonly<Record<string, Tensor>>, fetches: Readonly<Record<string, Tensor>>): Promise<void> {
    try {
      await through(this.#gate, () => this.#session.run(feeds, fetches))
    } catch (cause) {
      throw failure('failed', cause)
    }
  }

  release(): Promise<void> {
    return this.#session.release()
  }
}

/** A view of `data`, which must have as many elements as the shape. */
export function tensor(data: Float32Array | undefined, shape: readonly number[] | undefined): Tensor {
  if (data === undefined || shape === undefined)
    throw new VideoDepthError('ENGINE_FAILED', 'position outside the window')
  return new Tensor('float32', data, shape)
}

function port(metadata: readonly InferenceSession.ValueMetadata[], name: string): Port {
  const found = metadata.find((value) => value.name === name)
  if (!found?.isTensor) throw new VideoDepthError('ENGINE_FAILED', `graph has no tensor ${name}`)
  const shape = found.shape.map(Number)
  return { name, shape, length: shape.reduce((a, b) => a * b, 1) }
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
