// Owns: pictures to an H.264 MP4 file.
// Must not know: depth, final file names, the pipeline.

import type { Codec, CodecContext, FormatContext, Packet, Stream } from 'node-av'
import { avMessage, loadAv, present, type Av } from '../av.js'
import { outputError, outputStatusError } from './output-errors.js'
import { checkFrameRate } from '../../base/known-options.js'
import type { Size } from '../../base/frame.js'
import { invalidOption, VideoDepthError } from '../../base/errors.js'

export interface VideoEncoderOptions {
  /** Nominal frames a second, for rate control and the last frame's duration; each frame keeps its own time. Default 24. */
  readonly frameRate?: number | undefined
  /** x264's quality, 0 (lossless) to 51; default 18, as upstream. */
  readonly crf?: number | undefined
}

/** Pixels a side; x264 takes no more. */
const mostSide = 16_384

/** @throws VideoDepthError FRAME_INVALID for pictures that no video can be made of */
export function checkVideoSize({ width, height }: Size): void {
  if (Math.max(width, height) <= mostSide) return
  const message =
    `Frames of ${width}×${height} are too large for an H.264 video, which has at most ${mostSide} pixels a side: ` +
    'scale them down with maxRes, or write raw, npz or png16 alone'
  throw new VideoDepthError('FRAME_INVALID', message)
}

interface Fraction {
  readonly num: number
  readonly den: number
}

/** Ticks a second where the frame rate does not ask for others. */
const usualTicks = 90_000
/** Fewer ticks a second would move frames that come at any time. More do not fit an MP4 of some hours. */
const [leastTicks, mostTicks] = [10_000, 1_000_000]
/** A decimal number of frames a second is meant for a fraction that differs from it by no more than this share. */
const rounding = 2e-6

/**
 * x264's output depends on how many threads it has; left alone it takes as many as the machine has processors, and more. The
 * fastest of its settings that look as good as `medium` (benchmarks/README.md): a sixth of its time, files half as large again.
 * The macroblock tree has to stay off: its arithmetic for AVX-512 reads memory that was never written, so that no two runs
 * gave the same file.
 */
const x264 = { preset: 'superfast', threads: 8, 'x264-params': 'mbtree=0:rc-lookahead=0:bframes=0' }

/**
 * Equal pictures give equal bytes, whatever the number of processors. 4:2:0, BT.709, limited range, tagged so; the index in
 * front ('faststart'). H.264 4:2:0 needs even sides: an odd side gets one more column or row, a copy of the last.
 */
export class VideoEncoder {
  readonly #av: Av
  readonly #path: string
  readonly #format: FormatContext
  readonly #stream: Stream
  readonly #codec: CodecContext
  readonly #packet: Packet
  readonly #timeBase: Fraction
  readonly #nominalTicks: bigint
  #lastTicks: bigint | undefined
  #freed = false

  private constructor(
    av: Av,
    path: string,
    format: FormatContext,
    stream: Stream,
    codec: CodecContext,
    frameRate: number,
  ) {
    this.#av = av
    this.#path = path
    this.#format = format
    this.#stream = stream
    this.#codec = codec
    this.#packet = new av.Packet()
    this.#packet.alloc()
    this.#timeBase = timeBaseFor(frameRate)
    this.#nominalTicks = BigInt(Math.max(1, Math.round(this.#timeBase.den / frameRate)))
  }

  /** @param path where to write, at once; @param width and @param height pixels of the pictures to come */
  static async create(
    path: string,
    width: number,
    height: number,
    options: VideoEncoderOptions,
  ): Promise<VideoEncoder> {
    const { frameRate, crf } = checkEncoderOptions(options)
    checkVideoSize({ width, height })
    const av = await loadAv()
    const format = new av.FormatContext()
    const codec = new av.CodecContext()
    try {
      check(av, path, format.allocOutputContext2(null, 'mp4', `file:${path}`))
      const encoder = present(av.Codec.findEncoderByName(av.FF_ENCODER_LIBX264), 'libx264')
      await openCodec(av, path, codec, encoder, { width: evenAbove(width), height: evenAbove(height), frameRate, crf })
      const stream = format.newStream(encoder)
      stream.timeBase = codec.timeBase
      check(av, path, stream.codecpar.fromContext(codec))
      check(av, path, await format.openOutput())
      check(av, path, await format.writeHeader(av.Dictionary.fromObject({ movflags: '+faststart' })))
      return new VideoEncoder(av, path, format, stream, codec, frameRate)
    } catch (cause) {
      codec.freeContext()
      await format.closeOutput()
      format.freeContext()
      throw outputError(path, cause)
    }
  }

