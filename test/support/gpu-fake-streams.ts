// Owns: the rows of streams of the fake GPU: a stream of the CPU engine each, at the network's size.
// Must not know: faults beyond those that it is told of.

import { loadAddon } from '../../dist/esm/native/addon.js'
import type { CpuEngine } from '../../dist/esm/engine/cpu/cpu-engine.js'
import type { EngineStream } from '../../dist/esm/engine/engine.js'
import { isFlat } from '../../dist/esm/engine/is-flat.js'
import type {
  NativeGpuStreams,
  NativeStepEntry,
  NativeStepResult,
  NativeStreamsOptions,
} from '../../dist/esm/native/gpu-types.js'
import { unlessAborted } from '../../dist/esm/base/unless-aborted.js'
import { nativeError, portShape, spoil, type FakeGpu } from './gpu-fake.js'

interface Row {
  readonly stream: EngineStream
  map: Float32Array
  reference: Float32Array<ArrayBuffer> | undefined
}

interface Conditions {
  readonly isWrong: boolean
  /** Rejects what is pending. */
  readonly engineEnd: AbortSignal
}

const addon = loadAddon()

/** For the processor's own table beside the states, and the length. */
const paddingBytes = 256

/** A GPU's memory has one size; the processor's, which computes here, has that of what is remembered. */
function padded(memory: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const made = new Uint8Array(length)
  new DataView(made.buffer).setUint32(0, memory.length)
  made.set(memory, 4)
  return made
}

function unpadded(memory: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset } = memory
  return memory.slice(4, 4 + new DataView(buffer, byteOffset).getUint32(0))
}

export class FakeStreams implements NativeGpuStreams {
  readonly rows: number
  readonly memoryBytes: number
  readonly #gpu: FakeGpu
  readonly #rows: readonly Row[]
  readonly #conditions: Conditions
  readonly #width: number
  readonly #height: number
  #turn: Promise<unknown> = Promise.resolve()
  #isClosed = false
  /** After one of the GPU's own failures nothing goes on. */
  #failed: unknown

  private constructor(gpu: FakeGpu, rows: readonly Row[], memoryBytes: number, conditions: Conditions) {
    this.#gpu = gpu
    this.#rows = rows
    this.rows = rows.length
    this.memoryBytes = memoryBytes + paddingBytes
    this.#conditions = conditions
    this.#width = rows[0]?.stream.geometry.inputWidth ?? 0
    this.#height = rows[0]?.stream.geometry.inputHeight ?? 0
    gpu.open_.streams++
  }

