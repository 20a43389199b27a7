// Owns: one video's windows of the fake GPU: a session of the CPU engine under the contract's calls.
// Must not know: faults beyond those that it is told of.

import type { CpuEngine } from '../../dist/esm/engine/cpu/cpu-engine.js'
import type { CpuSession, CpuWindowDepth } from '../../dist/esm/engine/cpu/session.js'
import { isFlat } from '../../dist/esm/engine/is-flat.js'
import type { NativeDecodeResult, NativeGpuWindows, NativeWindowsOptions } from '../../dist/esm/native/gpu-types.js'
import type { NativePicture } from '../../dist/esm/base/pixel-format.js'
import type { StitchResult, StitchStep } from '../../dist/esm/native/types.js'
import { portShape, spoil, type FakeGpu } from './gpu-fake.js'

export class FakeWindows implements NativeGpuWindows {
  held = 0
  readonly #gpu: FakeGpu
  readonly #cpu: CpuSession
  readonly #isWrong: boolean
  #depth: CpuWindowDepth | undefined
  #isEncoding = false
  #isClosed = false

  private constructor(gpu: FakeGpu, cpu: CpuSession, isWrong: boolean) {
    this.#gpu = gpu
    this.#cpu = cpu
    this.#isWrong = isWrong
    gpu.open_.windows++
  }

  static async open(
    gpu: FakeGpu,
    cpu: CpuEngine,
    { encoder, temporalHead, frameWidth, frameHeight, slots }: NativeWindowsOptions,
    isWrong: boolean,
  ): Promise<FakeWindows> {
    const [, , inputHeight = 0, inputWidth = 0] = portShape(encoder, 'pixels')
    const [windowLength = 0] = portShape(temporalHead, 'layer3')
    const geometry = { frameWidth, frameHeight, inputWidth, inputHeight, windowLength, slots }
    return new FakeWindows(gpu, await cpu.openSession(geometry), isWrong)
  }

  async encode({ data, width, height }: NativePicture, slot: number): Promise<void> {
    if (this.#isEncoding) throw new Error('two calls of encode at a time')
    this.#isEncoding = true
    const encoded = this.#cpu.encode({ data, width, height, timestampMs: 0 }, slot)
    try {
      await encoded
      await this.#gpu.pass('encode')
    } finally {
      this.#isEncoding = false
    }
  }

  async decode(slots: readonly number[], wanted: readonly number[]): Promise<NativeDecodeResult> {
    await this.#gpu.pass('decode')
    this.#depth = await this.#cpu.decode(slots, wanted)
    const flat: number[] = []
    const { nonFiniteNext } = this.#gpu
    this.#gpu.nonFiniteNext = 0
    for (const [position, map] of this.#depth.maps.entries()) {
      if (map === null) continue
      if (this.#isWrong) spoil(map)
      if (isFlat(map)) flat.push(position)
    }
    return { nonFinite: nonFiniteNext, flat }
  }

  async stitch(step: StitchStep): Promise<StitchResult> {
    const depth = this.#depth
    if (depth === undefined) throw new Error('stitch before decode')
    this.held = step.hold
    await this.#gpu.pass('stitch')
    const { flat: _, ...result } = await this.#cpu.stitch(depth, step)
    return result as StitchResult
  }

  readMaps(positions: readonly number[]): Promise<readonly Float32Array<ArrayBuffer>[]> {
    const maps = positions.map((position) => {
      const map = this.#depth?.maps[position]
      if (map === null || map === undefined) throw new Error(`no map at position ${position}`)
      return map.slice()
    })
    return Promise.resolve(maps)
  }

  get deviceMs() {
    const { preprocess, encode, temporalHead, depthDecoder, stitch } = this.#cpu.timings
    const ms = (seconds: number): number => seconds * 1000
    return {
      preprocess: ms(preprocess),
      encode: ms(encode),
      temporalHead: ms(temporalHead),
      depthDecoder: ms(depthDecoder),
      stitch: ms(stitch),
    }
  }

  async close(): Promise<void> {
    if (!this.#isClosed) this.#gpu.open_.windows--
    this.#isClosed = true
    await this.#cpu.close()
  }
}
