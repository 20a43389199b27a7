// Owns: how FFmpeg is asked to open an input: which containers, which stream, which decoder, within which limits.
// Must not know: packets, pictures, what they are for.

import type { CodecContext, FormatContext, Stream } from 'node-av'
import { VideoDepthError } from '../../base/errors.js'
import { mostPixels } from '../../base/pixel-format.js'
import { avMessage, type Av } from '../av.js'
import { mostDecoded } from './image-limits.js'
import type { PacketSyntax } from './packet-content.js'

/**
 * FFmpeg's names of the containers, elementary streams and single pictures that are read. What is not here is refused
 * whatever a file is called: playlists and manifests, which name other files; devices and generators; text drawn as
 * pictures; sequences of numbered files; subtitles.
 */
const containers = [
  ...['mov', 'matroska', 'avi', 'mpegts', 'mpeg', 'flv', 'live_flv', 'asf', 'ogg', 'mxf', 'gxf', 'nut', 'ivf', 'rm'],
  ...['wtv', 'swf', 'nuv', 'smjpeg', 'mpjpeg', 'gif', 'apng', 'webp_anim', 'yuv4mpegpipe', 'dv', 'cine', 'flic', 'kux'],
  ...['h261', 'h263', 'h264', 'hevc', 'vvc', 'evc', 'apv', 'av1', 'obu', 'm4v', 'mpegvideo', 'mjpeg', 'mjpeg_2000'],
  ...['vc1', 'vc1test', 'cavsvideo', 'avs2', 'avs3', 'dirac', 'dnxhd'],
  ...['bmp_pipe', 'jpeg_pipe', 'pam_pipe', 'pbm_pipe', 'pgm_pipe', 'png_pipe', 'ppm_pipe', 'qoi_pipe', 'tiff_pipe'],
  ...['webp_pipe'],
  // Without pictures, and told so.
  ...['wav', 'mp3', 'flac', 'aac'],
] as const

/** Pixels of any picture: 16384×8192. */
export const mostArea = 2 ** 27
/** A decoded picture's, with alpha. */
const pixelBytes = 4

/** Larger pictures are decoded by one thread: each further one holds pictures of its own. Pixels. */
const mostThreadedArea = 2 ** 23

export interface OpeningRules {
  /** FFmpeg's names of further formats: playlists, which may be followed as far as the protocols reach; network protocols. */
  readonly formats: readonly string[]
  /** FFmpeg's protocols, by comma. */
  readonly protocols: string
}

/** Options for `openInput`: containers by an allow-list, and no file but the one that is named. */
export function openingOptions({ formats, protocols }: OpeningRules): Record<string, string> {
  return {
    format_whitelist: [...containers, ...formats].join(','),
    protocol_whitelist: protocols,
    // QuickTime's references to tracks in other files.
    enable_drefs: '0',
  }
}

/** Pixels of a picture in a file by itself: one of a few bytes may claim any size, and a decoder allocates what is claimed. */
export function mostAreaOf(fileBytes: number): number {
  return Math.min(mostArea, Math.floor(mostDecoded(fileBytes) / pixelBytes))
}

/** Local files only: neither the path nor what the file names can reach anything else. */
export async function openFile(av: Av, path: string, rules: OpeningRules): Promise<FormatContext> {
  const format = new av.FormatContext()
  let status: number = await format.openInput(`file:${path}`, null, av.Dictionary.fromObject(openingOptions(rules)))
  if (status < 0) throw unreadable(path, openingReason(av, status))
  status = await format.findStreamInfo()
  if (status >= 0) return format
  await format.closeInput()
  throw unreadable(path, avMessage(av, status))
}

/** FFmpeg has no status of its own for a container that is not on the list. */
export function openingReason(av: Av, status: number): string {
  if (status !== av.AVERROR_EINVAL && status !== av.AVERROR_INVALIDDATA) return avMessage(av, status)
  return 'it is no container or stream that is read here, such as MP4, Matroska, MPEG-TS or AVI'
}

/**
 * The default one before others, then the largest. Cover art and thumbnails are no videos, and a tile of a picture is not
 * the picture.
 */
export function bestStream(av: Av, format: FormatContext): Stream | undefined {
  const others = [
    av.AV_DISPOSITION_ATTACHED_PIC,
    av.AV_DISPOSITION_TIMED_THUMBNAILS,
    av.AV_DISPOSITION_DEPENDENT,
  ] as const
  const isVideo = (stream: Stream): boolean =>
    stream.codecpar.codecType === av.AVMEDIA_TYPE_VIDEO && !others.some((other) => stream.hasDisposition(other))
  const isDefault = (stream: Stream): number => (stream.hasDisposition(av.AV_DISPOSITION_DEFAULT) ? 1 : 0)
  const area = (stream: Stream): number => stream.codecpar.width * stream.codecpar.height
  return format.streams.filter(isVideo).sort((a, b) => isDefault(b) - isDefault(a) || area(b) - area(a))[0]
}

/**
 * Pictures with errors come out, flagged; checksums and stated lengths inside the stream are checked. Frame threads give
 * the most pictures a second, but each one holds one back.
 */
export async function openCodec(
  av: Av,
  name: string,
  stream: Stream,
  { threads, mostArea }: { readonly threads: 'frame' | 'slice'; readonly mostArea: number },
): Promise<CodecContext> {
  const { codecId, width, height } = stream.codecpar
  const codec = av.Codec.findDecoder(codecId)
  if (codec === null) throw unreadable(name, `no decoder for ${av.avGetCodecName(codecId) ?? 'an unknown codec'}`)
  if (width > mostPixels || height > mostPixels || width * height > mostArea)
    throw unreadable(
      name,
      `its pictures are ${width}×${height}; expected at most ${mostArea} pixels, ${mostPixels} a side`,
    )
  const context = new av.CodecContext()
  context.allocContext3(codec)
  context.parametersToContext(stream.codecpar)
  context.pktTimebase = stream.timeBase
  context.threadCount = width * height > mostThreadedArea ? 1 : 0
  if (threads === 'slice') context.threadType = av.FF_THREAD_SLICE
  context.setFlags(av.AV_CODEC_FLAG_OUTPUT_CORRUPT)
  const options = { err_detect: 'crccheck+bitstream+buffer', max_pixels: mostArea }
  const status = await context.open2(codec, av.Dictionary.fromObject(options))
  if (status >= 0) return context
  context.freeContext()
  throw new VideoDepthError('SOURCE_UNREADABLE', `Cannot decode ${name}: ${avMessage(av, status)}`)
}

export function packetSyntax(av: Av, codecId: number): PacketSyntax {
  const syntaxes = new Map<number, PacketSyntax>([
    [av.AV_CODEC_ID_H264, 'h264'],
    [av.AV_CODEC_ID_HEVC, 'hevc'],
    [av.AV_CODEC_ID_VVC, 'vvc'],
    [av.AV_CODEC_ID_VP8, 'vp8'],
    [av.AV_CODEC_ID_VP9, 'vp9'],
    [av.AV_CODEC_ID_MPEG1VIDEO, 'mpeg2'],
    [av.AV_CODEC_ID_MPEG2VIDEO, 'mpeg2'],
    [av.AV_CODEC_ID_MPEG4, 'mpeg4'],
  ])
  return syntaxes.get(codecId) ?? 'other'
}

function unreadable(name: string, reason: string): VideoDepthError {
  return new VideoDepthError('SOURCE_UNREADABLE', `Cannot read ${name} as a video: ${reason}`)
}