  static async open(
    gpu: FakeGpu,
    cpu: CpuEngine,
    { batches, encoders, steps, depthDecoders, rows: count }: NativeStreamsOptions,
    conditions: Conditions,
  ): Promise<FakeStreams> {
    const [encoder, step] = [encoders[0], steps[0]]
    if (encoder === undefined || step === undefined || count % (batches.at(-1) ?? 0) !== 0) throw new Error('misfits')
    for (const [i, batch] of batches.entries()) {
      const plans = [encoders[i], depthDecoders[i]].map(
        (plan, k) => plan && portShape(plan, k === 0 ? 'pixels' : 'depth'),
      )
      if (plans.some((shape) => shape?.[0] !== batch)) throw new Error(`plans of another batch than ${batch}`)
    }
    const [, , inputHeight = 0, inputWidth = 0] = portShape(encoder, 'pixels')
    const geometry = { inputWidth, inputHeight, frameWidth: inputWidth, frameHeight: inputHeight, stabilized: false }
    const rows: Row[] = []
    for (let i = 0; i < count; i++)
      rows.push({ stream: await cpu.openStream(geometry), map: new Float32Array(0), reference: undefined })
    const elements = step.ports
      .filter(({ name }) => name.startsWith('remembered'))
      .reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)
    return new FakeStreams(gpu, rows, elements * Float32Array.BYTES_PER_ELEMENT, conditions)
  }

  step(entries: readonly NativeStepEntry[]): Promise<readonly NativeStepResult[]> {
    const rows = entries.map(({ row }) => row)
    if (new Set(rows).size !== rows.length) throw new Error('a row twice in one call')
    this.#gpu.steps.push(rows)
    const copies = entries.map((entry) => ({
      ...entry,
      picture: { ...entry.picture, data: entry.picture.data.slice() },
    }))
    return this.#inTurn(async () => {
      await this.#pass('step')
      const results: NativeStepResult[] = []
      for (const entry of copies) results.push(await this.#stepRow(entry))
      return results
    })
  }

  async #stepRow(entry: NativeStepEntry): Promise<NativeStepResult> {
    const { positions, visible, write, picture, wantsDepth } = entry
    const row = this.#row(entry.row)
    const times = { preprocessMs: 0.1, inferMs: 0.2, postMs: 0.3 }
    const nonFinite = this.#gpu.nonFiniteNext
    this.#gpu.nonFiniteNext = 0
    // The frame is not remembered: the CPU's stream does not even see it.
    if (nonFinite > 0)
      return {
        ...{ nonFinite, flat: false, fit: entry.fit ? addon.fitMap(row.map, row.map) : null, ...times },
        depth: wantsDepth ? new Float32Array(picture.width * picture.height) : null,
      }
    const data = new Uint8Array(picture.data)
    const plan = { positions, visible, write, first: write.length > 1, anchor: false }
    row.map = (await row.stream.step({ ...picture, data }, plan)).depth
    if (this.#conditions.isWrong) spoil(row.map)
    const depth = wantsDepth ? this.#upsampled(row.map, picture.width, picture.height, 1, 0) : null
    if (entry.fit && row.reference === undefined) throw new Error('a fit without a reference')
    const fit = entry.fit && row.reference !== undefined ? addon.fitMap(row.map, row.reference) : null
    return { nonFinite, flat: isFlat(row.map), fit, depth, ...times }
  }

  finish(index: number, { scale, shift, keep, width, height }: Parameters<NativeGpuStreams['finish']>[1]) {
    return this.#inTurn(async () => {
      await this.#pass('finish')
      const row = this.#row(index)
      if (keep) row.reference = new Float32Array(row.map)
      return { postMs: 0.4, depth: this.#upsampled(row.map, width, height, scale, shift) }
    })
  }

  exportState(index: number, withReference: boolean) {
    return this.#inTurn(async () => {
      const { stream, reference } = this.#row(index)
      const { memory } = await stream.exportState()
      return {
        memory: padded(memory, this.memoryBytes),
        reference: withReference && reference !== undefined ? reference.slice() : null,
      }
    })
  }

  importState(index: number, memory: Uint8Array, reference: Float32Array | null): Promise<void> {
    return this.#inTurn(async () => {
      const row = this.#row(index)
      const { variant } = await row.stream.exportState() // of whatever computes here
      await row.stream.importState({
        ...{ variant, memory: unpadded(memory), reference: undefined, scale: 1, shift: 0 },
      })
      row.reference = reference === null ? undefined : new Float32Array(reference)
    })
  }

  async close(): Promise<void> {
    if (!this.#isClosed) this.#gpu.open_.streams--
    this.#isClosed = true
    await Promise.all(this.#rows.map(({ stream }) => stream.close()))
  }

  #upsampled(map: Float32Array, width: number, height: number, scale: number, shift: number) {
    const out = new Float32Array(width * height)
    addon.upsample(map, this.#width, this.#height, out, width, height, scale, shift, 1)
    return out
  }

  async #pass(call: string): Promise<void> {
    try {
      await this.#gpu.pass(call)
    } catch (error) {
      if (error instanceof Error && 'code' in error) this.#failed = error
      throw error
    }
  }

  #row(index: number): Row {
    const row = this.#rows[index]
    if (row === undefined) throw new Error(`no row ${index}`)
    return row
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(() => {
      if (this.#isClosed) throw nativeError('CLOSED', 'the streams were closed')
      if (this.#failed !== undefined) throw this.#failed as Error
      return work()
    })
    this.#turn = done.catch(() => undefined)
    return unlessAborted(done, this.#conditions.engineEnd)
  }
}
