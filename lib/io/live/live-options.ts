// Owns: what the options of a live source mean: their checks and defaults.
// Must not know: FFmpeg, connections.

import { callersFunction, invalidOption } from '../../base/errors.js'
import { checkSignal, known, type Checked, type Names } from '../../base/known-options.js'
import { checkSourceOptions, resolveSourceOptions } from '../sources/source-options.js'
import type { Size } from '../../base/frame.js'

/** How a live source that is lost is tried again. */
export interface ReconnectOptions {
  /** Attempts in a row before the source counts as lost, from 1; default: no limit. A picture ends the count. */
  readonly attempts?: number
  /** Before the first attempt; doubled for each further one. Milliseconds, default 500. Half of every delay is random. */
  readonly firstDelayMs?: number
  /** Delays grow no further. Milliseconds, default 30000. */
  readonly mostDelayMs?: number
  /** True: an input that is not there at the start is waited for as well; default false. */
  readonly first?: boolean
}

/** What happens to a live source, in the order in which it happens. */
export type LiveEvent =
  /** A picture came over a new connection. Its size is the stream's, before `maxRes`; `output` is that of the frames that come out. */
  | ({ readonly type: 'connected'; readonly frameRate: number | undefined; readonly output: Size } & Size)
  | { readonly type: 'lost'; readonly reason: string }
  /** `attempt` counts from 1; `reason` is why the one before it failed, or what was wrong before the first. */
  | { readonly type: 'retrying'; readonly attempt: number; readonly delayMs: number; readonly reason: string }
  | { readonly type: 'size-changed'; readonly from: Size; readonly to: Size }
  /** So many packets more could not be decoded. */
  | { readonly type: 'damaged'; readonly packets: number }

/** Options of `openLive`. */
export interface LiveOptions {
  /** Frames whose longer side exceeds this are scaled down to it, both sides even. Pixels, default 1280; −1: never. */
  readonly maxRes?: number
  readonly signal?: AbortSignal
  /** How RTSP's media come: `tcp` (default) loses nothing and passes firewalls, `udp` does not wait for what is lost. */
  readonly rtspTransport?: 'tcp' | 'udp'
  /** A connection that brings no picture for so long is lost; also the time that connecting may take. Milliseconds from 100, default 10000. */
  readonly stallMs?: number
  /**
   * Whether an http or https address may be an HLS playlist or a DASH manifest; default false. It makes its reader open
   * other addresses: never a file, and none in a private network unless the first one is in one.
   */
  readonly playlists?: boolean
  /** Default `scale`: pictures of another size are stretched to that of the first frame. `error`: FRAME_SIZE_CHANGED. */
  readonly onSizeChange?: 'scale' | 'error'
  /** What follows when a connection is lost; default: attempts without limit. `false`: SOURCE_LOST. A file never comes back. */
  readonly reconnect?: false | ReconnectOptions
  /** Called on the JavaScript thread; what it throws ends the source. */
  readonly onEvent?: (event: LiveEvent) => void
}

export interface ResolvedLiveOptions extends Omit<
  Checked<LiveOptions, 'rtspTransport' | 'stallMs' | 'playlists' | 'onSizeChange' | 'onEvent'>,
  'reconnect'
> {
  readonly reconnect: Required<ReconnectOptions>
}

const optionNames: Names<LiveOptions> = {
  maxRes: true,
  signal: true,
  rtspTransport: true,
  stallMs: true,
  playlists: true,
  onSizeChange: true,
  reconnect: true,
  onEvent: true,
}
const reconnectNames: Names<ReconnectOptions> = { attempts: true, firstDelayMs: true, mostDelayMs: true, first: true }

/** Longest time that a timer takes, milliseconds. */
const mostMs = 2 ** 31 - 1

/** @throws VideoDepthError INVALID_OPTION naming the option, what it may be, and what came */
export function resolveLiveOptions(options: LiveOptions): ResolvedLiveOptions {
  known(options, 'options', optionNames)
  const { maxRes, signal, rtspTransport = 'tcp', stallMs = 10_000, onSizeChange = 'scale' } = options
  const { playlists = false, reconnect = {}, onEvent = () => undefined } = options
  checkSignal(signal)
  if (maxRes !== undefined) checkSourceOptions({ maxRes })
  oneOf(['tcp', 'udp'], 'rtspTransport', rtspTransport)
  oneOf(['scale', 'error'], 'onSizeChange', onSizeChange)
  milliseconds('stallMs', stallMs, 100)
  if (typeof playlists !== 'boolean') throw invalidOption('true or false', 'playlists', playlists)
  if (typeof onEvent !== 'function') throw invalidOption('a function', 'onEvent', onEvent)
  return {
    maxRes: resolveSourceOptions(maxRes === undefined ? {} : { maxRes }).maxRes,
    signal,
    rtspTransport,
    stallMs,
    playlists,
    onSizeChange,
    reconnect: resolveReconnect(reconnect),
    onEvent: callersFunction(onEvent),
  }
}

function resolveReconnect(reconnect: false | ReconnectOptions): Required<ReconnectOptions> {
  if (reconnect === false) return { attempts: 0, firstDelayMs: 0, mostDelayMs: 0, first: false }
  known(reconnect, 'reconnect', reconnectNames)
  const { attempts = Infinity, firstDelayMs = 500, mostDelayMs = 30_000, first = false } = reconnect
  if (attempts !== Infinity && !(Number.isSafeInteger(attempts) && attempts >= 1))
    throw invalidOption('a whole number from 1, or Infinity,', 'reconnect.attempts', attempts)
  milliseconds('reconnect.firstDelayMs', firstDelayMs, 0)
  milliseconds('reconnect.mostDelayMs', mostDelayMs, firstDelayMs)
  if (typeof first !== 'boolean') throw invalidOption('true or false', 'reconnect.first', first)
  return { attempts, firstDelayMs, mostDelayMs, first }
}

/** Exponential, the later half of each delay at random, so that many readers of one server do not come back at once. */
export function retryDelayMs(
  attempt: number,
  { firstDelayMs, mostDelayMs }: Required<ReconnectOptions>,
  random: () => number = Math.random,
): number {
  const delayMs = Math.min(mostDelayMs, firstDelayMs * 2 ** (attempt - 1))
  return Math.round((delayMs * (1 + random())) / 2)
}

function oneOf(choices: readonly string[], parameter: string, value: string): void {
  if (!choices.includes(value))
    throw invalidOption(choices.map((choice) => `'${choice}'`).join(' or '), parameter, value)
}

function milliseconds(parameter: string, value: number, least: number): void {
  if (typeof value === 'number' && value >= least && value <= mostMs) return
  throw invalidOption(`a number of milliseconds from ${least} to ${mostMs}`, parameter, value)
}
