// Owns: the TensorRT engine on a fake GPU, with videos and streams on it, for tests.
// Must not know: what is tested with it.

import { DepthRun } from '../../dist/esm/video/run.js'
import type { Engine, EngineHost } from '../../dist/esm/engine/engine.js'
import { TensorRtEngine, type TensorRtEngineOptions } from '../../dist/esm/engine/tensorrt/tensorrt-engine.js'
import type { ReferenceSource } from '../../dist/esm/engine/tensorrt/reference.js'
import { fromFrames } from '../../dist/esm/io/sources/frames-source.js'
import { networkInputSize } from '../../dist/esm/prepare/checkpoint/input-size.js'
import { DepthStream } from '../../dist/esm/stream/depth-stream.js'
import type { StreamDepth, StreamFrame } from '../../dist/esm/stream/stream-frame.js'
import { checkStreamOptions, type StreamOptions } from '../../dist/esm/stream/stream-options.js'
import { windowStrategy } from '../../dist/esm/plan/strategy.js'
import { tinyPth } from './checkpoint-files.js'
import type { FakeGpu } from './gpu-fake.js'
import { tinyFrame, type TinyFrame } from './tiny-video.js'

export const inputSize = 28
/** The windows' shapes for the fixture's frames of 128×72 at that input size. */
export const windows = {
  inputWidth: 56,
  inputHeight: 28,
  frameWidth: 128,
  frameHeight: 72,
  windowLength: 32,
  slots: 54,
}
export const streams = { inputWidth: 56, inputHeight: 28, frameWidth: 128, frameHeight: 72, stabilized: false }

export function loadOn(gpu: FakeGpu, options: Partial<TensorRtEngineOptions> & { reference?: ReferenceSource } = {}) {
  const { reference, ...rest } = options
  return TensorRtEngine.load(
    {
      ...{ checkpoint: gpu.checkpoint, cacheDir: gpu.cacheDir, threads: 1, device: 0, tensorrtPath: [] },
      ...{ streamBatch: 1, batchDelayMs: 2 },
      ...rest,
    },
    { gpu, ...(reference !== undefined && { reference: () => reference }) },
  )
}

/** What a first session's plans came to. */
export async function prepared(gpu: FakeGpu, options: Parameters<typeof loadOn>[1] = {}) {
  const engine = await loadOn(gpu, options)
  try {
    await (await engine.openSession(windows)).close()
    const [info] = engine.info.plans
    if (info === undefined) throw new Error('no plans')
    return info
  } finally {
    await engine.close()
  }
}

/** As VideoDepth.process runs it. */
export function videoOn(engine: Engine, frames: Iterable<TinyFrame>, signal?: AbortSignal): DepthRun {
  return new DepthRun(hostOf(engine), { strategy: windowStrategy(), openSource: () => fromFrames(frames), signal })
}

export function streamOn(engine: Engine, options: StreamOptions = {}): DepthStream<undefined> {
  return new DepthStream<undefined>(hostOf(engine), checkStreamOptions(options, false), () => undefined)
}

function hostOf(engine: Engine): EngineHost {
  return { engine, kind: 'disparity', inputSize: (width, height) => networkInputSize(width, height, inputSize) }
}

export function* clip(from: number, to: number): Generator<TinyFrame> {
  for (let i = from; i < to; i++) yield tinyFrame(i)
}

export async function depthsOf(frames: AsyncIterable<{ readonly data: Float32Array }>): Promise<Float32Array[]> {
  const all: Float32Array[] = []
  for await (const { data } of frames) all.push(data)
  return all
}

export async function streamed(stream: DepthStream<undefined>, frames: Iterable<StreamFrame>): Promise<StreamDepth[]> {
  const all: StreamDepth[] = []
  for await (const depth of stream.depths(frames)) all.push(depth)
  return all
}

export { tinyPth }
