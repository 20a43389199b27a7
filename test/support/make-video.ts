// Owns: small videos with known pictures, for tests.
// Must not know: the code under test.

import * as av from 'node-av'
import type { CodecContext, FormatContext, FFEncoderCodec, AVColorSpace, Frame, Packet } from 'node-av'

export interface VideoRecipe {
  readonly path: string
  readonly width: number
  readonly height: number
  /** Milliseconds; one frame each. */
  readonly times: readonly number[]
  /** Colour of a frame at a pixel; default: `pattern`. */
  readonly pixel?: (frame: number, x: number, y: number) => readonly [number, number, number]
  /** `ffv1` is lossless RGB and allows odd sizes; default `h264`. */
  readonly codec?: 'h264' | 'hevc' | 'ffv1'
  /** FFmpeg's name; default from the path. */
  readonly container?: string
  /** Default 0. */
  readonly bFrames?: number
  /** Frames between key frames; default 12. */
  readonly keyInterval?: number
  /** Quarter turns clockwise that the container asks for. */
  readonly quarterTurns?: 0 | 1 | 2 | 3
  /** FFmpeg's number of the colour matrix that the stream is tagged with. */
  readonly colorSpace?: AVColorSpace
  /** Pixels at top, bottom, left and right that the container has cut off. */
  readonly crop?: readonly [number, number, number, number]
  /** Options for the container, `movflags` above all. */
  readonly muxer?: Readonly<Record<string, string>>
  /** Added to every time stamp as stored. Milliseconds. */
  readonly offsetMs?: number
}

const ticksPerMs = 90
const timeBase = { num: 1, den: 90_000 }

/** Distinct for every frame and smooth enough for a lossy codec; x grows in red, y in green, frames in blue. */
export function pattern(frame: number, x: number, y: number): readonly [number, number, number] {
  return [(x * 3) % 256, (y * 3) % 256, (frame * 20) % 256]
}

export function picture(recipe: Pick<VideoRecipe, 'width' | 'height' | 'pixel'>, frame: number): Buffer {
  const { width, height, pixel = pattern } = recipe
  const data = Buffer.alloc(width * height * 3)
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data.set(pixel(frame, x, y), (y * width + x) * 3)
  return data
}

/** Times of `count` frames at `rate` frames a second. */
export function steady(count: number, rate: number): number[] {
  return Array.from({ length: count }, (_, i) => (i * 1000) / rate)
}

export async function makeVideo(recipe: VideoRecipe): Promise<string> {
  av.Log.setLevel(av.AV_LOG_QUIET)
  const format = new av.FormatContext()
  ok(format.allocOutputContext2(null, recipe.container ?? null, `file:${recipe.path}`))
  const codec = await openEncoder(recipe)
  const stream = format.newStream()
  stream.timeBase = new av.Rational(timeBase.num, timeBase.den)
  ok(stream.codecpar.fromContext(codec))
  if (recipe.quarterTurns !== undefined)
    ok(stream.codecpar.addCodedSideData(av.AV_PKT_DATA_DISPLAYMATRIX, displayMatrix(recipe.quarterTurns)))
  if (recipe.crop !== undefined)
    ok(
      stream.codecpar.addCodedSideData(
        av.AV_PKT_DATA_FRAME_CROPPING,
        Buffer.from(Uint32Array.from(recipe.crop).buffer),
      ),
    )
  ok(await format.openOutput())
  ok(await format.writeHeader(recipe.muxer === undefined ? null : av.Dictionary.fromObject(recipe.muxer)))
  const packet = new av.Packet()
  packet.alloc()
  // What the container gets as the last frame's duration.
  const interval = BigInt(Math.round(((recipe.times[1] ?? 40) - (recipe.times[0] ?? 0)) * ticksPerMs))
  for (const [index, time] of recipe.times.entries()) {
    const frame = encoderFrame(recipe, index)
    frame.pts = BigInt(Math.round((time + (recipe.offsetMs ?? 0)) * ticksPerMs))
    await drain(format, codec, packet, frame, interval)
    frame.free()
  }
  await drain(format, codec, packet, null, interval)
  ok(await format.writeTrailer())
  codec.freeContext()
  packet.free()
  await format.closeOutput()
  format.freeContext()
  return recipe.path
}

