// Owns: what the options of `video-depth live` come to, and which go together; all that can be said before anything is loaded.
// Must not know: how frames are fetched, computed or written.

import { fstatSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { checkSceneCuts } from '../../cuts/cut-detector.js'
import { invalidOption, optionConflict, VideoDepthError } from '../../base/errors.js'
import { checkLiveFile, isCamera } from '../../io/live/live-file.js'
import { liveInput, type LiveInput } from '../../io/live/live-input.js'
import { resolveLiveOptions, type LiveOptions } from '../../io/live/live-options.js'
import { checkRawFrames, type RawFramesOptions } from '../../io/live/raw-frames.js'
import { checkApart } from '../../io/sinks/output-target.js'
import { checkWhole } from '../../base/known-options.js'
import { checkLoadOptions, type LoadOptions } from '../../engine/load-options.js'
import { checkStreamOptions, type StreamOptions } from '../../stream/stream-options.js'
import type { LiveArguments } from './live-arguments.js'
import { modelOptions } from '../options.js'

export interface LiveSettings {
  readonly load: LoadOptions
  readonly stream: StreamOptions
  /** Where the frames come from. */
  readonly input:
    | { readonly kind: 'raw'; readonly options: RawFramesOptions }
    | { readonly kind: 'live'; readonly input: string; readonly options: LiveOptions }
}

/** The longest that a timer takes, in whole seconds. */
const mostSeconds = Math.floor((2 ** 31 - 1) / 1000)
/** A status line once a day is the rarest. */
const mostStatusSeconds = 86_400

/**
 * @param isGiven whether an option was typed, rather than left to its default
 * @throws VideoDepthError INVALID_OPTION under the command line's names, SOURCE_UNREADABLE; nothing is opened, loaded or created
 */
export async function checkLive(
  input: string,
  options: LiveArguments,
  isGiven: (option: keyof LiveArguments) => boolean,
): Promise<LiveSettings> {
  checkOutputs(options, isGiven)
  await checkApart([options.video, options.png].filter((place) => place !== undefined))
  checkNumbers(options)
  const load = underOwnNames(() => loadOptions(options))
  const stream = underOwnNames(() => streamOptions(input, options))
  if (input === '-') {
    refuse(notRaw, isGiven, 'needs a camera, an address or a file as the input')
    const raw = underOwnNames(() => rawOptions(options, isGiven))
    if (fstatSync(process.stdin.fd).isDirectory())
      throw new VideoDepthError('SOURCE_UNREADABLE', 'Standard input is a folder')
    return { load, stream, input: { kind: 'raw', options: raw } }
  }
  const live = liveOptions(options)
  const camera = await isCamera(input)
  const found = underOwnNames(() => liveInput(input, resolveLiveOptions(live), camera))
  refuse(onlyRaw, isGiven, 'needs - as the input')
  await checkSource(found, options, isGiven)
  return { load, stream, input: { kind: 'live', input, options: live } }
}

const onlyRaw = ['size', 'pixelFormat', 'colorMatrix', 'colorRange', 'fps'] as const
const notRaw = ['maxRes', 'rtspTransport', 'stall', 'playlists', 'reconnect', 'wait'] as const
const notFile = ['reconnect', 'wait'] as const

function refuse(
  names: readonly (keyof LiveArguments)[],
  isGiven: (option: keyof LiveArguments) => boolean,
  why: string,
): void {
  const given = names.find(isGiven)
  if (given !== undefined) throw optionConflict(`${flag(given)} ${why}`)
}

/** `maxRes` is `--max-res`. */
function flag(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

function checkOutputs(
  { video, png, stdout, json }: LiveArguments,
  isGiven: (option: keyof LiveArguments) => boolean,
): void {
  if (video === undefined && png === undefined && !stdout)
    throw optionConflict('live needs an output: --video, --png or --stdout')
  if (stdout && json) throw optionConflict('--stdout and --json both write to standard output: remove one of them')
  if (video !== undefined && path.extname(video).toLowerCase() !== '.mp4')
    throw invalidOption('a file name that ends in .mp4', '--video', video)
  if (png === '') throw invalidOption('a folder', '--png', png)
  if (video === undefined) refuse(['palette', 'bright'], isGiven, 'needs --video')
}

function checkNumbers({ maxLen, stall, status, reconnect, wait }: LiveArguments): void {
  if (maxLen !== -1) checkWhole(maxLen, '--max-len', 1, Number.MAX_SAFE_INTEGER)
  if (reconnect !== -1) checkWhole(reconnect, '--reconnect', 0, Number.MAX_SAFE_INTEGER)
  if (wait && reconnect === 0) throw optionConflict('--wait needs --reconnect other than 0')
  if (!(stall >= 0.1 && stall <= mostSeconds))
    throw invalidOption(`a number of seconds from 0.1 to ${mostSeconds}`, '--stall', stall)
  if (!(status >= 0 && status <= mostStatusSeconds))
    throw invalidOption(`a number of seconds from 0 to ${mostStatusSeconds}`, '--status', status)
}

function loadOptions(options: LiveArguments): LoadOptions {
  const load = modelOptions(options)
  checkLoadOptions(load)
  return load
}

function streamOptions(input: string, { queue, stabilize, metric, ...options }: LiveArguments): StreamOptions {
  const sceneCuts = typeof options.sceneCuts === 'number' ? { threshold: options.sceneCuts } : options.sceneCuts
  checkSceneCuts(sceneCuts)
  const stream = { queue: queue ?? (input === '-' ? 'all' : 'latest'), sceneCuts, stabilize } as const
  checkStreamOptions(stream, metric)
  return stream
}

function rawOptions(
  { size, pixelFormat, colorMatrix, colorRange, fps }: LiveArguments,
  isGiven: (option: keyof LiveArguments) => boolean,
): RawFramesOptions {
  const match = /^(\d{1,5})x(\d{1,5})$/.exec(size ?? '')
  if (match === null) throw invalidOption('WIDTHxHEIGHT of the raw frames', '--size', size)
  const isYuv = pixelFormat === 'nv12' || pixelFormat === 'yuyv422'
  if (!isYuv) refuse(['colorMatrix'], isGiven, 'needs --pixel-format nv12 or yuyv422')
  if (!isYuv && pixelFormat !== 'gray8') refuse(['colorRange'], isGiven, 'needs --pixel-format nv12, yuyv422 or gray8')
  const options: RawFramesOptions = {
    width: Number(match[1]),
    height: Number(match[2]),
    pixelFormat,
    colorMatrix,
    name: 'standard input',
    ...(colorRange !== undefined && { colorRange }),
    ...(fps !== undefined && { frameRate: fps }),
  }
  checkRawFrames(options)
  return options
}

function liveOptions({
  maxRes,
  rtspTransport,
  stall,
  playlists,
  reconnect: attempts,
  wait,
}: LiveArguments): LiveOptions {
  const reconnect: LiveOptions['reconnect'] =
    attempts === 0 ? false : { first: wait, ...(attempts !== -1 && { attempts }) }
  return { maxRes, rtspTransport, stallMs: stall * 1000, playlists, reconnect }
}

async function checkSource(
  { kind, shown, how }: LiveInput,
  { video }: LiveArguments,
  isGiven: (option: keyof LiveArguments) => boolean,
): Promise<void> {
  if (!how.startsWith('RTSP')) refuse(['rtspTransport'], isGiven, 'needs an rtsp or rtsps address as the input')
  if (kind !== 'file') return
  refuse(notFile, isGiven, 'needs a camera or an address as the input')
  await checkLiveFile(shown)
  if (video !== undefined && (await isSameFile(shown, video)))
    throw invalidOption('another file than the input', '--video', video)
}

async function isSameFile(...paths: readonly [string, string]): Promise<boolean> {
  const [one, other] = await Promise.all(paths.map((name) => stat(name, { bigint: true }).catch(() => undefined)))
  return one !== undefined && other !== undefined && one.dev === other.dev && one.ino === other.ino
}

/** What the library calls its options, where that is not their flag in small. */
const ownNames: Readonly<Record<string, string>> = {
  input: '<input>',
  frameRate: '--fps',
  width: '--size (width)',
  height: '--size (height)',
  threshold: '--scene-cuts',
}

/** The library words its refusals for programs: the option's name is replaced. */
function underOwnNames<T>(check: () => T): T {
  try {
    return check()
  } catch (error) {
    if (!(error instanceof VideoDepthError) || error.code !== 'INVALID_OPTION') throw error
    const message = error.message
      .replace(/ for ([a-z]\w*), received /, (_, name: string) => ` for ${ownNames[name] ?? flag(name)}, received `)
      .replace(/^([a-z]\w*)(?= ('\w+' )?(needs|has no effect) )/, flag)
    throw new VideoDepthError('INVALID_OPTION', message, { cause: error })
  }
}
