// Owns: frames of a camera, a network stream or a file played as one, over as many connections as it takes.
// Must not know: how a connection is made, the pipeline.

import { counted } from '../../base/counted.js'
import { setTimeout } from 'node:timers/promises'
import type { Frame } from 'node-av'
import { VideoDepthError } from '../../base/errors.js'
import type { RgbFrame, Size } from '../../base/frame.js'
import { Lifetime } from '../../base/lifetime.js'
import { loadAv, present, type Av } from '../av.js'
import { openGuarded, type FrameProducer } from '../sources/guarded-source.js'
import { RgbConverter } from '../sources/rgb-converter.js'
import { limitedSize } from '../sources/source-options.js'
import type { FrameSource, SourceInfo } from '../sources/source.js'
import { LiveClock, liveJumpMs } from './live-clock.js'
import { LiveConnection } from './live-connection.js'
import { checkLiveFile, isCamera } from './live-file.js'
import { guarded } from './live-guard.js'
import { liveInput, type LiveInput } from './live-input.js'
import { resolveLiveOptions, retryDelayMs, type LiveOptions, type ResolvedLiveOptions } from './live-options.js'
import { Pacer } from './pacer.js'

/** Longest wait of `close()` for a native call; the search for a host's address cannot be interrupted. Milliseconds. */
const closeMs = 1000

/** Frames of a recording that are less far apart are as they were filmed. Milliseconds. */
const leastJumpMs = 1000

/** One frame of a live source. */
export interface LiveFrame extends RgbFrame {
  /** True where the frame does not follow the one before it: the first of a new connection, or of another size. */
  readonly discontinuity: boolean
}

/** What a live source has done so far. */
export interface LiveStats {
  /** Frames that came out. */
  readonly framesIn: number
  /** Connections after the first one. */
  readonly reconnects: number
  /** Packets that could not be decoded. */
  readonly damagedPackets: number
  /** Frames that came out although parts of them were missing. */
  readonly damagedFrames: number
  readonly sizeChanges: number
  /** `timestampMs` of the last frame; undefined before the first. */
  readonly lastFrameMs: number | undefined
}

/** An open live source. Single use; returning early from the loop closes it. */
export interface LiveSource extends FrameSource<LiveFrame> {
  /** A copy, as of now. */
  readonly stats: LiveStats
}

/**
 * A V4L2 camera (`/dev/video0`), a stream (rtsp, rtsps, rtmp, rtmps, http, https, udp, srt), or a file. A file, and a
 * recording at an address, is played in real time; where its times jump, it goes on after `stallMs`, or 1 s, at the latest. Resolves when the first picture is there.
 *
 * Times are the stream's within a connection and go on by the clock over a gap; they start at 0 and strictly increase. No
 * frame is dropped: a consumer that asks too seldom falls behind, so what cannot be used should be taken and thrown away.
 * What cannot be decoded is counted and passed over. A file ends; so does a recording at an address, at the end of its
 * stated length. Any other end, error or silence is a loss, which `reconnect` answers.
 *
 * An http or https address that is public reaches public addresses alone, by redirects and by playlists (see `playlists`);
 * no address reaches a local file. What an RTSP, RTMP or SRT server names is not checked: connect to those you trust.
 *
 * TLS certificates are not verified: an https or rtsps address is encrypted, but whose it is is not proved.
 *
 * Each open source keeps one of the threads busy that file access and image codecs use as well: four by default, see
 * Node's UV_THREADPOOL_SIZE.
 *
 * @throws `SOURCE_UNREADABLE` at the start; while iterating `SOURCE_LOST` when it did not come back,
 *   `FRAME_SIZE_CHANGED` if that is asked for; `INVALID_OPTION`
 */
