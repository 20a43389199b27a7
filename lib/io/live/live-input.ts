// Owns: what a live input is: a camera, an address or a file, and how FFmpeg is asked to open it.
// Must not know: connections, decoding.

import { basename, resolve } from 'node:path'
import { invalidOption } from '../../base/errors.js'
import { openingOptions } from '../sources/video-input.js'
import type { ResolvedLiveOptions } from './live-options.js'

export interface LiveInput {
  readonly kind: 'device' | 'url' | 'file'
  /** For output names. */
  readonly name: string
  /** For messages: neither passwords nor what follows a question mark. */
  readonly shown: string
  /** How it is read, for messages. */
  readonly how: string
  readonly url: string
  /** FFmpeg's name of the input format; undefined: it finds out. */
  readonly format: string | undefined
  /** Whether it may be a list of other addresses. */
  readonly playlists: boolean
  readonly options: Readonly<Record<string, string>>
}

/**
 * The protocols that each kind of address may lead to, by redirection or by a playlist: never to a local file, which a
 * server could otherwise have read out.
 */
const protocols: Readonly<Record<string, string>> = {
  rtsp: 'rtsp,rtp,udp,tcp',
  rtsps: 'rtsps,rtsp,rtp,udp,tcp,tls',
  rtmp: 'rtmp,tcp',
  rtmps: 'rtmps,rtmp,tcp,tls',
  http: 'http,https,httpproxy,tcp,tls,crypto',
  https: 'http,https,httpproxy,tcp,tls,crypto',
  udp: 'udp',
  srt: 'srt',
}

/**
 * `analyzeduration` (µs) bounds the search for what a stream holds, and without `fpsprobesize` that search would wait for
 * 20 frames to tell the frame rate. What was read meanwhile is kept (no `nobuffer`): it holds the first key frame, and
 * the next one may be seconds away.
 */
const quickStart = { fpsprobesize: '0', analyzeduration: '1000000' }

/** FFmpeg's own time limit is a net below the source's, which also tells why. Milliseconds more. */
const netMs = 1000

/**
 * @param isCamera that it is one whatever its name
 * @throws VideoDepthError INVALID_OPTION an address of a protocol that is not supported
 */
export function liveInput(input: string, options: ResolvedLiveOptions, isCamera = false): LiveInput {
  if (typeof input !== 'string' || input === '') throw invalidOption('a device, an address or a file', 'input', input)
  if (isCamera || /^\/dev\/(video\d+$|v4l\/)/.test(input)) return device(input)
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(input)?.[1]?.toLowerCase()
  return scheme === undefined ? file(input) : address(input, scheme, options)
}

function device(path: string): LiveInput {
  return {
    kind: 'device',
    name: basename(path),
    shown: path,
    how: 'V4L2',
    url: path,
    format: 'v4l2',
    playlists: false,
    options: {},
  }
}

function file(path: string): LiveInput {
  const options = openingOptions({ formats: [], protocols: 'file' })
  const name = basename(resolve(path))
  return {
    kind: 'file',
    name,
    shown: path,
    how: 'a file',
    url: `file:${path}`,
    format: undefined,
    playlists: false,
    options,
  }
}

function address(url: string, scheme: string, { rtspTransport, stallMs, playlists }: ResolvedLiveOptions): LiveInput {
  const allowed = Object.hasOwn(protocols, scheme) ? protocols[scheme] : undefined
  const shown = withoutSecrets(url)
  if (allowed === undefined)
    throw invalidOption(`an address that begins with ${Object.keys(protocols).join(', ')}`, 'input', shown)
  const isRtsp = scheme.startsWith('rtsp')
  const timeout = String((stallMs + netMs) * 1000)
  const options = {
    ...openingOptions({ formats: ['rtsp', ...(playlists ? ['hls', 'dash'] : [])], protocols: allowed }),
    ...quickStart,
    ...(isRtsp ? { rtsp_transport: rtspTransport, timeout } : { rw_timeout: timeout }),
    ...(scheme === 'udp' && { overrun_nonfatal: '1' }),
  }
  const how = isRtsp ? `${scheme.toUpperCase()} over ${rtspTransport}` : scheme.toUpperCase()
  return { kind: 'url', name: addressName(shown), shown, how, url, format: undefined, playlists, options }
}

function withoutSecrets(url: string): string {
  return url.replace(/^([^:]+:\/\/)[^/?#]*@/, '$1').replace(/[?#].*$/s, '')
}

/** Host and path as a file could be called. */
function addressName(shown: string): string {
  const name = shown
    .replace(/^[^:]+:\/\//, '')
    .replace(/[^\p{L}\p{N}.]+/gu, '-')
    .replace(/^[-.]+|[-.]+$/g, '')
  return name === '' ? 'live' : name
}
