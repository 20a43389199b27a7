// Owns: the decoded pictures of an input's best video stream, and the record of what could not be decoded.
// Must not know: RGB, rotation, where inputs come from, the pipeline.

import { setTimeout } from 'node:timers/promises'
import type { CodecContext, FormatContext, Frame, Packet, Rational, Stream } from 'node-av'
import { VideoDepthError } from '../errors.js'
import { avMessage, type Av } from './av.js'

/** Failing reads (or failing drains) in a row after which a file counts as ended. */
const maxFailuresInRow = 64
/** Between two looks at an input that is read without waiting. Milliseconds. */
const pollMs = 4

export interface DecoderSettings {
  /**
   * `frame`: the most pictures a second, but each thread holds one back. `slice`: a picture comes out as soon as the
   * stream's own order allows.
   */
  readonly threads: 'frame' | 'slice'
  /** Failing reads in a row that an input may have; one more ends it. With 0 that one is its end and no damage. */
  readonly readFailures: number
  /** Failures of any kind in a row; one more ends the input. */
  readonly failures: number
}

const forFiles: DecoderSettings = { threads: 'frame', readFailures: maxFailuresInRow, failures: Infinity }

/** Why there are no more pictures: FFmpeg's status of the last read, or too many failures in a row. */
export type DecoderEnd = number | 'undecodable'

export interface Damage {
  /** Packets that could not be read or decoded. */
  packets: number
  /** Pictures that came out with concealed errors. */
  frames: number
  /** Where the first of them is, in milliseconds of the file's own time; undefined where unknown. */
  firstMs: number | undefined
}

export class VideoDecoder {
  readonly damage: Damage = { packets: 0, frames: 0, firstMs: undefined }
  readonly stream: Stream
  readonly #av: Av
  readonly #format: FormatContext
  readonly #codec: CodecContext
  readonly #settings: DecoderSettings
  readonly #packet: Packet
  readonly #frame: Frame
  #end: DecoderEnd | undefined
  /** The packet in `#packet` waits until the decoder has room for it. */
  #held = false
  #failuresInRow = 0
  #firstTicks: bigint | undefined
  #endTicks: bigint | undefined

  private constructor(av: Av, format: FormatContext, stream: Stream, codec: CodecContext, settings: DecoderSettings) {
    this.#av = av
    this.#format = format
    this.stream = stream
    this.#codec = codec
    this.#settings = settings
    this.#packet = new av.Packet()
    this.#packet.alloc()
    this.#frame = new av.Frame()
    this.#frame.alloc()
  }

  static async open(av: Av, path: string): Promise<VideoDecoder> {
    return VideoDecoder.over(av, await openFile(av, path), path, forFiles)
  }

  /** @param format open, its streams known; owned from here on, also where this fails. @param name for messages */
  static async over(av: Av, format: FormatContext, name: string, settings: DecoderSettings): Promise<VideoDecoder> {
    try {
      const stream = bestStream(av, format)
      if (stream === undefined) throw new VideoDepthError('SOURCE_UNREADABLE', `${name} has no video stream`)
      for (const other of format.streams) if (other.index !== stream.index) other.discard = av.AVDISCARD_ALL
      return new VideoDecoder(av, format, stream, await openCodec(av, name, stream, settings), settings)
    } catch (error) {
      await format.closeInput()
      throw error
    }
  }

