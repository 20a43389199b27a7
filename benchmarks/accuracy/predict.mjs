// Owns: a network's depth of a rendered sequence, in windows or as a stream.
// Must not know: the truth.

import { bundledCheckpoint } from '../../dist/esm/prepare/bundled-checkpoint.js'
import { VideoDepth } from '../../dist/esm/video-depth.js'

export const loadModel = (values, more = {}) =>
  VideoDepth.load({
    checkpoint: values.checkpoint ?? bundledCheckpoint,
    backend: 'cpu',
    precision: values.precision ?? 'fp32',
    ...(values.threads !== undefined && { threads: Number(values.threads) }),
    ...more,
  })

const pictures = (frames) => frames.map(({ data, width, height }) => ({ data, width, height }))

/** @param options of `VideoDepth.process` */
export async function inWindows(model, frames, options = {}) {
  const maps = []
  for await (const { data } of model.process(pictures(frames), options)) maps.push(data)
  return maps
}

export async function asStream(model, frames) {
  const stream = model.stream()
  try {
    const maps = []
    for await (const { data } of stream.depths(pictures(frames))) maps.push(data)
    return maps
  } finally {
    await stream.close()
  }
}
