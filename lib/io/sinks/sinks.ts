// Owns: which sink makes which output, and several outputs at once.
// Must not know: how any of them writes.

import { counted } from '../../base/counted.js'
import { invalidOption } from '../../base/errors.js'
import type { DepthMap } from '../../base/frame.js'
import { checkPath, known, type Names } from '../../base/known-options.js'
import { quietAtEnd } from '../../base/quiet-promise.js'
import { leastBytesPerPixel } from './depth-spill.js'
import { checkRange } from './depth-range.js'
import { checkRoom, type LeastSize } from './free-space.js'
import { npzOutput } from './npz-sink.js'
import { checkApart } from './output-target.js'
import { png16Output, type Png16Options } from './png16-sink.js'
import { rawSink } from './raw-sink.js'
import type { DepthSink } from './sink.js'
import { spilledSink, type SpillOutput } from './spilled-sink.js'
import { liveVideoSink, videoOutput, type DepthVideoOptions } from './video-sink.js'

/** One output: `path` is a file, or a folder for `png16`. */
export type OutputSpec =
  | { readonly format: 'raw'; readonly path: string }
  | { readonly format: 'npz'; readonly path: string }
  | ({ readonly format: 'png16'; readonly path: string } & Png16Options)
  | ({ readonly format: 'video'; readonly path: string } & DepthVideoOptions)

const bare = { format: true, path: true } as const
const specNames: { readonly [Format in OutputSpec['format']]: Names<Extract<OutputSpec, { format: Format }>> } = {
  raw: bare,
  npz: bare,
  png16: { ...bare, range: true },
  video: { ...bare, palette: true, range: true, bright: true, frameRate: true, crf: true },
}

/** What will come, for the check whether it fits on the disk. */
export interface ExpectedFrames {
  /** Pixels. */
  readonly width: number
  readonly height: number
  /** How many frames, at most. */
  readonly frames: number
}

/**
 * One sink for all the outputs. Paths are tried at once, so that an unwritable one fails before the work. Outputs that
 * need all frames first (`npz`, `png16`, `video` with a global range) share one temporary file in the folder of the first of
 * them, without a name where the system allows it: 1 to 2.5 bytes a pixel of each frame, about 20 GB for ten minutes of
 * 1280×720 at 24 frames a second. Each output is atomic; if one fails, those not yet finished are removed.
 *
 * @param expected where it is known: what surely does not fit is refused at once, otherwise when it shows
 * @throws `OUTPUT_UNWRITABLE`, `OUTPUT_FULL`, `INVALID_OPTION` also for two outputs in the same place
 */
export async function openSinks(outputs: readonly OutputSpec[], expected?: ExpectedFrames): Promise<DepthSink> {
  if (!isList(outputs) || outputs.length === 0) throw invalidOption('at least one output', 'outputs', outputs)
  outputs.forEach(checkSpec)
  await checkApart(outputs.flatMap(placesOf))
  const sinks: DepthSink[] = []
  const spilled: SpillOutput[] = []
  try {
    for (const spec of outputs) {
      const live = await liveSink(spec)
      if (live === undefined) spilled.push(await spillOutput(spec))
      else sinks.push(live)
    }
    if (expected !== undefined) await checkSize(outputs, spilled[0], expected)
  } catch (error) {
    await Promise.all([...sinks.map((sink) => sink.abort()), ...spilled.map((output) => output.discard())])
    throw error
  }
  if (spilled.length > 0) {
    try {
      sinks.push(await spilledSink(spilled, expected?.frames))
    } catch (error) {
      await Promise.all(sinks.map((sink) => sink.abort()))
      throw error
    }
  }
  return fanOut(sinks)
}

/** A single output. */
export function openSink(output: OutputSpec, expected?: ExpectedFrames): Promise<DepthSink> {
  return openSinks([output], expected)
}

/** Every frame to every sink. A failure of one aborts them all, but for those that are finished, and is what later calls reject with. */
function fanOut(sinks: readonly DepthSink[]): DepthSink {
  const abort = async (): Promise<void> => {
    await Promise.all(sinks.map((sink) => sink.abort()))
  }
  let failure: { readonly error: unknown } | undefined
  const orAbort = <T>(action: () => Promise<T>): Promise<T> => quietAtEnd(unlessFailed(action))
  const unlessFailed = async <T>(action: () => Promise<T>): Promise<T> => {
    if (failure !== undefined) throw failure.error
    try {
      return await action()
    } catch (error) {
      failure ??= { error }
      await abort()
      throw error
    }
  }
  return {
    write: (frame: DepthMap) =>
      orAbort(async () => {
        const results = await Promise.allSettled(sinks.map((sink) => sink.write(frame)))
        for (const result of results) if (result.status === 'rejected') throw result.reason
      }),
    finish: () =>
      orAbort(async () => {
        const paths: string[] = []
        for (const sink of sinks) paths.push(...(await sink.finish()))
        return paths
      }),
    abort,
  }
}

function checkSpec(spec: OutputSpec, index: number): void {
  if (typeof spec !== 'object' || (spec as unknown) === null) throw invalidOption('an object', `output ${index}`, spec)
  if (!Object.hasOwn(specNames, spec.format))
    throw invalidOption("'raw', 'npz', 'png16' or 'video'", 'format', spec.format)
  known(spec, `output ${index} (${spec.format})`, specNames[spec.format])
  checkPath(spec.path, `output ${index} (${spec.format}) path`)
}

/** Array.isArray would make the items `any`. */
function isList(outputs: readonly OutputSpec[]): boolean {
  return Array.isArray(outputs)
}

/** Every final name. */
function placesOf({ format, path }: OutputSpec): readonly string[] {
  return format === 'raw' ? [path, `${path}.json`] : [path]
}

/** The formats whose least size is known: depth that is parked, and bare floats. */
async function checkSize(
  specs: readonly OutputSpec[],
  parked: SpillOutput | undefined,
  { width, height, frames }: ExpectedFrames,
): Promise<void> {
  const pixels = width * height * frames
  const raw = specs.filter(({ format }) => format === 'raw')
  const sizes: LeastSize[] = raw.map(({ path }) => ({ path, bytes: pixels * Float32Array.BYTES_PER_ELEMENT }))
  if (parked !== undefined) sizes.unshift({ path: parked.path, bytes: pixels * leastBytesPerPixel })
  await checkRoom(sizes, ` for ${counted(frames, 'frame')} of ${width}×${height}`)
}

async function liveSink(spec: OutputSpec): Promise<DepthSink | undefined> {
  if (spec.format === 'raw') return rawSink(spec.path)
  if (spec.format !== 'video') return undefined
  const range = checkRange(spec.range ?? 'global')
  return range === 'global' ? undefined : liveVideoSink(spec.path, { ...spec, range })
}

async function spillOutput(spec: OutputSpec): Promise<SpillOutput> {
  if (spec.format === 'npz') return npzOutput(spec.path)
  if (spec.format === 'png16') return png16Output(spec.path, spec)
  if (spec.format === 'video') return videoOutput(spec.path, spec)
  throw new Error(`${spec.format} needs no second pass`)
}
