// Owns: `video-depth live`: a camera, a network stream or raw frames on standard input into depth, until it is stopped.
// Must not know: how frames are fetched, how outputs are written, the network.

import { counted } from '../../base/counted.js'
import { Command } from 'commander'
import { VideoDepthError } from '../../base/errors.js'
import type { LiveEvent } from '../../io/live/live-options.js'
import { openLive } from '../../io/live/live-source.js'
import { openRawFrames } from '../../io/live/raw-frames.js'
import type { DepthStream } from '../../stream/depth-stream.js'
import type { StreamFrame } from '../../stream/stream-frame.js'
import { unlessAborted } from '../../base/unless-aborted.js'
import { VideoDepth } from '../../video-depth.js'
import { loadedText, onceEach, arithmeticLines } from '../engine-text.js'
import { exitCode } from '../exit-code.js'
import { endable } from '../interrupt.js'
import { addLiveOptions, type LiveArguments } from './live-arguments.js'
import { checkLive, type LiveSettings } from './live-checks.js'
import { LiveOutputs, openOutputs } from './live-outputs.js'
import { mishapTexts, StatusLine, type Mishaps } from './live-status.js'
import { tellOfWeights } from '../run/run.js'
import { errorText, printJson, tell } from '../tell.js'

/** Longest wait for a graph run in native code once the end is asked for. Milliseconds. */
const closeMs = 2000

export function liveCommand(): Command {
  const command = new Command('live').description(
    'Compute depth of a live camera or stream, frame by frame, until Ctrl-C or its end.',
  )
  return addLiveOptions(command).action(async (input: string, options: LiveArguments) => {
    const isGiven = (option: keyof LiveArguments): boolean => command.getOptionValueSource(option) === 'cli'
    process.exitCode = await endable(async (end) => runLive(await checkLive(input, options, isGiven), options, end))
  })
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))
  await Promise.race([work, late]).finally(() => clearTimeout(timer))
}

/** Frames that go on until they are closed. */
interface FrameInput {
  readonly name: string
  readonly frameRate: number | undefined
  readonly frames: AsyncIterable<StreamFrame>
  readonly mishaps: Mishaps
  close(): Promise<void>
}

/** @param end asks for a proper end: what came is computed, outputs are completed */
async function runLive(settings: LiveSettings, options: LiveArguments, end: AbortSignal): Promise<number> {
  const status = new StatusLine(process.stderr, options.status * 1000)
  const onProgress = onceEach((text) => status.say(text))
  const onWarning = (text: string): void => status.say(text)
  const model = await VideoDepth.load({ ...settings.load, signal: end, onProgress, onWarning })
  tellOfWeights(model.architecture)
  tell(loadedText(model.engineInfo))
  let opened: FrameInput | undefined
  try {
    const source = await openInput(settings.input, end, (event) => status.event(event))
    opened = source
    const { name, frames, frameRate } = source
    const stream = model.stream(settings.stream)
    const outputs = new LiveOutputs(await openOutputs(options, frameRate), end, (text) => status.say(text))
    status.watch(() => ({ ...stream.stats, ...source.mishaps }))
    const failure = await pump({ name, frames, stream, outputs, end, most: options.maxLen })
    status.end()
    for (const line of arithmeticLines(model.engineInfo)) status.say(line)
    return await report({ model, stream, source, failure, outputs, status }, options.json)
  } finally {
    status.end()
    await opened?.close()
    await (end.aborted ? within(closeMs, model.close()) : model.close())
  }
}

