// Owns: the addon on doubles of CUDA and TensorRT, and small graphs for it (test/native/gpu-double/README.md).
// Must not know: what is tested with them, what the graphs compute.

import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { NativeGpu, NativeGpuEngine, NativePlan, NativeStreamsOptions } from '../../dist/esm/native/gpu-types.js'
import type { NativeAddon } from '../../dist/esm/native/types.js'
import type { NativePicture } from '../../dist/esm/base/pixel-format.js'

const built = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../build-native/release')
const addonFile = path.join(built, 'Release/video_depth.node')
const libraries = path.join(built, 'test/native/gpu-double')

/** Why the tests on the double cannot run; false where they can. */
export const doubleMissing: string | false =
  process.platform !== 'linux'
    ? 'the doubles of CUDA and TensorRT know Linux only'
    : !existsSync(addonFile) &&
      'the addon on doubles of CUDA and TensorRT is not built: `npm test` builds it where there are a compiler and CMake'

export type DoubleLibrary = 'trt10' | 'trt11' | 'too-old' | 'wrong-major' | 'no-runtime' | 'no-parser' | 'nowhere'
export const folderOf = (library: DoubleLibrary): string => path.join(libraries, library)

export function doubleAddon(): NativeAddon {
  return createRequire(import.meta.url)(addonFile) as NativeAddon
}

export function doubleGpu(): NativeGpu {
  const { gpu } = doubleAddon()
  if (gpu === null) throw new Error('the addon on doubles has no GPU part')
  return gpu
}

export const openDouble = (library: DoubleLibrary = 'trt10'): Promise<NativeGpuEngine> =>
  doubleGpu().open(0, [folderOf(library)])

export const inputWidth = 42
export const inputHeight = 28
export const smallSlots = 5

export type GraphKind = 'encoder' | 'temporal-head' | 'depth-decoder' | 'stream-step'

/** The graphs of a small network. @param extra further lines, as `delay 20` */
export function smallGraph(kind: GraphKind, batch: number, extra = ''): string {
  const port = (way: string, name: string, shape: string, type = 'float32'): string =>
    `${way} ${name} ${type} ${batch}${shape}\n`
  const deep = port('input', 'layer3', 'x8x2x3') + port('input', 'layer4', 'x8x1x2')
  const path3 = (way: string): string => port(way, 'path3', 'x4x4x6')
  const lines = {
    encoder:
      port('input', 'pixels', `x3x${inputHeight}x${inputWidth}`) +
      port('output', 'layer1', 'x4x8x12') +
      port('output', 'layer2', 'x4x4x6') +
      port('output', 'layer3', 'x8x2x3') +
      port('output', 'layer4', 'x8x1x2'),
    'temporal-head': deep + path3('output'),
    'depth-decoder':
      path3('input') +
      port('input', 'layer1', 'x4x8x12') +
      port('input', 'layer2', 'x4x4x6') +
      port('output', 'depth', `x${inputHeight}x${inputWidth}`),
    'stream-step':
      deep +
      port('input', 'positions', `x${smallSlots + 1}`, 'int64') +
      port('input', 'mask', `x${smallSlots + 1}`) +
      port('input', 'remembered0.0', `x8x${smallSlots}x32`) +
      port('input', 'remembered0.1', `x8x${smallSlots}x16`) +
      path3('output') +
      port('output', 'state0.0', 'x8x32') +
      port('output', 'state0.1', 'x8x16'),
  }
  return `graph ${kind}\nworkspace 1024\n${lines[kind]}${extra}`
}

let files = 0

/** Files of graphs, below a folder of the test's own. */
export class SmallNetwork {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  async file(text: string): Promise<string> {
    const file = path.join(this.#folder, `graph-${process.pid}-${files++}.txt`)
    await writeFile(file, text)
    return file
  }

  async built(engine: NativeGpuEngine, text: string): Promise<Uint8Array<ArrayBuffer>> {
    const request = { onnxPath: await this.file(text), workspaceBytes: 1 << 20, optimizationLevel: 3 }
    return (await engine.build(request, () => undefined)).plan
  }

  async plan(engine: NativeGpuEngine, kind: GraphKind, batch: number, extra = ''): Promise<NativePlan> {
    return engine.loadPlan(await this.built(engine, smallGraph(kind, batch, extra)))
  }

  /** @param extra of the temporal head, which runs once a window */
  async windows(
    engine: NativeGpuEngine,
    { length = 4, batch = 2, slots = 8, extra = '', width = 20, height = 12 } = {},
  ) {
    return engine.openWindows({
      encoder: await this.plan(engine, 'encoder', batch),
      temporalHead: await this.plan(engine, 'temporal-head', length, extra),
      depthDecoder: await this.plan(engine, 'depth-decoder', batch),
      ...{ frameWidth: width, frameHeight: height, slots },
    })
  }

  /** @param extra of every step graph */
  async streams(engine: NativeGpuEngine, batches: readonly number[], rows: number, extra = '') {
    const all = async (kind: GraphKind): Promise<NativePlan[]> => {
      const plans: NativePlan[] = []
      for (const batch of batches) plans.push(await this.plan(engine, kind, batch, kind === 'stream-step' ? extra : ''))
      return plans
    }
    const options: NativeStreamsOptions = {
      ...{ batches, rows, encoders: await all('encoder') },
      ...{ steps: await all('stream-step'), depthDecoders: await all('depth-decoder') },
    }
    return engine.openStreams(options)
  }
}

/** Every byte the same. */
export function grey(value: number, width = 20, height = 12): NativePicture {
  const data = new Uint8Array(width * height).fill(value)
  return {
    ...{ data, width, height, pixelFormat: 'gray8', strideBytes: width },
    ...{ colorMatrix: 'bt601', colorRange: 'full' },
  }
}

/** A rejection as it came, with what the addon puts on it. */
export async function rejection(promise: Promise<unknown>): Promise<Error & { code?: string; lasting?: boolean }> {
  try {
    await promise
  } catch (error) {
    if (error instanceof Error) return error
    throw error
  }
  throw new Error('it was expected to reject')
}
