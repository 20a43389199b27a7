// Owns: streams of one network size on the device: rooms of a few rows each, opened when the others are full.
// Must not know: a stream's order of steps, what a frame sees.

import type { NativeGpuEngine, NativeGpuStreams, NativeStepEntry, NativeStepResult } from '../../native-gpu-types.js'
import type { GpuGuard } from './gpu-error.js'
import { streamPlans, type StreamSpec } from './plan-spec.js'
import type { PlanSet } from './plan-sets.js'
import { Rows } from './rows.js'
import { StepBatcher } from './step-batcher.js'

export interface StreamPoolOptions {
  readonly native: NativeGpuEngine
  readonly guard: GpuGuard
  readonly batchDelayMs: number
}

/** As many rows as the largest batch takes: all of a room's streams can go together, and no memory lies idle in fours. */
interface Room {
  readonly streams: NativeGpuStreams
  readonly batcher: StepBatcher<NativeStepEntry, NativeStepResult>
  readonly rows: Rows
}

/** A stream's place on the device, until `leave`. */
export interface Seat {
  readonly streams: NativeGpuStreams
  readonly row: number
  /** Waits for other streams' frames as the batcher says. */
  step(entry: NativeStepEntry): Promise<NativeStepResult>
  withdraw(entry: NativeStepEntry): void
  /** Idempotent. Waits for a step under way: until then the row is not free for others. */
  leave(): Promise<void>
}

export class StreamPool {
  readonly #options: StreamPoolOptions
  readonly #rooms: Room[] = []
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: StreamPoolOptions) {
    this.#options = options
  }

  /** @param set of `spec`; the caller holds it longer than the seat */
  seat(spec: StreamSpec, set: PlanSet): Promise<Seat> {
    const seat = this.#turn.then(() => this.#seat(spec, set))
    this.#turn = seat.catch(() => undefined)
    return seat
  }

  async #seat({ batches }: StreamSpec, { plans }: PlanSet): Promise<Seat> {
    for (const room of this.#rooms) {
      const row = room.rows.take()
      if (row !== undefined) return this.#seatIn(room, row)
    }
    const { native, guard, batchDelayMs } = this.#options
    const rows = Math.max(...batches)
    const streams = await guard.call(() => native.openStreams({ ...streamPlans(plans, batches), rows }))
    const batcher = new StepBatcher<NativeStepEntry, NativeStepResult>({
      run: (entries) => guard.call(() => streams.step(entries)),
      ...{ most: rows, delayMs: batchDelayMs },
    })
    const room = { streams, batcher, rows: new Rows(rows) }
    this.#rooms.push(room)
    return this.#seatIn(room, room.rows.take() ?? 0)
  }

  #seatIn(room: Room, row: number): Seat {
    const leaveBatcher = room.batcher.join()
    let underWay: Promise<unknown> | undefined
    let leaving: Promise<void> | undefined
    return {
      ...{ streams: room.streams, row },
      step: (entry) => {
        const step = room.batcher.step(entry)
        underWay = step.catch(() => undefined)
        return step
      },
      withdraw: (entry) => {
        if (room.batcher.withdraw(entry)) underWay = undefined
      },
      leave: () => {
        leaveBatcher()
        leaving ??= this.#leave(room, row, underWay)
        return leaving
      },
    }
  }

  async #leave(room: Room, row: number, underWay: Promise<unknown> | undefined): Promise<void> {
    await underWay
    room.rows.release(row)
    if (!room.rows.areAllFree) return
    this.#rooms.splice(this.#rooms.indexOf(room), 1)
    await room.streams.close()
  }
}