export async function openLive(input: string, options: LiveOptions = {}): Promise<LiveSource> {
  const resolved = resolveLiveOptions(options)
  const producer = new LiveProducer(liveInput(input, resolved, await isCamera(input)), resolved, await loadAv())
  const source = await openGuarded(() => producer.start(), { signal: resolved.signal, readAhead: false })
  return {
    info: source.info,
    get stats() {
      return { ...producer.stats }
    },
    close: () => source.close(),
    [Symbol.asyncIterator]: () => source[Symbol.asyncIterator](),
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

class LiveProducer implements FrameProducer<LiveFrame> {
  readonly stats: Mutable<LiveStats> = {
    framesIn: 0,
    reconnects: 0,
    damagedPackets: 0,
    damagedFrames: 0,
    sizeChanges: 0,
    lastFrameMs: undefined,
  }
  #input: LiveInput
  #unguard = (): void => undefined
  readonly #options: ResolvedLiveOptions
  readonly #av: Av
  readonly #clock: LiveClock
  readonly #pacer: Pacer
  readonly #life: Lifetime
  #connection: LiveConnection | undefined
  #rgb: RgbConverter | undefined
  /** Sizes of the pictures as they came last, and of the frames that come out. */
  #storedSize: Size | undefined
  #size: Size | undefined
  #info: SourceInfo | undefined
  #first: LiveFrame | undefined
  /** How much of the connection's damage is in the statistics. */
  #told = { packets: 0, frames: 0 }
  #running: Promise<unknown> | undefined

  constructor(input: LiveInput, options: ResolvedLiveOptions, av: Av) {
    this.#input = input
    this.#options = options
    this.#av = av
    this.#clock = new LiveClock(input.kind === 'file' ? Infinity : liveJumpMs)
    this.#pacer = new Pacer(Math.max(leastJumpMs, options.stallMs))
    this.#life = new Lifetime(() => this.#release(), options.signal)
  }

  /** Connects and decodes the first picture. */
  async start(): Promise<this> {
    try {
      if (this.#input.kind === 'file') await checkLiveFile(this.#input.shown)
      const guard = await guarded(this.#input)
      this.#input = guard.input
      this.#unguard = () => guard.close()
      this.#first = await this.#connectFirst()
      this.#info = {
        name: this.#input.name,
        ...present(this.#size, 'size'),
        frameRate: this.#connection?.frameRate,
        frameCount: undefined,
        frameCountExact: false,
      }
      return this
    } catch (error) {
      await this.close()
      throw error
    }
  }

  get info(): SourceInfo {
    return present(this.#info, 'first frame')
  }

  next(): Promise<LiveFrame | undefined> {
    const next = this.#next()
    this.#running = next
    return next
  }

  close(): Promise<void> {
    return this.#life.end(new VideoDepthError('CLOSED', `${this.#input.shown} was closed`))
  }

  async #release(): Promise<void> {
    const released = Promise.resolve(this.#running).then(
      () => this.#disconnect(),
      () => this.#disconnect(),
    )
    await Promise.race([released, setTimeout(closeMs, undefined, { ref: false })])
    this.#unguard()
  }

  async #next(): Promise<LiveFrame | undefined> {
    const frame = this.#first ?? (await this.#read())
    this.#first = undefined
    if (frame === undefined) return undefined
    if (this.#isPlayed) {
      const waitMs = this.#pacer.waitMs(frame.timestampMs, performance.now())
      if (waitMs > 0) await setTimeout(waitMs, undefined, { signal: this.#life.signal })
    }
    this.stats.framesIn++
    this.stats.lastFrameMs = frame.timestampMs
    return frame
  }

  /** It could be read faster than it was filmed; an RTSP server does not send faster. */
  get #isPlayed(): boolean {
    const { kind, how } = this.#input
    return kind === 'file' || (this.#connection?.isRecording === true && !how.startsWith('RTSP'))
  }

  async #read(): Promise<LiveFrame | undefined> {
    const connection = present(this.#connection, 'connection')
    const frame = await connection.next()
    this.#noteDamage(connection)
    if (frame !== undefined) return this.#convert(connection, frame, false)
    this.#life.signal.throwIfAborted()
    if (this.#input.kind === 'file' || connection.isOver) return undefined
    const reason = connection.ending
    this.#options.onEvent({ type: 'lost', reason })
    await this.#disconnect()
    const found = await this.#retry(reason, 'SOURCE_LOST')
    this.stats.reconnects++
    return found
  }

  async #connectFirst(): Promise<LiveFrame> {
    try {
      return await this.#connect(false)
    } catch (error) {
      const { reconnect } = this.#options
      if (!reconnect.first || this.#input.kind === 'file' || !isUnreadable(error)) throw error
      return await this.#retry(error.message, 'SOURCE_UNREADABLE')
    }
  }

  /** @param reason what went wrong before the first attempt. @param code of the failure when all attempts failed */
  async #retry(reason: string, code: 'SOURCE_LOST' | 'SOURCE_UNREADABLE'): Promise<LiveFrame> {
    const { reconnect, onEvent } = this.#options
    let latest = reason
    for (let attempt = 1; attempt <= reconnect.attempts; attempt++) {
      const delayMs = retryDelayMs(attempt, reconnect)
      onEvent({ type: 'retrying', attempt, delayMs, reason: latest })
      await setTimeout(delayMs, undefined, { signal: this.#life.signal })
      try {
        return await this.#connect(code === 'SOURCE_LOST')
      } catch (error) {
        if (!isUnreadable(error)) throw error
        latest = error.message
      }
    }
    const { attempts } = reconnect
    if (code === 'SOURCE_UNREADABLE') throw new VideoDepthError(code, `${latest}; all ${attempts + 1} attempts failed`)
    const after =
      attempts === 0 ? '' : `; ${counted(attempts, 'attempt')} to reconnect failed, the last with: ${latest}`
    throw new VideoDepthError(code, `${this.#input.shown} was lost: ${reason}${after}`)
  }

  /** The first frame of a new connection. @throws VideoDepthError SOURCE_UNREADABLE; after an abort, its reason */
  async #connect(isAgain: boolean): Promise<LiveFrame> {
    const { signal } = this.#life
    const connection = await LiveConnection.open(this.#av, this.#input, this.#options.stallMs, signal)
    this.#connection = connection
    this.#clock.restart()
    const frame = await connection.next()
    this.#noteDamage(connection)
    signal.throwIfAborted()
    if (frame === undefined) {
      const { shown, how } = this.#input
      const { ending } = connection
      await this.#disconnect()
      throw new VideoDepthError('SOURCE_UNREADABLE', `Cannot read ${shown} (${how}): no picture, ${ending}`)
    }
    const { frameRate } = connection
    const { width, height } = frame
    const found = await this.#convert(connection, frame, isAgain)
    this.#options.onEvent({ type: 'connected', frameRate, width, height, output: present(this.#size, 'size') })
    return found
  }

  async #convert(connection: LiveConnection, frame: Frame, isAgain: boolean): Promise<LiveFrame> {
    const timestampMs = this.#clock.next(connection.timeMs(frame), performance.now())
    const hasChanged = this.#noteSize(frame, timestampMs)
    if (hasChanged) {
      this.#rgb?.close()
      this.#rgb = undefined
    }
    const fit = (upright: Size): Size =>
      (this.#size ??= limitedSize(upright.width, upright.height, this.#options.maxRes))
    this.#rgb ??= new RgbConverter(this.#av, connection.stream, fit)
    return { ...(await this.#rgb.convert(frame)), timestampMs, discontinuity: isAgain || hasChanged }
  }

  /** True where the stream's pictures are no longer of the size that they were. */
  #noteSize({ width, height }: Size, timestampMs: number): boolean {
    const from = this.#storedSize
    const to = { width, height }
    this.#storedSize = to
    if (from === undefined || (from.width === width && from.height === height)) return false
    this.stats.sizeChanges++
    this.#options.onEvent({ type: 'size-changed', from, to })
    if (this.#options.onSizeChange === 'scale') return true
    throw new VideoDepthError(
      'FRAME_SIZE_CHANGED',
      `Frames of ${this.#input.shown} are ${width}×${height} from ${(timestampMs / 1000).toFixed(3)} s on, before they were ${from.width}×${from.height}`,
    )
  }

  #noteDamage({ damage: { packets, frames } }: LiveConnection): void {
    const fresh = { packets: packets - this.#told.packets, frames: frames - this.#told.frames }
    this.#told = { packets, frames }
    this.stats.damagedPackets += fresh.packets
    this.stats.damagedFrames += fresh.frames
    if (fresh.packets > 0) this.#options.onEvent({ type: 'damaged', packets: fresh.packets })
  }

  /** In this order: a converted picture may still lie in the camera driver's memory. */
  async #disconnect(): Promise<void> {
    const connection = this.#connection
    this.#connection = undefined
    this.#told = { packets: 0, frames: 0 }
    this.#rgb?.close()
    this.#rgb = undefined
    await connection?.close()
  }
}

function isUnreadable(error: unknown): error is VideoDepthError {
  return error instanceof VideoDepthError && error.code === 'SOURCE_UNREADABLE'
}