  /**
   * @param planes Y, Cb and Cr of even sides, of the size given to `create` (rgbToYuv420, colourDepth); not needed any more
   *   when this resolves
   * @param timestampMs greater than the one before
   */
  async write(planes: Uint8Array, timestampMs: number): Promise<void> {
    const frame = this.#av.Frame.fromVideoBuffer(Buffer.from(planes.buffer, planes.byteOffset, planes.length), {
      width: this.#codec.width,
      height: this.#codec.height,
      format: this.#av.AV_PIX_FMT_YUV420P,
      timeBase: this.#timeBase,
    })
    try {
      frame.pts = this.#ticks(timestampMs)
      this.#check(await this.#codec.sendFrame(frame))
      await this.#drain()
    } finally {
      frame.free()
    }
  }

  /** Completes the file. */
  async finish(): Promise<void> {
    this.#check(await this.#codec.sendFrame(null))
    await this.#drain()
    this.#check(await this.#format.writeTrailer())
    await this.free()
  }

  /** Releases everything; what was written stays. Idempotent, only after the last call settled. */
  async free(): Promise<void> {
    if (this.#freed) return
    this.#freed = true
    this.#packet.free()
    this.#codec.freeContext()
    await this.#format.closeOutput()
    this.#format.freeContext()
  }

  async #drain(): Promise<void> {
    const av = this.#av
    for (;;) {
      const status = await this.#codec.receivePacket(this.#packet)
      if (status === av.AVERROR_EAGAIN || status === av.AVERROR_EOF) return
      this.#check(status)
      this.#packet.streamIndex = this.#stream.index
      // MP4 takes each frame's duration from the next one's time, and the last one's from here.
      this.#packet.duration = this.#nominalTicks
      this.#packet.rescaleTs(this.#timeBase, this.#stream.timeBase)
      this.#check(await this.#format.interleavedWriteFrame(this.#packet))
    }
  }

  /** Strictly increasing, which the encoder demands. */
  #ticks(timestampMs: number): bigint {
    const ticks = BigInt(Math.round((timestampMs * this.#timeBase.den) / 1000))
    this.#lastTicks = this.#lastTicks !== undefined && ticks <= this.#lastTicks ? this.#lastTicks + 1n : ticks
    return this.#lastTicks
  }

  #check(status: number): void {
    check(this.#av, this.#path, status)
  }
}

export function checkEncoderOptions(options: VideoEncoderOptions): {
  readonly frameRate: number
  readonly crf: number
} {
  const crf = options.crf ?? 18
  if (!(crf >= 0 && crf <= 51)) throw invalidOption('a number from 0 to 51', 'crf', crf)
  return { frameRate: checkFrameRate(options.frameRate ?? 24), crf }
}

interface CodecSettings {
  readonly width: number
  readonly height: number
  readonly frameRate: number
  readonly crf: number
}

async function openCodec(
  av: Av,
  path: string,
  context: CodecContext,
  encoder: Codec,
  settings: CodecSettings,
): Promise<void> {
  context.allocContext3(encoder)
  context.width = settings.width
  context.height = settings.height
  context.pixelFormat = av.AV_PIX_FMT_YUV420P
  const timeBase = timeBaseFor(settings.frameRate)
  const rate = fractionOf(settings.frameRate)
  context.timeBase = new av.Rational(timeBase.num, timeBase.den)
  context.framerate = new av.Rational(rate.num, rate.den)
  context.colorSpace = av.AVCOL_SPC_BT709
  context.colorPrimaries = av.AVCOL_PRI_BT709
  context.colorTrc = av.AVCOL_TRC_BT709
  context.colorRange = av.AVCOL_RANGE_MPEG
  context.setFlags(av.AV_CODEC_FLAG_GLOBAL_HEADER)
  check(av, path, await context.open2(encoder, av.Dictionary.fromObject({ crf: settings.crf, ...x264 })))
}

/** In which each frame of a constant rate lasts a whole number of ticks: 1/24000 for 24000/1001 frames a second. */
function timeBaseFor(frameRate: number): Fraction {
  const { num } = fractionOf(frameRate)
  if (num > mostTicks) return { num: 1, den: usualTicks }
  return { num: 1, den: num >= leastTicks ? num : num * Math.ceil(usualTicks / num) }
}

/** NTSC's rates are whole ones divided by 1.001. */
function fractionOf(frameRate: number): Fraction {
  for (const den of [1, 1001]) {
    const unit = den === 1 ? 1 : 1000
    const num = Math.round((frameRate * den) / unit) * unit
    if (num > 0 && Math.abs(num / den - frameRate) <= frameRate * rounding) return { num, den }
  }
  const [num, den] = frameRate < 1 ? [1000, Math.round(1000 / frameRate)] : [Math.round(frameRate * 1000), 1000]
  const divisor = greatestCommon(num, den)
  return { num: num / divisor, den: den / divisor }
}

function greatestCommon(a: number, b: number): number {
  return b === 0 ? a : greatestCommon(b, a % b)
}

function check(av: Av, path: string, status: number): void {
  if (status < 0) throw outputStatusError(path, status, avMessage(av, status))
}

function evenAbove(side: number): number {
  return side + (side % 2)
}
