// Owns: a GPU part of the addon that keeps its contract on the CPU engine, with faults at command.
// Must not know: the engine under test.

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { CpuEngine } from '../../dist/esm/engine/cpu/cpu-engine.js'
import type {
  GpuDevice,
  GpuProbe,
  NativeBuildRequest,
  NativeGpu,
  NativeGpuEngine,
  NativeGpuStreams,
  NativeGpuWindows,
  NativePlan,
  NativeStreamsOptions,
  NativeWindowsOptions,
  PlanPort,
} from '../../dist/esm/native/gpu-types.js'
import { FakeStreams } from './gpu-fake-streams.js'
import { FakeWindows } from './gpu-fake-windows.js'

/** An error as the addon's GPU part makes it. */
export function nativeError(code: string, message: string, lasting = false): Error {
  return Object.assign(new Error(message), { code, lasting })
}

export const fakeDevice: GpuDevice = {
  ...{ index: 0, name: 'Fake GPU', computeCapability: '9.0' },
  ...{ memoryBytes: 16 * 2 ** 30, multiprocessors: 4 },
}

/** All that can be set is looked at when it matters, so that a test may change it in between. */
export class FakeGpu implements NativeGpu {
  compiled = { cuda: '13.0', tensorRt: ['11.1.0', '10.16.0'] }
  device = fakeDevice
  tensorRt = '10.9.0'
  tensorRtBuild = 34
  /** Instead of what goes with `device` and `tensorRt`. */
  probed: GpuProbe | undefined
  failOpen: Error | undefined
  /** Whether the maps of the windows and streams opened next are wrong. */
  readonly wrong: boolean[] = []
  /** Thrown by the builds next, where there is an error. */
  readonly buildErrors: (Error | undefined)[] = []
  /** Thrown by the next call of that name. */
  readonly failNext = new Map<string, Error>()
  /** Values of the next map that are not finite. */
  nonFiniteNext = 0
  /** Builds stand still until they are cancelled. */
  holdBuilds = false
  /** What a call of that name waits for. */
  readonly waitFor = new Map<string, Promise<void>>()
  /** Graph files of all builds. */
  readonly builds: string[] = []
  /** Rows of each step call. */
  readonly steps: number[][] = []
  /** Open at present, by kind. */
  readonly open_ = { engines: 0, windows: 0, streams: 0, plans: 0 }
  readonly checkpoint: string
  readonly cacheDir: string

  constructor(checkpoint: string, cacheDir: string) {
    this.checkpoint = checkpoint
    this.cacheDir = cacheDir
  }

  probe(): Promise<GpuProbe> {
    const { device, tensorRt } = this
    const report = { major: Number(tensorRt.split('.')[0]), version: tensorRt, problem: '' }
    const found = { ...report, inferPath: '/fake/libnvinfer.so', parserPath: '/fake/libnvonnxparser.so' }
    return Promise.resolve(this.probed ?? { driver: '13.0', problem: '', devices: [device], tensorRt: [found] })
  }

  async open(): Promise<NativeGpuEngine> {
    if (this.failOpen !== undefined) throw this.failOpen
    const { checkpoint, cacheDir } = this
    const cpu = await CpuEngine.load({ checkpoint, cacheDir, precision: 'fp32', threads: 1 })
    this.open_.engines++
    return new FakeEngine(this, cpu)
  }

  /** @throws what was asked for, once */
  async pass(call: string): Promise<void> {
    await this.waitFor.get(call)
    const error = this.failNext.get(call)
    this.failNext.delete(call)
    if (error !== undefined) throw error
  }
}

interface PlanFile {
  readonly graph: string
  readonly tensorRt: string
  readonly ports: readonly PlanPort[]
}

class FakeEngine implements NativeGpuEngine {
  readonly device: GpuDevice
  readonly tensorRt: string
  readonly tensorRtBuild: number
  readonly #gpu: FakeGpu
  readonly #cpu: CpuEngine
  readonly #closing = new AbortController()
  #cancel: ((error: Error) => void) | undefined
  #isClosed = false
  #plans = 0

