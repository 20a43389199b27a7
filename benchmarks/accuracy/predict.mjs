// Owns: a network's depth of a rendered sequence, in windows of any strategy or as a stream.
// Must not know: the truth.

import { checkLoadOptions } from '../../dist/esm/engine/load-options.js'
import { openHost } from '../../dist/esm/engine/open-engine.js'
import { fromFrames } from '../../dist/esm/io/sources/frames-source.js'
import { windowStrategy } from '../../dist/esm/plan/strategy.js'
import { bundledCheckpoint } from '../../dist/esm/prepare/bundled-checkpoint.js'
import { DepthStream } from '../../dist/esm/stream/depth-stream.js'
import { checkStreamOptions } from '../../dist/esm/stream/stream-options.js'
import { DepthRun } from '../../dist/esm/video/run.js'

/** @returns what `VideoDepth` holds, as strategies other than its own are compared; `engine.close()` ends it */
export const loadHost = (values, more = {}) =>
  openHost(
    checkLoadOptions({
      checkpoint: values.checkpoint ?? bundledCheckpoint,
      backend: 'cpu',
      precision: values.precision ?? 'fp32',
      ...(values.threads !== undefined && { threads: Number(values.threads) }),
      ...more,
    }),
  )

const pictures = (frames) => frames.map(({ data, width, height }) => ({ data, width, height }))

export async function inWindows(host, frames, strategy = windowStrategy()) {
  const maps = []
  const run = new DepthRun(host, { strategy, openSource: () => fromFrames(pictures(frames)) })
  for await (const { data } of run) maps.push(data)
  return maps
}

/** @param options of `VideoDepth.stream` */
export async function asStream(host, frames, options = {}) {
  const stream = new DepthStream(host, checkStreamOptions(options, false), () => undefined)
  try {
    const maps = []
    for await (const { data } of stream.depths(pictures(frames))) maps.push(data)
    return maps
  } finally {
    await stream.close()
  }
}
