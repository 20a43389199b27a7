// Owns: the decoded pictures of an input's best video stream, and the record of what could not be decoded.
// Must not know: RGB, rotation, where inputs come from, the pipeline.

import { setTimeout } from 'node:timers/promises'
import type { CodecContext, FormatContext, Frame, Packet, Rational, Stream } from 'node-av'
import { VideoDepthError } from '../../base/errors.js'
import type { Av } from '../av.js'
import { PacketContent } from './packet-content.js'
import { PictureLedger } from './picture-ledger.js'
import { bestStream, openCodec, openFile, packetSyntax, type OpeningRules } from './video-input.js'

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
  /** Pixels of a picture; a decoder allocates what a stream claims. */
  readonly mostArea: number
}

const forFiles: Omit<DecoderSettings, 'mostArea'> = {
  threads: 'frame',
  readFailures: maxFailuresInRow,
  failures: Infinity,
}

/** Under which a packet's number travels with it through the decoder, into the picture's metadata. */
const numberKey = 'packet'

/** Why there are no more pictures: FFmpeg's status of the last read, or too many failures in a row. */
export type DecoderEnd = number | 'undecodable'

export interface Damage {
  /** Packets that could not be read or decoded. */
  packets: number
  /** Pictures that came out with concealed errors. */
  frames: number
  /** Pictures that packets held and that never came out. */
  lost: number
  /** Where the first of them is, in milliseconds of the file's own time; undefined where unknown. */
  firstMs: number | undefined
}

export class VideoDecoder {
  readonly damage: Damage = { packets: 0, frames: 0, lost: 0, firstMs: undefined }
  readonly stream: Stream
  readonly #av: Av
  readonly #format: FormatContext
  readonly #codec: CodecContext
  readonly #settings: DecoderSettings
  readonly #content: PacketContent
  readonly #ledger: PictureLedger
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
    const { codecId, extradata } = stream.codecpar
    const syntax = packetSyntax(av, codecId)
    this.#content = new PacketContent(syntax, extradata)
    this.#ledger = new PictureLedger(syntax === 'mpeg2')
    this.#packet = new av.Packet()
    this.#packet.alloc()
    this.#frame = new av.Frame()
    this.#frame.alloc()
  }

  static async open(av: Av, path: string, rules: OpeningRules, mostArea: number): Promise<VideoDecoder> {
    const format = await openFile(av, path, rules)
    return VideoDecoder.over(av, format, path, { ...forFiles, mostArea })
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
      if (status >= 0) {
        if (this.#isShown()) return this.#frame
        this.#frame.unref()
        continue
      }
      const isOver = status === this.#av.AVERROR_EOF
      if (!isOver && status !== this.#av.AVERROR_EAGAIN) this.#noteFailure(undefined)
      if (isOver || (this.#end !== undefined && this.#failuresInRow > maxFailuresInRow)) {
        this.#close()
        return undefined
      }
      await this.#feed()
    }
  }

  /** Converts a time in the stream's ticks. */
  milliseconds(ticks: bigint): number | undefined {
    const { num, den } = this.stream.timeBase
    return ticks === this.#av.AV_NOPTS_VALUE ? undefined : (Number(ticks) * 1000 * num) / den
  }

  /** What times are rounded to. Milliseconds. */
  get tickMs(): number {
    const { num, den } = this.stream.timeBase
    return (1000 * num) / den
  }

  /** Whether the container's clock may jump. */
  get mayJump(): boolean {
    const flags: number = this.#format.iformat?.flags ?? 0
    return (flags & this.#av.AVFMT_TS_DISCONT) !== 0
  }

  /** Average frames a second; undefined where the input does not tell. */
  get frameRate(): number | undefined {
    const { avgFrameRate, rFrameRate, codecpar } = this.stream
    const [average, base] = [rate(avgFrameRate), rate(rFrameRate)]
    if (average === undefined || base === undefined) return average ?? base
    const ratio = average / base
    // An average over rounded times is a little off, and AVI counts fields where H.264 may hold any.
    const isRounded = Math.abs(ratio - 1) < 1e-3
    const isOfFields = Math.abs(ratio - 2) < 1e-3 && rate(codecpar.frameRate) === base
    return isRounded || isOfFields ? base : average
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

  /** Takes the picture in `#frame` into the records. False where it is one that cannot be decoded, as its file begins in the middle. */
  #isShown(): boolean {
    this.#failuresInRow = 0
    const av = this.#av
    const frame = this.#frame
    const isSound = frame.decodeErrorFlags === 0 && !frame.hasFlags(av.AV_FRAME_FLAG_CORRUPT)
    const isUndecodable = this.#ledger.settle(packetNumber(frame), frame.hasFlags(av.AV_FRAME_FLAG_KEY), isSound)
    this.#noteLost()
    if (isSound || isUndecodable) return isSound
    this.damage.frames++
    this.damage.firstMs ??= this.milliseconds(frame.bestEffortTimestamp)
    return true
  }

  #close(): void {
    this.#ledger.close()
    this.#noteLost()
  }

  #noteLost(): void {
    this.damage.lost = this.#ledger.lost
    if (this.#ledger.lost > 0) this.damage.firstMs ??= this.#ledger.firstLostMs
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
        // An empty packet repeats the picture before it, and would tell the decoder that there are no more.
        if (this.#packet.size > 0) {
          this.#enter(this.#packet)
          return true
        }
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

  /** Gives the packet a number, and enters it where it is to bring a picture. */
  #enter(packet: Packet): void {
    const av = this.#av
    const content = this.#content.picture(packet.data ?? new Uint8Array())
    const number = this.#ledger.enter({
      isKey: packet.isKeyframe,
      picture: packet.hasFlags(av.AV_PKT_FLAG_DISCARD) ? 'none' : content,
      ptsMs: this.milliseconds(packet.pts),
      dtsMs: this.milliseconds(packet.dts),
    })
    packet.addSideData(av.AV_PKT_DATA_STRINGS_METADATA, Buffer.from(`${numberKey}\0${number}\0`))
  }

  #noteTimes(packet: Packet): void {
    const at = packet.pts === this.#av.AV_NOPTS_VALUE ? packet.dts : packet.pts
    if (at === this.#av.AV_NOPTS_VALUE) return
    const end = at + (packet.duration > 0n ? packet.duration : 0n)
    if (this.#firstTicks === undefined || at < this.#firstTicks) this.#firstTicks = at
    if (this.#endTicks === undefined || end > this.#endTicks) this.#endTicks = end
  }

  #noteFailure(atMs: number | undefined): void {
    this.#failuresInRow++
    this.damage.packets++
    this.damage.firstMs ??= atMs ?? (this.#endTicks === undefined ? undefined : this.milliseconds(this.#endTicks))
  }
}

/** Undefined where the decoder has metadata of its own instead. */
function packetNumber(frame: Frame): number | undefined {
  const metadata = frame.getMetadata()
  const number = metadata.get(numberKey)
  return number === null ? undefined : Number(number)
}

function rate(value: Rational): number | undefined {
  return value.num > 0 && value.den > 0 ? value.num / value.den : undefined
}
