// Owns: what a finished run says: a few lines for a person, or one JSON object for a program.
// Must not know: how the run went about it.

import { counted } from '../../base/counted.js'
import { VideoDepthError } from '../../base/errors.js'
import { shown } from '../../base/outside-text.js'
import type { SourceInfo } from '../../io/sources/source.js'
import type { VideoDepth } from '../../video-depth.js'
import type { PassSummary } from './pass.js'
import { say, sayJson, tell } from '../tell.js'

export interface Finished {
  readonly files: readonly string[]
  readonly source: SourceInfo
  readonly model: VideoDepth
  readonly pass: PassSummary
  /** Wall time of reading, computing and writing, without loading the network. */
  readonly seconds: number
  /** `VideoDepth.load`. */
  readonly loadSeconds: number
  /** Writing the depth, the second pass included. */
  readonly writeSeconds: number
  /** Why the source ended early; undefined where it did not. */
  readonly sourceError: unknown
}

/** What a person should know of the depth, whatever is printed; empty where there is nothing. */
export function warnings({ windows }: PassSummary): string[] {
  if (windows === undefined) return []
  const { degenerate, begunAnew } = windows
  const unsolved = degenerate - begunAnew.length
  return [
    ...(begunAnew.length > 0
      ? [
          `the scale of depth begins anew at ${framesText(begunAnew)}: the frames before show too little to fit it to (black, white, a covered lens)`,
        ]
      : []),
    ...(unsolved > 0
      ? [
          `${counted(unsolved, 'window')} could not be fitted to those before, and kept a scale of ${unsolved === 1 ? 'its' : 'their'} own`,
        ]
      : []),
  ]
}

const mostNamed = 10

function framesText(frames: readonly number[]): string {
  const more = frames.length > mostNamed ? ` and ${frames.length - mostNamed} more` : ''
  return `frame${frames.length > 1 ? 's' : ''} ${frames.slice(0, mostNamed).join(', ')}${more}`
}

export function printSummary(finished: Finished, json: boolean): void {
  const { files, source, model, pass, seconds, loadSeconds, writeSeconds, sourceError } = finished
  const error = sourceError === undefined ? null : described(sourceError)
  const object = {
    source: source.name,
    width: source.width,
    height: source.height,
    kind: model.kind,
    backend: model.backend,
    frames: pass.frames,
    scenes: pass.scenes,
    windows: pass.windows?.count ?? null,
    degenerateWindows: pass.windows?.degenerate ?? null,
    begunAnew: pass.windows?.begunAnew ?? null,
    flatMaps: pass.flatMaps,
    engine: model.engineInfo,
    latencyMs: pass.latencyMs === undefined ? null : rounded(pass.latencyMs),
    seconds: {
      total: round(seconds),
      load: round(loadSeconds),
      ...rounded(pass.seconds),
      write: round(writeSeconds),
    },
    framesPerSecond: round(pass.frames / seconds),
    peakMemoryMiB: Math.round(process.resourceUsage().maxRSS / 1024),
    files,
    error,
  }
  if (json) {
    sayJson(object)
    return
  }
  const { frames, scenes, framesPerSecond, peakMemoryMiB, width, height, kind, latencyMs } = object
  const latency = latencyMs === null ? 'a stream' : `p50 ${latencyMs['p50']} ms, p99 ${latencyMs['p99']} ms`
  const way = object.windows === null ? latency : counted(object.windows, 'window')
  const lines = [
    `${counted(frames, 'frame')} of ${width}×${height}, ${kind}, ${way}${scenes > 1 ? `, ${scenes} scenes` : ''}, ${object.seconds.total} s (${framesPerSecond} fps), peak memory ${peakMemoryMiB} MiB`,
    ...(object.flatMaps > 0 ? [`${counted(object.flatMaps, 'depth map was', 'depth maps were')} flat`] : []),
    ...(object.engine.fallback?.isSurprising === true
      ? [`on the processor: ${shown(object.engine.fallback.reason)}`]
      : []),
    ...files.map((file) => `  ${shown(file)}`),
  ]
  say(`${lines.join('\n')}\n`)
  if (error !== null) {
    tell(
      `video-depth: the input ended early, ${counted(frames, 'frame was', 'frames were')} kept: ${error.message} [${error.code}]\n`,
    )
  }
}

function described(error: unknown): { code: string; message: string } {
  if (error instanceof VideoDepthError) return { code: error.code, message: error.message }
  return { code: 'SOURCE_DAMAGED', message: shown(error instanceof Error ? error.message : String(error)) }
}

const rounded = (values: object): Record<string, number> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, round(Number(value))]))

const round = (value: number): number => Math.round(value * 1000) / 1000