  /** The next picture in display order; undefined at the end. Borrowed until the next call. */
  async next(): Promise<Frame | undefined> {
    this.#frame.unref()
    for (;;) {
      const status = await this.#codec.receiveFrame(this.#frame)
      if (status >= 0) return this.#received()
      if (status === this.#av.AVERROR_EOF) return undefined
      if (status !== this.#av.AVERROR_EAGAIN) {
        this.#noteFailure(undefined)
        if (this.#end !== undefined && this.#failuresInRow > maxFailuresInRow) return undefined
      }
      await this.#feed()
    }
  }

  /** Of a time in the stream's ticks. */
  milliseconds(ticks: bigint): number | undefined {
    const { num, den } = this.stream.timeBase
    return ticks === this.#av.AV_NOPTS_VALUE ? undefined : (Number(ticks) * 1000 * num) / den
  }

  /** Average frames a second; undefined where the input does not tell. */
  get frameRate(): number | undefined {
    return rate(this.stream.avgFrameRate) ?? rate(this.stream.rFrameRate)
  }

  /** Undefined while there may be more pictures. */
  get end(): DecoderEnd | undefined {
    return this.#end
  }

  /** What the container says that this stream lasts; undefined where it does not. Milliseconds. */
  get promisedMs(): number | undefined {
    if (this.#ownDurationMs !== undefined) return this.#ownDurationMs
    // The file's duration is that of its longest stream, so it says something of this one only where it is alone.
    const { duration, nbStreams } = this.#format
    return nbStreams === 1 && duration !== this.#av.AV_NOPTS_VALUE && duration > 0n
      ? Number(duration) / 1000
      : undefined
  }

  /** How much of `promisedMs` has been read so far. Milliseconds. */
  get readMs(): number | undefined {
    if (this.#firstTicks === undefined || this.#endTicks === undefined) return undefined
    const span = this.milliseconds(this.#endTicks - this.#firstTicks)
    const end = this.milliseconds(this.#endTicks)
    // A file's duration counts from its first picture or, in Matroska, from time 0.
    return this.#ownDurationMs === undefined && span !== undefined && end !== undefined ? Math.max(span, end) : span
  }

  get #ownDurationMs(): number | undefined {
    const duration = this.milliseconds(this.stream.duration)
    return duration !== undefined && duration > 0 ? duration : undefined
  }

  /** Makes a read in flight return. */
  interrupt(): void {
    this.#format.interrupt()
  }

  /** Only after the last `next` settled. */
  async close(): Promise<void> {
    this.#packet.free()
    this.#frame.free()
    this.#codec.freeContext()
    await this.#format.closeInput()
  }

  #received(): Frame {
    this.#failuresInRow = 0
    const frame = this.#frame
    if (frame.decodeErrorFlags !== 0 || frame.hasFlags(this.#av.AV_FRAME_FLAG_CORRUPT)) {
      this.damage.frames++
      this.damage.firstMs ??= this.milliseconds(frame.bestEffortTimestamp)
    }
    return frame
  }

  async #feed(): Promise<void> {
    if (this.#end !== undefined) return
    if (!this.#held && !(await this.#read())) return
    const status = await this.#codec.sendPacket(this.#packet)
    this.#held = status === this.#av.AVERROR_EAGAIN
    if (this.#held) return
    const damaged = this.#packet.hasFlags(this.#av.AV_PKT_FLAG_CORRUPT)
    if (status < 0 || damaged) this.#noteFailure(this.milliseconds(this.#packet.pts))
    else this.#failuresInRow = 0
    this.#packet.unref()
    if (this.#failuresInRow > this.#settings.failures) await this.#drain('undecodable')
  }

  /** True where `#packet` is one of the stream's; at the end of the file the decoder is told to drain. */
  async #read(): Promise<boolean> {
    const status = await this.#format.readFrame(this.#packet)
    if (status >= 0) {
      if (this.#packet.streamIndex === this.stream.index) {
        this.#noteTimes(this.#packet)
        return true
      }
      this.#packet.unref()
      return false
    }
    if (status === this.#av.AVERROR_EAGAIN) {
      await setTimeout(pollMs)
      return false
    }
    const isFailure = status !== this.#av.AVERROR_EOF && status !== this.#av.AVERROR_EXIT
    if (isFailure && this.#settings.readFailures > 0) {
      this.#noteFailure(undefined)
      if (this.#failuresInRow <= this.#settings.readFailures) return false
    }
    await this.#drain(status)
    return false
  }

  /** What the decoder still holds comes out; nothing more is read. */
  async #drain(end: DecoderEnd): Promise<void> {
    this.#end = end
    this.#failuresInRow = 0
    await this.#codec.sendPacket(null)
  }

  #noteTimes(packet: Packet): void {
    if (packet.pts === this.#av.AV_NOPTS_VALUE) return
    const end = packet.pts + (packet.duration > 0n ? packet.duration : 0n)
    if (this.#firstTicks === undefined || packet.pts < this.#firstTicks) this.#firstTicks = packet.pts
    if (this.#endTicks === undefined || end > this.#endTicks) this.#endTicks = end
  }

  #noteFailure(atMs: number | undefined): void {
    this.#failuresInRow++
    this.damage.packets++
    this.damage.firstMs ??= atMs ?? (this.#endTicks === undefined ? undefined : this.milliseconds(this.#endTicks))
  }
}

/** Local files only: neither the path nor a playlist inside the file can reach another protocol. */
async function openFile(av: Av, path: string): Promise<FormatContext> {
  const format = new av.FormatContext()
  const options = av.Dictionary.fromObject({ protocol_whitelist: 'file' })
  let status: number = await format.openInput(`file:${path}`, null, options)
  if (status < 0)
    throw new VideoDepthError('SOURCE_UNREADABLE', `Cannot read ${path} as a video: ${avMessage(av, status)}`)
  status = await format.findStreamInfo()
  if (status >= 0) return format
  await format.closeInput()
  throw new VideoDepthError('SOURCE_UNREADABLE', `Cannot read ${path} as a video: ${avMessage(av, status)}`)
}

/** The default one before others, then the largest; cover art and thumbnails are no videos. */
function bestStream(av: Av, format: FormatContext): Stream | undefined {
  const isVideo = (stream: Stream): boolean =>
    stream.codecpar.codecType === av.AVMEDIA_TYPE_VIDEO &&
    !stream.hasDisposition(av.AV_DISPOSITION_ATTACHED_PIC) &&
    !stream.hasDisposition(av.AV_DISPOSITION_TIMED_THUMBNAILS)
  const isDefault = (stream: Stream): number => (stream.hasDisposition(av.AV_DISPOSITION_DEFAULT) ? 1 : 0)
  const area = (stream: Stream): number => stream.codecpar.width * stream.codecpar.height
  return format.streams.filter(isVideo).sort((a, b) => isDefault(b) - isDefault(a) || area(b) - area(a))[0]
}

async function openCodec(av: Av, name: string, stream: Stream, { threads }: DecoderSettings): Promise<CodecContext> {
  const codec = av.Codec.findDecoder(stream.codecpar.codecId)
  if (codec === null) {
    const codecName = av.avGetCodecName(stream.codecpar.codecId) ?? 'an unknown codec'
    throw new VideoDepthError('SOURCE_UNREADABLE', `Cannot read ${name}: no decoder for ${codecName}`)
  }
  const context = new av.CodecContext()
  context.allocContext3(codec)
  context.parametersToContext(stream.codecpar)
  context.pktTimebase = stream.timeBase
  context.threadCount = 0
  if (threads === 'slice') context.threadType = av.FF_THREAD_SLICE
  const status = await context.open2(codec)
  if (status >= 0) return context
  context.freeContext()
  throw new VideoDepthError('SOURCE_UNREADABLE', `Cannot decode ${name}: ${avMessage(av, status)}`)
}

function rate(value: Rational): number | undefined {
  return value.num > 0 && value.den > 0 ? value.num / value.den : undefined
}