async function openEncoder(recipe: VideoRecipe): Promise<CodecContext> {
  const lossless = recipe.codec === 'ffv1'
  const name = { ffv1: 'ffv1', hevc: 'libx265', h264: 'libx264' }[recipe.codec ?? 'h264'] as FFEncoderCodec
  const encoder = av.Codec.findEncoderByName(name)
  if (encoder === null) throw new Error(`no encoder ${name}`)
  const codec = new av.CodecContext()
  codec.allocContext3(encoder)
  codec.width = recipe.width
  codec.height = recipe.height
  codec.pixelFormat = lossless ? av.avGetPixFmtFromName('bgr0') : av.AV_PIX_FMT_YUV444P
  if (recipe.colorSpace !== undefined) codec.colorSpace = recipe.colorSpace
  codec.timeBase = new av.Rational(timeBase.num, timeBase.den)
  codec.gopSize = recipe.keyInterval ?? 12
  codec.maxBFrames = recipe.bFrames ?? 0
  if (recipe.container !== 'mpegts' && !recipe.path.endsWith('.ts')) codec.setFlags(av.AV_CODEC_FLAG_GLOBAL_HEADER)
  const x264 = { crf: 10, preset: 'veryfast', bf: recipe.bFrames ?? 0, 'x264-params': 'scenecut=0:b-adapt=0' }
  const x265 = { crf: 10, preset: 'veryfast', 'x265-params': 'log-level=none:scenecut=0:bframes=0:open-gop=0' }
  const options = recipe.codec === 'hevc' ? x265 : x264
  ok(await codec.open2(encoder, lossless ? null : av.Dictionary.fromObject(options)))
  return codec
}

/** A frame borrows its bytes without a reference of its own. */
const borrowed = new WeakMap<Frame, Buffer>()

function encoderFrame(recipe: VideoRecipe, index: number): Frame {
  const { width, height } = recipe
  const rgb = picture(recipe, index)
  const pixels = recipe.codec === 'ffv1' ? packedBgr(rgb) : planarYuv(rgb)
  const pixelFormat = recipe.codec === 'ffv1' ? av.avGetPixFmtFromName('bgr0') : av.AV_PIX_FMT_YUV444P
  const frame = av.Frame.fromVideoBuffer(pixels, { width, height, format: pixelFormat, timeBase })
  borrowed.set(frame, pixels)
  return frame
}

/** Blue, green, red, nothing: the 8-bit RGB that FFV1 takes. */
function packedBgr(rgb: Buffer): Buffer {
  const pixels = Buffer.alloc((rgb.length / 3) * 4)
  for (let i = 0; i < rgb.length / 3; i++)
    pixels.set([rgb[i * 3 + 2] ?? 0, rgb[i * 3 + 1] ?? 0, rgb[i * 3] ?? 0], i * 4)
  return pixels
}

/** BT.601, limited range, 4:4:4. */
function planarYuv(rgb: Buffer): Buffer {
  const size = rgb.length / 3
  const planes = Buffer.alloc(rgb.length)
  for (let i = 0; i < size; i++) {
    const [r = 0, g = 0, b = 0] = rgb.subarray(i * 3, i * 3 + 3)
    const luma = 0.299 * r + 0.587 * g + 0.114 * b
    planes[i] = Math.round(16 + (219 / 255) * luma)
    planes[size + i] = Math.round(128 + ((224 / 255) * (b - luma)) / 1.772)
    planes[2 * size + i] = Math.round(128 + ((224 / 255) * (r - luma)) / 1.402)
  }
  return planes
}

async function drain(
  format: FormatContext,
  codec: CodecContext,
  packet: Packet,
  frame: Frame | null,
  interval: bigint,
): Promise<void> {
  ok(await codec.sendFrame(frame))
  const stream = format.streams[0]
  if (stream === undefined) throw new Error('no stream')
  for (;;) {
    const status: number = await codec.receivePacket(packet)
    if (status === av.AVERROR_EAGAIN || status === av.AVERROR_EOF) return
    ok(status)
    packet.streamIndex = 0
    packet.duration = interval
    packet.rescaleTs(timeBase, stream.timeBase)
    ok(await format.interleavedWriteFrame(packet))
  }
}

/** 16.16 fixed point, as MP4 stores it; the last column is 2.30. */
function displayMatrix(quarterTurns: 0 | 1 | 2 | 3): Buffer {
  const one = 1 << 16
  const [a, b] = ([
    [one, 0],
    [0, one],
    [-one, 0],
    [0, -one],
  ][quarterTurns] ?? [one, 0]) as [number, number]
  const matrix = Int32Array.of(a, b, 0, -b, a, 0, 0, 0, 1 << 30)
  return Buffer.from(matrix.buffer)
}

function ok(status: number): void {
  if (status < 0) throw new Error(new av.FFmpegError(status).message)
}
