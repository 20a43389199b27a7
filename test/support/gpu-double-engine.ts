// Owns: the TensorRT engine of lib over the addon's GPU part on doubles, and the engine that it has to agree with.
// Must not know: what is tested with them.

import { readFile, writeFile } from 'node:fs/promises'
import { loadAddon } from '../../dist/esm/native/addon.js'
import type { Engine, SessionGeometry, StreamGeometry } from '../../dist/esm/engine/engine.js'
import {
  checkPicture,
  comparedPositions,
  streamFrames,
  windowPictures,
} from '../../dist/esm/engine/tensorrt/check-input.js'
import type { ReferenceSource } from '../../dist/esm/engine/tensorrt/reference.js'
import { TensorRtEngine, type TensorRtEngineOptions } from '../../dist/esm/engine/tensorrt/tensorrt-engine.js'
import type { NativeGpu, NativeGpuEngine, NativeGpuStreams, NativeGpuWindows } from '../../dist/esm/native/gpu-types.js'
import { planStep } from '../../dist/esm/plan/step-plan.js'
import { tinyPth } from './checkpoint-files.js'
import { doubleGpu, folderOf } from './gpu-double.js'
import { decoded, encoded, ModelSession, ModelStream, windowPaths } from './gpu-double-model.js'

interface Ports {
  readonly inputs: Readonly<Record<string, readonly number[]>>
  readonly outputs: Readonly<Record<string, readonly number[]>>
}

/** The text that stands for a graph of lib's, all in float32. */
function textOf({ inputs, outputs }: Ports, extra: string): string {
  const kind =
    'pixels' in inputs
      ? 'encoder'
      : 'positions' in inputs
        ? 'stream-step'
        : 'depth' in outputs
          ? 'depth-decoder'
          : 'temporal-head'
  const lines = (way: string, ports: Ports['inputs']): string[] =>
    Object.entries(ports).map(
      ([name, shape]) => `${way} ${name} ${name === 'positions' ? 'int64' : 'float32'} ${shape.join('x')}`,
    )
  return [`graph ${kind}`, 'workspace 4096', ...lines('input', inputs), ...lines('output', outputs), extra, ''].join(
    '\n',
  )
}

/** One call of windows or streams, with when it began and ended among all. */
export interface SeenCall {
  readonly of: string
  readonly values: readonly unknown[]
  readonly begun: number
  ended: number
}

/** The addon's GPU part, which builds its plans from texts, and what was called of it. */
export class WatchedGpu implements NativeGpu {
  readonly calls: SeenCall[] = []
  readonly natives: NativeGpuEngine[] = []
  /** Further lines of the graphs built from now on. */
  extra = ''
  /** Awaited before the caller hears that a call has ended. */
  hold: ((call: SeenCall) => Promise<void> | undefined) | undefined
  readonly #gpu = doubleGpu()
  #clock = 0

  get compiled(): NativeGpu['compiled'] {
    return this.#gpu.compiled
  }

  probe(folders: readonly string[]) {
    return this.#gpu.probe(folders)
  }

  async open(device: number, folders: readonly string[]): Promise<NativeGpuEngine> {
    const native = await this.#gpu.open(device, folders)
    const build = native.build.bind(native)
    const openWindows = native.openWindows.bind(native)
    const openStreams = native.openStreams.bind(native)
    const instead: Pick<NativeGpuEngine, 'build' | 'openWindows' | 'openStreams'> = {
      build: async (request, onProgress) => {
        const ports = JSON.parse(await readFile(`${request.onnxPath}.json`, 'utf8')) as Ports
        const onnxPath = `${request.onnxPath}.txt`
        await writeFile(onnxPath, textOf(ports, this.extra))
        return build({ ...request, onnxPath }, onProgress)
      },
      openWindows: async (options) =>
        this.#watched<NativeGpuWindows>(await openWindows(options), ['encode', 'decode', 'stitch']),
      openStreams: async (options) =>
        this.#watched<NativeGpuStreams>(await openStreams(options), ['step', 'finish', 'importState']),
    }
    for (const [name, value] of Object.entries(instead)) Object.defineProperty(native, name, { value })
    this.natives.push(native)
    return native
  }

  #watched<T extends object>(object: T, names: readonly (keyof T & string)[]): T {
    for (const of of names) {
      const call = (object[of] as (...values: unknown[]) => Promise<unknown>).bind(object)
      const watched = (...values: unknown[]): Promise<unknown> => {
        const seen: SeenCall = { of, values, begun: this.#clock++, ended: Infinity }
        this.calls.push(seen)
        return call(...values)
          .finally(() => this.hold?.(seen))
          .finally(() => (seen.ended = this.#clock++))
      }
      Object.defineProperty(object, of, { value: watched })
    }
    return object
  }
}

export function loadOnDouble(gpu: NativeGpu, cacheDir: string, options: Partial<TensorRtEngineOptions> = {}) {
  return TensorRtEngine.load(
    {
      ...{ checkpoint: tinyPth, cacheDir, threads: 1, device: 0, tensorrtPath: [folderOf('trt10')] },
      ...{ streamBatch: 1, batchDelayMs: 2, precision: 'fp32' },
      ...options,
    },
    { gpu, reference: () => modelReference },
  )
}

const modelReference: ReferenceSource = (spec) => {
  const { inputWidth: width, inputHeight: height } = spec
  const frame = (index: number): number => encoded(loadAddon(), checkPicture(index, width, height), width, height)
  if (spec.use === 'windows') {
    const frames = windowPictures(spec.windowLength).map(frame)
    const paths = windowPaths(frames)
    return Promise.resolve(
      comparedPositions(spec.windowLength).map((i) => decoded(paths[i] ?? NaN, frames[i] ?? NaN, width, height)),
    )
  }
  return streamMaps({
    inputWidth: width,
    inputHeight: height,
    frameWidth: width,
    frameHeight: height,
    stabilized: false,
  })
}

async function streamMaps(geometry: StreamGeometry): Promise<Float32Array<ArrayBuffer>[]> {
  const stream = new ModelStream(loadAddon(), geometry)
  const maps: Float32Array<ArrayBuffer>[] = []
  for (let i = 0; i < streamFrames; i++)
    maps.push((await stream.step(checkPicture(i, geometry.inputWidth, geometry.inputHeight), planStep(i))).depth)
  return maps
}

/** What `engine` must agree with. */
export const modelOf = (engine: Engine): Engine => ({
  ...{ backend: 'cpu', architecture: engine.architecture, id: 'model', info: engine.info, nonFiniteAdvice: '' },
  openSession: (geometry: SessionGeometry) => Promise.resolve(new ModelSession(loadAddon(), geometry)),
  openStream: (geometry: StreamGeometry) => Promise.resolve(new ModelStream(loadAddon(), geometry)),
  close: () => Promise.resolve(),
})
