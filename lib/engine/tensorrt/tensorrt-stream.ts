// Owns: one stream on a GPU, as the engine's users see it: the order of its steps, its stabilization, its state.
// Must not know: which frames are remembered, how plans came about, what else runs on the device.

import { counted } from '../../base/counted.js'
import { VideoDepthError } from '../../base/errors.js'
import { Lifetime } from '../../base/lifetime.js'
import { SerialQueue } from '../../base/serial-queue.js'
import type { NativeStepEntry, NativeStepResult } from '../../native/gpu-types.js'
import type { NativePicture } from '../../base/pixel-format.js'
import { stabilize, unstabilized, type Stabilization } from '../../plan/stabilizer.js'
import type { StepPlan } from '../../plan/step-plan.js'
import { unlessAborted } from '../../base/unless-aborted.js'
import type { EngineStream, StreamGeometry, StreamState, StreamStepResult } from '../engine.js'
import type { PlanSet } from './plan-sets.js'
import type { Seat } from './stream-room.js'

export interface TensorRtStreamParts {
  readonly seat: Seat
  /** Another one, where the seat's room has failed. */
  readonly takeSeat: () => Promise<Seat>
  readonly set: PlanSet
  readonly onClose: () => void
}

interface Finished {
  readonly stabilization: Stabilization
  readonly postMs: number
  readonly depth: Float32Array
}

export class TensorRtStream implements EngineStream {
  readonly geometry: StreamGeometry
  readonly #takeSeat: () => Promise<Seat>
  readonly #set: PlanSet
  readonly #onClose: () => void
  readonly #life = new Lifetime(() => this.#leave())
  #seat: Seat
  /** Calls run in the order made. */
  readonly #queue = new SerialQueue()
  /** The device holds the anchor's disparity. */
  #hasReference = false
  #stabilization: Stabilization = unstabilized
  /** The last frame was remembered, but failed afterwards: only a first frame, or a state from outside, mends that. */
  #torn: VideoDepthError | undefined

  constructor(geometry: StreamGeometry, { seat, takeSeat, set, onClose }: TensorRtStreamParts) {
    this.geometry = geometry
    this.#seat = seat
    this.#takeSeat = takeSeat
    this.#set = set
    this.#onClose = onClose
  }

  step(picture: NativePicture, plan: StepPlan): Promise<StreamStepResult> {
    return this.#inTurn(() => this.#step(picture, plan))
  }

  async #step(picture: NativePicture, plan: StepPlan): Promise<StreamStepResult> {
    if (plan.first) await this.#begin()
    else this.#assertWhole()
    const { stabilized } = this.geometry
    const { positions, visible, write } = plan
    const fit = stabilized && !plan.first && this.#hasReference
    const { row } = this.#seat
    const wantsDepth = !stabilized
    const result = await this.#batched({ row, picture, positions, visible, write, fit, wantsDepth })
    const { nonFinite, flat, preprocessMs, inferMs } = result
    if (nonFinite > 0)
      await this.#set.suspect(`${counted(nonFinite, 'value of a frame was', 'values of a frame were')} not finite`)
    this.#torn = undefined
    const finished = stabilized ? await this.#finish(plan, result) : undefined
    const depth = finished?.depth ?? result.depth
    if (depth === null) throw new VideoDepthError('ENGINE_FAILED', 'The GPU gave no depth')
    if (nonFinite === 0 && finished !== undefined) {
      this.#stabilization = finished.stabilization
      if (plan.first) this.#hasReference = false
      if (plan.anchor) this.#hasReference = true
    }
    const postMs = result.postMs + (finished?.postMs ?? 0)
    return { depth, nonFinite, flat, stabilization: finished?.stabilization, preprocessMs, inferMs, postMs }
  }

  /** What begins anew needs nothing of what failed. */
  async #begin(): Promise<void> {
    if (this.#seat.failure === undefined) return
    await this.#seat.leave()
    this.#seat = await this.#takeSeat()
  }

  /** @throws VideoDepthError why there is nothing to go on from */
  #assertWhole(): void {
    const failure = this.#seat.failure ?? this.#torn
    if (failure !== undefined) throw failure
  }

  /** Settles when the device is done with the entry, or it has been withdrawn. */
  async #batched(entry: NativeStepEntry): Promise<NativeStepResult> {
    const { signal } = this.#life
    signal.throwIfAborted()
    const withdraw = (): void => this.#seat.withdraw(entry, signal.reason as Error)
    signal.addEventListener('abort', withdraw, { once: true })
    try {
      return await this.#seat.step(entry)
    } finally {
      signal.removeEventListener('abort', withdraw)
    }
  }

  /** The rule of the CPU engine's streams, with the maps on the device. */
  async #finish(plan: StepPlan, { fit, nonFinite }: NativeStepResult): Promise<Finished> {
    const { row } = this.#seat
    const last = plan.first || !this.#hasReference ? unstabilized : this.#stabilization
    const stabilization = fit === null ? last : stabilize(last, fit)
    const options = {
      ...stabilization,
      keep: plan.anchor && nonFinite === 0,
      width: this.geometry.frameWidth,
      height: this.geometry.frameHeight,
    }
    try {
      return { stabilization, ...(await this.#seat.call((streams) => streams.finish(row, options))) }
    } catch (error) {
      if (error instanceof VideoDepthError) this.#torn = error
      throw error
    }
  }

  exportState(): Promise<StreamState> {
    return this.#inTurn(async () => {
      this.#assertWhole()
      const { row } = this.#seat
      const { memory, reference } = await this.#seat.call((streams) => streams.exportState(row, this.#hasReference))
      return { variant: this.#set.info.variant, memory, reference: reference ?? undefined, ...this.#stabilization }
    })
  }

  importState({ variant, memory, reference, scale, shift }: StreamState): Promise<void> {
    return this.#inTurn(async () => {
      const { inputWidth, inputHeight } = this.geometry
      const own = this.#set.info.variant
      if (variant !== own) throw misfit(`The state is of ${variant || 'float32'} arithmetic, this stream's is ${own}`)
      const length = inputWidth * inputHeight
      if (memory.length !== this.#seat.memoryBytes || (reference?.length ?? length) !== length)
        throw misfit('The state is of another size than this stream')
      await this.#begin()
      const { row } = this.#seat
      await this.#seat.call((streams) => streams.importState(row, memory, reference ?? null))
      this.#hasReference = reference !== undefined
      this.#stabilization = { scale, shift }
      this.#torn = undefined
    })
  }

  close(): Promise<void> {
    return this.#life.end(new VideoDepthError('CLOSED', 'It was closed'))
  }

  async #leave(): Promise<void> {
    await this.#queue.settled
    try {
      await this.#seat.leave()
    } catch {
      // The engine or its device is gone, and the stream with it.
    }
    this.#set.release()
    this.#onClose()
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const { signal } = this.#life
    if (signal.aborted) return Promise.reject(signal.reason as Error)
    const done = this.#queue.run(() => {
      signal.throwIfAborted()
      return work()
    })
    return unlessAborted(done, signal)
  }
}

function misfit(message: string): VideoDepthError {
  return new VideoDepthError('SNAPSHOT_MISMATCH', message)
}