  constructor(gpu: FakeGpu, cpu: CpuEngine) {
    this.#gpu = gpu
    this.#cpu = cpu
    this.device = gpu.device
    this.tensorRt = gpu.tensorRt
    this.tensorRtBuild = gpu.tensorRtBuild
  }

  async build({ onnxPath }: NativeBuildRequest, onProgress: (phase: string, fraction: number) => void) {
    this.#gpu.builds.push(onnxPath)
    const error = this.#gpu.buildErrors.shift()
    if (error !== undefined) throw error
    onProgress('Building', 0.5)
    if (this.#gpu.holdBuilds) await new Promise<never>((_, reject) => (this.#cancel = reject))
    await this.#gpu.pass('build')
    const graph = createHash('sha256')
      .update(await readFile(onnxPath))
      .digest('hex')
    const { inputs, outputs } = JSON.parse(await readFile(`${onnxPath}.json`, 'utf8')) as Record<
      'inputs' | 'outputs',
      Record<string, number[]>
    >
    const port =
      (isInput: boolean) =>
      ([name, shape]: [string, number[]]): PlanPort =>
        ({ name, isInput, type: 'float32', shape }) as const
    const ports = [...Object.entries(inputs).map(port(true)), ...Object.entries(outputs).map(port(false))]
    const file: PlanFile = { graph, tensorRt: this.tensorRt, ports }
    return { plan: new TextEncoder().encode(JSON.stringify(file)), timingCache: Uint8Array.of(1, 2, 3) }
  }

  cancelBuild(): void {
    this.#cancel?.(nativeError('ABORTED', 'the build was cancelled'))
  }

  async loadPlan(plan: Uint8Array): Promise<NativePlan> {
    await this.#gpu.pass('loadPlan')
    const { tensorRt, ports } = JSON.parse(new TextDecoder().decode(plan)) as PlanFile
    if (tensorRt !== this.tensorRt) throw nativeError('PLAN_FAILED', `a plan of TensorRT ${tensorRt}`)
    const { open_ } = this.#gpu
    open_.plans++
    this.#plans++
    let isOpen = true
    return {
      ...{ ports, scratchBytes: 1024 },
      layers: () => Promise.resolve('{}'),
      release: () => {
        if (isOpen) {
          open_.plans--
          this.#plans--
        }
        isOpen = false
      },
    }
  }

  async openWindows(options: NativeWindowsOptions): Promise<NativeGpuWindows> {
    await this.#gpu.pass('openWindows')
    return FakeWindows.open(this.#gpu, this.#cpu, options, this.#gpu.wrong.shift() ?? false)
  }

  async openStreams(options: NativeStreamsOptions): Promise<NativeGpuStreams> {
    await this.#gpu.pass('openStreams')
    return FakeStreams.open(this.#gpu, this.#cpu, options, {
      isWrong: this.#gpu.wrong.shift() ?? false,
      engineEnd: this.#closing.signal,
    })
  }

  memory(): Promise<{ free: number; total: number }> {
    return Promise.resolve({ free: 2 ** 30, total: this.device.memoryBytes })
  }

  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#gpu.open_.engines--
      this.#gpu.open_.plans -= this.#plans
    }
    this.#isClosed = true
    const closed = nativeError('CLOSED', 'the engine was closed')
    this.#cancel?.(closed)
    this.#closing.abort(closed)
    await this.#cpu.close()
  }
}

/** [.., height, width] of a port. */
export function portShape({ ports }: NativePlan, name: string): readonly number[] {
  const port = ports.find((one) => one.name === name)
  if (port === undefined) throw new Error(`the plan has no ${name}`)
  return port.shape
}

/** What a network that went wrong gives: other numbers, but finite ones. */
export function spoil(map: Float32Array): void {
  for (let i = 0; i < map.length; i++) map[i] = (map[i] ?? 0) + (i % 2)
}