async function openInput(
  settings: LiveSettings['input'],
  signal: AbortSignal,
  onEvent: (event: LiveEvent) => void,
): Promise<FrameInput> {
  if (settings.kind === 'raw') {
    const source = openRawFrames(process.stdin, settings.options)
    const mishaps = { reconnects: 0, damagedPackets: 0, damagedFrames: 0, sizeChanges: 0 }
    return { ...source.info, frames: source, mishaps, close: () => source.close() }
  }
  const source = await openLive(settings.input, { ...settings.options, signal, onEvent })
  return {
    ...source.info,
    frames: source,
    get mishaps() {
      const { reconnects, damagedPackets, damagedFrames, sizeChanges } = source.stats
      return { reconnects, damagedPackets, damagedFrames, sizeChanges }
    },
    close: () => source.close(),
  }
}

interface Pump {
  readonly name: string
  readonly frames: AsyncIterable<StreamFrame>
  readonly stream: DepthStream<undefined>
  readonly outputs: LiveOutputs
  readonly end: AbortSignal
  /** Depth maps; −1: no limit. */
  readonly most: number
}

/**
 * Until the source ends, is lost, an end is asked for, or nothing is left to write to. Whatever it is, the outputs are
 * completed, unless no depth came.
 *
 * @returns why it ended, undefined for a proper end
 */
async function pump({ name, frames, stream, outputs, end, most }: Pump): Promise<unknown> {
  let failure: unknown
  let count = 0
  try {
    for await (const depth of stream.depths(until(end, frames))) {
      await outputs.write(depth)
      count++
      if (count === most || outputs.areGone) break
    }
  } catch (error) {
    failure = error
  }
  if (count === 0) {
    await outputs.abort()
    end.throwIfAborted()
    throw (failure ?? new VideoDepthError('SOURCE_EMPTY', `${name} gave no frame`)) as Error
  }
  await outputs.finish()
  return failure
}

/** The frames up to the moment when an end is asked for; a frame that is waited for is not waited for any longer. */
async function* until<T>(end: AbortSignal, frames: AsyncIterable<T>): AsyncGenerator<T> {
  const iterator = frames[Symbol.asyncIterator]()
  try {
    for (;;) {
      const result = await unlessAborted(iterator.next(), end)
      if (result.done === true) return
      yield result.value
    }
  } catch (error) {
    if (!end.aborted) throw error
  }
}

interface Ended {
  readonly model: VideoDepth
  readonly stream: DepthStream<undefined>
  readonly source: FrameInput
  /** Why the frames or the network ended early. */
  readonly failure: unknown
  readonly outputs: LiveOutputs
  readonly status: StatusLine
}

/** @returns the exit code */
async function report({ model, stream, source, failure, outputs, status }: Ended, json: boolean): Promise<number> {
  const { framesIn, framesOut, dropped, scenes, flatMaps, latency } = stream.stats
  const { mishaps } = source
  const texts = mishapTexts(mishaps)
  if (texts.length > 0) status.say(`the source had ${texts.join(', ')}`)
  if (failure !== undefined) {
    const who = isSourceError(failure) ? 'the source' : 'the computation'
    status.say(
      `${who} ended early, ${counted(framesOut, 'depth map was', 'depth maps were')} kept: ${errorText(failure)}`,
    )
  }
  const error = failure ?? outputs.failures[0]
  if (json) {
    const counts = { framesIn, framesOut, dropped, scenes, flatMaps, ...mishaps }
    const summary = {
      source: source.name,
      ...counts,
      latencyMs: latency ?? null,
      engine: model.engineInfo,
      error: describe(error),
    }
    await printJson(summary)
  }
  if (error === undefined) return exitCode.ok
  return outputs.failures.length === 0 && isSourceError(failure) ? exitCode.partial : exitCode.failed
}

function isSourceError(error: unknown): boolean {
  return error instanceof VideoDepthError && (error.code.startsWith('SOURCE_') || error.code === 'FRAME_SIZE_CHANGED')
}

function describe(error: unknown): { readonly code: string | null; readonly message: string } | null {
  if (error === undefined) return null
  if (error instanceof VideoDepthError) return { code: error.code, message: error.message }
  return { code: null, message: error instanceof Error ? error.message : 'unknown' }
}
