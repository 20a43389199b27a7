// Owns: the two ways in which a command computes a whole video: in windows, or frame by frame.
// Must not know: where depth goes, how a summary is shown.

import type { DepthMap } from '../../base/frame.js'
import type { FrameSource } from '../../io/sources/source.js'
import type { ProcessOptions, ProcessProgress } from '../../video/process-options.js'
import type { LatencyPercentiles } from '../../stream/latency.js'
import type { FrameTimings } from '../../stream/stream-frame.js'
import type { StreamOptions } from '../../stream/stream-options.js'
import type { VideoDepth } from '../../video-depth.js'

export interface PassSummary {
  readonly frames: number
  readonly scenes: number
  readonly flatMaps: number
  /** Undefined in a stream, which has none. */
  readonly windows:
    { readonly count: number; readonly degenerate: number; readonly begunAnew: readonly number[] } | undefined
  /** Milliseconds a frame; undefined in windows, and where every frame waited for the network to be loaded. */
  readonly latencyMs: LatencyPercentiles | undefined
  /** By phase. */
  readonly seconds: Readonly<Record<string, number>>
}

export interface Pass {
  readonly depths: AsyncIterable<DepthMap>
  summary(): PassSummary
}

export function windowsPass(model: VideoDepth, source: FrameSource, options: ProcessOptions): Pass {
  const run = model.process(source, options)
  return {
    depths: run,
    summary: () => {
      const { framesOut, scenes, windows, degenerateWindows, begunAnew, flatMaps, seconds } = run.summary
      const counts = { count: windows, degenerate: degenerateWindows, begunAnew }
      return { frames: framesOut, scenes, flatMaps, windows: counts, latencyMs: undefined, seconds: { ...seconds } }
    },
  }
}

export function streamPass(
  model: VideoDepth,
  source: FrameSource,
  options: StreamOptions & { readonly queue?: 'all' },
  onProgress: (progress: ProcessProgress) => void,
): Pass {
  const stream = model.stream(options)
  const seconds = { preprocess: 0, infer: 0, post: 0 }
  const add = ({ preprocessMs, inferMs, postMs }: FrameTimings): void => {
    seconds.preprocess += preprocessMs / 1000
    seconds.infer += inferMs / 1000
    seconds.post += postMs / 1000
  }
  async function* depths(): AsyncGenerator<DepthMap> {
    try {
      for await (const depth of stream.depths(source)) {
        add(depth.timings)
        yield depth
        const done = depth.index + 1
        onProgress({ framesEncoded: done, framesOut: done, frameCount: source.info.frameCount })
      }
    } finally {
      await stream.close()
    }
  }
  return {
    depths: depths(),
    summary: () => {
      const { framesOut, scenes, flatMaps, latency } = stream.stats
      return { frames: framesOut, scenes, flatMaps, windows: undefined, latencyMs: latency, seconds }
    },
  }
}
