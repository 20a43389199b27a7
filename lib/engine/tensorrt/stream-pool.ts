// Owns: streams of one network size on the device: rooms of a few rows each, opened when the others are full.
// Must not know: a stream's order of steps, what a frame sees, what goes on in a room.

import { SerialQueue } from '../../base/serial-queue.js'
import type { NativeGpuEngine } from '../../native/gpu-types.js'
import type { GpuGuard } from './gpu-error.js'
import { streamPlans, type StreamSpec } from './plan-spec.js'
import type { PlanSet } from './plan-sets.js'
import { StreamRoom, type Seat } from './stream-room.js'

export interface StreamPoolOptions {
  readonly native: NativeGpuEngine
  readonly guard: GpuGuard
  readonly batchDelayMs: number
}

export class StreamPool {
  readonly #options: StreamPoolOptions
  /** Those that take streams: one that has failed is not among them. */
  readonly #rooms = new Set<StreamRoom>()
  readonly #seating = new SerialQueue()

  constructor(options: StreamPoolOptions) {
    this.#options = options
  }

  /** @param set of `spec`; the caller holds it longer than the seat */
  seat(spec: StreamSpec, set: PlanSet): Promise<Seat> {
    return this.#seating.run(() => this.#seat(spec, set))
  }

  async #seat(spec: StreamSpec, set: PlanSet): Promise<Seat> {
    for (const room of this.#rooms) {
      const seat = this.#seatIn(room)
      if (seat !== undefined) return seat
    }
    const seat = this.#seatIn(await this.#openRoom(spec, set))
    if (seat === undefined) throw new Error('a new room without a row')
    return seat
  }

  /** As many rows as the largest batch takes: all of a room's streams can go together, and no memory lies idle in fours. */
  async #openRoom({ batches }: StreamSpec, { plans }: PlanSet): Promise<StreamRoom> {
    const { native, guard, batchDelayMs: delayMs } = this.#options
    const rows = Math.max(...batches)
    const streams = await guard.call(() => native.openStreams({ ...streamPlans(plans, batches), rows }))
    const onFailure = (failed: StreamRoom): void => {
      this.#rooms.delete(failed)
      failed.close().catch(() => undefined) // what failed is what its streams are told
    }
    const room = new StreamRoom({ streams, guard, delayMs, onFailure })
    this.#rooms.add(room)
    return room
  }

  #seatIn(room: StreamRoom): Seat | undefined {
    return room.seat(async () => {
      if (room.isEmpty && this.#rooms.delete(room)) await room.close()
    })
  }
}
