// Owns: one connection to a live input, from opening to its loss, and the time limits on it.
// Must not know: reconnecting, RGB, the times of frames.

import type { FormatContext, Frame, Stream } from 'node-av'
import { VideoDepthError } from '../../base/errors.js'
import { avMessage, type Av } from '../av.js'
import { mostArea, openingReason } from '../sources/video-input.js'
import { VideoDecoder, type Damage, type DecoderSettings } from '../sources/video-decoder.js'
import type { LiveInput } from './live-input.js'

/** Frame threads would hold pictures back. Broken packets cost a few pictures; a whole run of them is a broken stream. */
const decoding: DecoderSettings = { threads: 'slice', readFailures: 0, failures: 64, mostArea }

/** Frames a second; streams without a steady rate often give their clock's ticks instead. */
const mostFrameRate = 1000

/** A recording's stated length and what is in it may differ this much. Milliseconds. */
const endToleranceMs = 1000

export class LiveConnection {
  readonly #av: Av
  readonly #decoder: VideoDecoder
  /** A recording's length in µs; ≤ 0 where there is no end in sight. */
  readonly #duration: bigint
  readonly #stallMs: number
  readonly #signal: AbortSignal
  #stalled = false

  private constructor(av: Av, decoder: VideoDecoder, duration: bigint, stallMs: number, signal: AbortSignal) {
    this.#av = av
    this.#decoder = decoder
    this.#duration = duration
    this.#stallMs = stallMs
    this.#signal = signal
  }

  /**
   * @param stallMs for opening, and for each picture
   * @param signal interrupts what is running
   * @throws VideoDepthError SOURCE_UNREADABLE; after an abort, its reason
   */
  static async open(av: Av, input: LiveInput, stallMs: number, signal: AbortSignal): Promise<LiveConnection> {
    signal.throwIfAborted()
    const format = new av.FormatContext()
    // Only a context that is there before the call can be interrupted during it.
    format.allocContext()
    // A wait for a camera's next picture cannot be interrupted at all.
    if (input.kind === 'device') format.setFlags(av.AVFMT_FLAG_NONBLOCK)
    const opening = await watched(
      () => openInput(av, format, input),
      () => format.interrupt(),
      stallMs,
      signal,
    )
    if (signal.aborted || opening.expired || opening.value < 0) {
      await format.closeInput()
      signal.throwIfAborted()
      const reason = opening.expired ? noAnswer(stallMs) : openingMessage(av, opening.value, input)
      throw new VideoDepthError('SOURCE_UNREADABLE', `Cannot read ${input.shown} (${input.how}): ${reason}`)
    }
    const { duration } = format
    const decoder = await VideoDecoder.over(av, format, input.shown, decoding)
    return new LiveConnection(av, decoder, duration, stallMs, signal)
  }

  /** The next picture, borrowed until the next call; undefined when there are no more, see `isOver` and `ending`. */
  async next(): Promise<Frame | undefined> {
    const { value, expired } = await watched(
      () => this.#decoder.next(),
      () => this.#decoder.interrupt(),
      this.#stallMs,
      this.#signal,
    )
    if (expired) this.#stalled = true
    return value
  }

  /** Time of the picture that `next` gave; undefined where the stream tells none. */
  timeMs(frame: Frame): number | undefined {
    return this.#decoder.milliseconds(frame.bestEffortTimestamp)
  }

  get stream(): Stream {
    return this.#decoder.stream
  }

  get damage(): Readonly<Damage> {
    return this.#decoder.damage
  }

  /** Frames a second; undefined where the stream does not tell, or tells its clock's rate. */
  get frameRate(): number | undefined {
    const { avgFrameRate, codecpar } = this.stream
    const told = [avgFrameRate, codecpar.frameRate].map(({ num, den }) => (num > 0 && den > 0 ? num / den : Infinity))
    return told.find((rate) => rate <= mostFrameRate)
  }

  /** True where an end is in sight. */
  get isRecording(): boolean {
    return this.#duration > 0n
  }

  /** True where a recording came to its end: nothing was lost. */
  get isOver(): boolean {
    const { end, readMs = 0 } = this.#decoder
    const isRead = readMs >= Number(this.#duration) / 1000 - endToleranceMs
    return this.isRecording && isRead && end === this.#av.AVERROR_EOF
  }

  /** Why there are no more pictures. */
  get ending(): string {
    const { end } = this.#decoder
    if (this.#stalled) return noAnswer(this.#stallMs)
    if (end === 'undecodable') return `more than ${decoding.failures} packets in a row could not be decoded`
    if (end === undefined || end === this.#av.AVERROR_EOF) return 'the stream ended'
    return avMessage(this.#av, end)
  }

  /** Makes what is running return; there are no more pictures then. */
  interrupt(): void {
    this.#decoder.interrupt()
  }

  /** Only after the last `next` settled and nothing made from its picture is held: a camera's pictures lie in its driver's memory. */
  close(): Promise<void> {
    this.interrupt()
    return this.#decoder.close()
  }
}

/** @returns FFmpeg's status */
async function openInput(av: Av, format: FormatContext, { url, format: name, options }: LiveInput): Promise<number> {
  const wanted = name === undefined ? null : av.InputFormat.findInputFormat(name)
  if (name !== undefined && wanted === null) return av.AVERROR_DEMUXER_NOT_FOUND
  const status: number = await format.openInput(url, wanted, av.Dictionary.fromObject(options))
  if (status < 0) return status
  // A camera's driver has told everything. Searching would ask it again and again until a picture comes.
  if (format.streams.some(({ codecpar }) => codecpar.width > 0 && name !== undefined)) return status
  return format.findStreamInfo()
}

/** @param interrupt makes `work` return; called after `limitMs` and on abort. */
async function watched<T>(
  work: () => Promise<T>,
  interrupt: () => void,
  limitMs: number,
  signal: AbortSignal,
): Promise<{ readonly value: T; readonly expired: boolean }> {
  let expired = false
  const timer = setTimeout(() => {
    expired = true
    interrupt()
  }, limitMs)
  signal.addEventListener('abort', interrupt, { once: true })
  if (signal.aborted) interrupt()
  try {
    const value = await work()
    return { value, expired }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', interrupt)
  }
}

/** FFmpeg has no status of its own for a host whose address is not found. */
function openingMessage(av: Av, status: number, { kind }: LiveInput): string {
  if (kind !== 'device') {
    const reason = openingReason(av, status)
    if (reason !== avMessage(av, status)) return reason
  }
  const isVague = kind === 'url' && status === av.AVERROR_EIO
  return `${avMessage(av, status)}${isVague ? ', perhaps there is no such host' : ''}`
}

function noAnswer(ms: number): string {
  return `no picture for ${ms / 1000} s`
}
