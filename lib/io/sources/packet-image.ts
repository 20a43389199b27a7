// Owns: pictures of simple formats that the image library lacks, through FFmpeg's decoders: the whole file is one packet.
// Must not know: files, how pictures are scaled.

import type { AVPixelFormat, CodecContext, Frame } from 'node-av'
import { avMessage, loadAv, present, type Av } from '../av.js'
import { FilterChain } from '../filter-chain.js'
import type { RgbPicture } from './rgb-converter.js'

/** No demuxer takes part, so nothing in the bytes can name another file. */
export type PacketFormat = 'bmp' | 'pnm'

/**
 * @param mostPixels larger pictures are refused before they are allocated
 * @throws Error saying what is wrong
 */
export async function decodePacketImage(bytes: Buffer, format: PacketFormat, mostPixels: number): Promise<RgbPicture> {
  const av = await loadAv()
  const codec = present(av.Codec.findDecoder(codecOf(av, bytes, format)), `decoder for ${format}`)
  const context = new av.CodecContext()
  context.allocContext3(codec)
  const frame = new av.Frame()
  frame.alloc()
  try {
    context.threadCount = 1
    const options = av.Dictionary.fromObject({ max_pixels: String(mostPixels), err_detect: 'explode' })
    checked(av, await context.open2(codec, options))
    await decodeOne(av, context, bytes, frame)
    return await rgbOf(av, frame)
  } finally {
    frame.free()
    context.freeContext()
  }
}

function codecOf(av: Av, bytes: Buffer, format: PacketFormat): Parameters<Av['Codec']['findDecoder']>[0] {
  if (format === 'bmp') return av.AV_CODEC_ID_BMP
  const kinds = [
    ...[av.AV_CODEC_ID_PBM, av.AV_CODEC_ID_PGM, av.AV_CODEC_ID_PPM], // as text
    ...[av.AV_CODEC_ID_PBM, av.AV_CODEC_ID_PGM, av.AV_CODEC_ID_PPM],
    av.AV_CODEC_ID_PAM,
  ]
  return kinds[Number(bytes.toString('latin1', 1, 2)) - 1] ?? av.AV_CODEC_ID_PPM
}

async function decodeOne(av: Av, context: CodecContext, bytes: Buffer, frame: Frame): Promise<void> {
  const packet = new av.Packet()
  packet.alloc()
  try {
    packet.data = bytes
    checked(av, await context.sendPacket(packet))
    checked(av, await context.sendPacket(null))
    checked(av, await context.receiveFrame(frame))
  } finally {
    packet.free()
  }
}

async function rgbOf(av: Av, frame: Frame): Promise<RgbPicture> {
  const { width, height } = frame
  const isWide = /16|48|64/.test(av.avGetPixFmtName(frame.format as AVPixelFormat) ?? '')
  const [name, format] = isWide
    ? (['rgb48be', av.AV_PIX_FMT_RGB48BE] as const)
    : (['rgb24', av.AV_PIX_FMT_RGB24] as const)
  const filters = new FilterChain(av, [
    { filter: 'scale', args: 'flags=bicubic+accurate_rnd+full_chroma_int' },
    { filter: 'format', args: `pix_fmts=${name}` },
  ])
  try {
    const { data: planes, linesize } = await filters.apply(frame)
    const data = Buffer.allocUnsafeSlow(width * height * (isWide ? 6 : 3))
    checked(av, av.avImageCopyToBuffer(data, data.length, planes, linesize, format, width, height, 1))
    return { data: isWide ? upperBytes(data) : data, width, height }
  } finally {
    filters.close()
  }
}

/** 16 bits become 8 as the image library does it; FFmpeg would round otherwise. @param data big-endian */
function upperBytes(data: Buffer): Uint8Array {
  return new Uint8Array(data.length / 2).map((_, i) => data[2 * i] as number)
}

function checked(av: Av, status: number): void {
  if (status < 0) throw new Error(avMessage(av, status))
}
