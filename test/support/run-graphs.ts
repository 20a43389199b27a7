// Owns: running the three graphs with ONNX Runtime, frame after frame, for parity tests.
// Must not know: engines, windows.

import { InferenceSession, Tensor } from 'onnxruntime-node'
import type { PreparedGraphs } from '#lib/graph/prepare-graphs.js'

export interface WindowRun {
  /** Outputs of the encoder, by name, one array a frame. */
  readonly features: ReadonlyMap<string, readonly Float32Array[]>
  /** One map a frame. */
  readonly depth: readonly Float32Array[]
}

/** Graphs must have batches of 1. @param frames preprocessed, one a slot of the window */
export async function runWindow(graphs: PreparedGraphs, frames: readonly Float32Array[]): Promise<WindowRun> {
  const features = new Map<string, Float32Array[]>()
  const { inputs } = graphs.ports.encoder
  await withSession(graphs.encoder, async (encoder) => {
    for (const frame of frames) {
      const found = await encoder.run({ pixels: tensor(frame, inputs['pixels']) })
      for (const [name, value] of Object.entries(found))
        features.set(name, [...(features.get(name) ?? []), floats(value)])
    }
  })
  const path3 = await withSession(graphs.temporalHead, async (head) => {
    const shapes = graphs.ports.temporalHead.inputs
    const feeds = Object.fromEntries(
      ['layer3', 'layer4'].map((name) => [name, tensor(joined(features.get(name) ?? []), shapes[name])]),
    )
    return floats((await head.run(feeds))['path3'])
  })
  const depth = await withSession(graphs.depthDecoder, async (decoder) => {
    const shapes = graphs.ports.depthDecoder.inputs
    const each = path3.length / frames.length
    const maps: Float32Array[] = []
    for (const i of frames.keys()) {
      const feeds = {
        path3: tensor(path3.subarray(i * each, (i + 1) * each), shapes['path3']),
        layer1: tensor(features.get('layer1')?.[i], shapes['layer1']),
        layer2: tensor(features.get('layer2')?.[i], shapes['layer2']),
      }
      maps.push(floats((await decoder.run(feeds))['depth']))
    }
    return maps
  })
  return { features, depth }
}

async function withSession<T>(path: string, use: (session: InferenceSession) => Promise<T>): Promise<T> {
  const session = await InferenceSession.create(path, { executionProviders: ['cpu'], logSeverityLevel: 3 })
  try {
    return await use(session)
  } finally {
    await session.release()
  }
}

function tensor(data: Float32Array | undefined, shape: readonly number[] | undefined): Tensor {
  if (data === undefined || shape === undefined) throw new Error('no such input')
  return new Tensor('float32', data, shape)
}

function floats(value: Tensor | undefined): Float32Array {
  if (!(value?.data instanceof Float32Array)) throw new Error('no float32 output')
  return value.data
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
