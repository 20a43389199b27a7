// Owns: a few streams of one network size on the device, going together, and that a room whose call failed ends for all.
// Must not know: a stream's order of steps, what a frame sees, other rooms.

import { again, VideoDepthError, type ErrorCode } from '../../base/errors.js'
import type { NativeGpuStreams, NativeStepEntry, NativeStepResult } from '../../native/gpu-types.js'
import type { GpuGuard } from './gpu-error.js'
import { Rows } from './rows.js'
import { StepBatcher } from './step-batcher.js'

/** After one of these the addon's streams take no further call. */
const endingCodes: readonly ErrorCode[] = ['GPU_OUT_OF_MEMORY', 'GPU_FAILED', 'PLAN_FAILED']

export interface StreamRoomOptions {
  readonly streams: NativeGpuStreams
  readonly guard: GpuGuard
  readonly delayMs: number
  /** Called once, with the first failure that ends the room. */
  readonly onFailure: (room: StreamRoom) => void
}

/** A stream's place on the device, until `leave`. */
export interface Seat {
  readonly row: number
  /** Size of one row's memory. */
  readonly memoryBytes: number
  /** Why nothing goes on here any more; a new one for each caller. */
  readonly failure: VideoDepthError | undefined
  /** Waits for other streams' frames as the batcher says. */
  step(entry: NativeStepEntry): Promise<NativeStepResult>
  /** Takes an entry back that has not gone yet: its step rejects with the reason. */
  withdraw(entry: NativeStepEntry, reason: Error): void
  /** Any other call about this row. */
  call<T>(work: (streams: NativeGpuStreams) => Promise<T>): Promise<T>
  /** Idempotent. After the last call has settled: from then on the row is another stream's. */
  leave(): Promise<void>
}

export class StreamRoom {
  readonly #streams: NativeGpuStreams
  readonly #guard: GpuGuard
  readonly #onFailure: (room: StreamRoom) => void
  readonly #rows: Rows
  readonly #batcher: StepBatcher<NativeStepEntry, NativeStepResult>
  #failure: VideoDepthError | undefined

  constructor({ streams, guard, delayMs, onFailure }: StreamRoomOptions) {
    this.#streams = streams
    this.#guard = guard
    this.#onFailure = onFailure
    this.#rows = new Rows(streams.rows)
    this.#batcher = new StepBatcher({
      run: (entries) => this.#call(() => streams.step(entries)),
      most: streams.rows,
      delayMs,
    })
  }

  get isEmpty(): boolean {
    return this.#rows.areAllFree
  }

  /** @param onLeave once the row is free; undefined where no row is */
  seat(onLeave: () => Promise<void>): Seat | undefined {
    const row = this.#rows.take()
    if (row === undefined) return undefined
    const leaveBatcher = this.#batcher.join()
    const leave = (): Promise<void> => {
      leaveBatcher()
      this.#rows.release(row)
      return onLeave()
    }
    const failure = (): VideoDepthError | undefined => this.#ended()
    let leaving: Promise<void> | undefined
    return {
      row,
      memoryBytes: this.#streams.memoryBytes,
      get failure() {
        return failure()
      },
      step: (entry) => this.#batcher.step(entry),
      withdraw: (entry, reason) => this.#batcher.withdraw(entry, reason),
      call: (work) => this.#call(() => work(this.#streams)),
      leave: () => (leaving ??= leave()),
    }
  }

  close(): Promise<void> {
    return this.#streams.close()
  }

  #ended(): VideoDepthError | undefined {
    return this.#failure && again(this.#failure)
  }

  async #call<T>(work: () => Promise<T>): Promise<T> {
    const ended = this.#ended()
    if (ended !== undefined) throw ended
    try {
      return await this.#guard.call(work)
    } catch (error) {
      if (this.#failure === undefined && error instanceof VideoDepthError && endingCodes.includes(error.code)) {
        this.#failure = error
        this.#onFailure(this)
      }
      throw error
    }
  }
}
