// Owns: frames of a video file: upright, limited in size and rate, RGB, with their times.
// Must not know: demuxing, the pipeline.

import { counted } from '../../base/counted.js'
import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Frame } from 'node-av'
import { VideoDepthError } from '../../base/errors.js'
import type { RgbFrame, Size } from '../../base/frame.js'
import { known } from '../../base/known-options.js'
import { loadAv, present, type Av } from '../av.js'
import { openGuarded, type FrameProducer } from './guarded-source.js'
import { checkPlaylist } from './playlist.js'
import { RgbConverter } from './rgb-converter.js'
import {
  keptFrames,
  limitedSize,
  resolveSourceOptions,
  sourceOptionNames,
  strideFor,
  type ResolvedSourceOptions,
} from './source-options.js'
import type { FrameSource, SourceInfo, SourceOptions } from './source.js'
import { Timeline } from './timeline.js'
import { VideoDecoder } from './video-decoder.js'
import { mostArea, mostAreaOf } from './video-input.js'

/** Frames a second that missing times are interpolated with where the file tells none. */
const assumedFrameRate = 25
/** A container's duration and its packets' may differ this much without anything being missing. */
const tolerance = { share: 0.01, mostMs: 1000, leastFrames: 3 } as const

/**
 * A video file that FFmpeg decodes, on threads of its own.
 *
 * Colours follow the stream's tags (matrix and range; untagged means BT.601, limited, as in FFmpeg and OpenCV); HDR is
 * not tone-mapped. The container's rotation and cropping are applied. A sample aspect ratio other than 1:1 is ignored and
 * interlaced video is not deinterlaced, both as upstream does.
 *
 * Iteration yields everything that decodes, then throws `SOURCE_DAMAGED` where something did not or where the file
 * ends before the time that it promises; `FRAME_SIZE_CHANGED` ends it at the frame in question.
 *
 * @throws `SOURCE_UNREADABLE` no such file, no video; `SOURCE_EMPTY` not a single decodable frame
 */
export async function openVideo(path: string, options: SourceOptions = {}): Promise<FrameSource> {
  known(options, 'options', sourceOptionNames)
  const resolved = resolveSourceOptions(options)
  return openGuarded(() => VideoProducer.open(path, resolved), { signal: resolved.signal, readAhead: true })
}

class VideoProducer implements FrameProducer {
  readonly #path: string
  readonly #decoder: VideoDecoder
  readonly #options: ResolvedSourceOptions
  readonly #stride: number
  readonly #timeline: Timeline
  readonly #rgb: RgbConverter
  /** As stored, before rotation and scaling. */
  #storedSize: Size | undefined
  #position = 0
  #emitted = 0
  /** Decoded while opening, for `info`; the first to come out. */
  #first: RgbFrame | undefined
  #info: SourceInfo | undefined
  #running: Promise<RgbFrame | undefined> | undefined

  private constructor(av: Av, path: string, decoder: VideoDecoder, options: ResolvedSourceOptions) {
    this.#path = path
    this.#decoder = decoder
    this.#options = options
    this.#stride = strideFor(decoder.frameRate, options)
    this.#timeline = new Timeline({
      intervalMs: 1000 / (decoder.frameRate ?? assumedFrameRate),
      tickMs: decoder.tickMs,
      mayJump: decoder.mayJump,
    })
    this.#rgb = new RgbConverter(av, decoder.stream, ({ width, height }) => limitedSize(width, height, options.maxRes))
  }

  static async open(path: string, options: ResolvedSourceOptions): Promise<VideoProducer> {
    const found = await checkFile(path)
    if (options.playlists) await checkPlaylist(path)
    const av = await loadAv()
    const rules = { formats: options.playlists ? ['hls'] : [], protocols: 'file' }
    const area = options.playlists || !found.isFile() ? mostArea : mostAreaOf(found.size)
    const decoder = await VideoDecoder.open(av, path, rules, area)
    let producer: VideoProducer | undefined
    try {
      producer = new VideoProducer(av, path, decoder, options)
      const first = present(await producer.next(), 'first frame')
      producer.#first = first
      producer.#info = producer.#describe(first)
      return producer
    } catch (error) {
      await (producer ?? decoder).close()
      throw error
    }
  }

  get info(): SourceInfo {
    return present(this.#info, 'first frame')
  }

  #describe({ width, height }: Size): SourceInfo {
    const { frameRate, stream, promisedMs } = this.#decoder
    const estimate =
      promisedMs === undefined || frameRate === undefined ? 0 : Math.round((promisedMs * frameRate) / 1000)
    const available = stream.nbFrames > 0n ? Number(stream.nbFrames) : estimate
    return {
      name: basename(this.#path),
      width,
      height,
      frameRate: frameRate === undefined ? undefined : frameRate / this.#stride,
      frameCount: available === 0 ? undefined : keptFrames(available, this.#stride, this.#options.maxLen),
      frameCountExact: false,
    }
  }

  next(): Promise<RgbFrame | undefined> {
    this.#running = this.#next()
    return this.#running
  }

  async close(): Promise<void> {
    this.#decoder.interrupt()
    await this.#running?.catch(() => undefined)
    this.#rgb.close()
    await this.#decoder.close()
  }

  async #next(): Promise<RgbFrame | undefined> {
    const first = this.#first
    this.#first = undefined
    return first ?? this.#decodeNext()
  }

  async #decodeNext(): Promise<RgbFrame | undefined> {
    const limited = this.#emitted === this.#options.maxLen
    for (let frame = limited ? undefined : await this.#decoder.next(); frame; frame = await this.#decoder.next()) {
      const timestampMs = this.#timeline.next(this.#decoder.milliseconds(frame.bestEffortTimestamp))
      const position = this.#position++
      if (position % this.#stride !== 0) continue
      const converted = await this.#convert(frame, position, timestampMs)
      this.#emitted++
      return converted
    }
    this.#checkEnd(!limited)
    return undefined
  }

  async #convert(frame: Frame, position: number, timestampMs: number): Promise<RgbFrame> {
    const { width, height } = frame
    this.#storedSize ??= { width, height }
    const first = this.#storedSize
    if (width !== first.width || height !== first.height)
      throw new VideoDepthError(
        'FRAME_SIZE_CHANGED',
        `Frame ${position} of ${this.#path} (at ${seconds(timestampMs)}) is ${width}×${height}, the frames before it were ${first.width}×${first.height}`,
      )
    const picture = await this.#rgb.convert(frame).catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new VideoDepthError(
        this.#emitted === 0 ? 'SOURCE_UNREADABLE' : 'SOURCE_DAMAGED',
        `Frame ${position} of ${this.#path} cannot be converted to RGB: ${reason}`,
        { cause },
      )
    })
    return { ...picture, timestampMs }
  }

  /** @param complete false where the caller's limit ended the video, not the video itself */
  #checkEnd(complete: boolean): void {
    const { damage } = this.#decoder
    if (this.#emitted === 0)
      throw new VideoDepthError(
        'SOURCE_EMPTY',
        `${this.#path} has no frame that can be decoded${damage.packets > 0 ? ': it is damaged' : ''}`,
      )
    const faults = [
      ...(damage.packets + damage.frames + damage.lost > 0 ? [this.#damageText()] : []),
      ...(complete ? this.#shortText() : []),
    ]
    if (faults.length === 0) return
    throw new VideoDepthError(
      'SOURCE_DAMAGED',
      `${this.#path} is damaged: ${faults.join('; ')}. ${this.#emitted === 1 ? 'The one frame' : `All ${this.#emitted} frames`} that could be decoded came out`,
    )
  }

  #damageText(): string {
    const { packets, frames, lost, firstMs } = this.#decoder.damage
    const where = firstMs === undefined ? '' : `, the first at ${seconds(firstMs)}`
    const parts = [
      ...(packets > 0 ? [`${counted(packets, 'packet')} could not be read or decoded`] : []),
      ...(lost > 0 ? [counted(lost, 'frame is missing', 'frames are missing')] : []),
      ...(frames > 0 ? [`${counted(frames, 'frame')} came out with errors`] : []),
    ]
    return `${parts.join(', ')}${where}`
  }

  #shortText(): readonly string[] {
    const { promisedMs, readMs } = this.#decoder
    if (promisedMs === undefined || readMs === undefined) return []
    // As they came: a file may tell its clock's ticks for its frame rate.
    const framesMs = (tolerance.leastFrames * readMs) / Math.max(this.#position, 1)
    const toleranceMs = Math.max(framesMs, Math.min(promisedMs * tolerance.share, tolerance.mostMs))
    if (readMs >= promisedMs - toleranceMs) return []
    return [`it promises ${seconds(promisedMs)} and ends after ${seconds(readMs)}`]
  }
}

/** @throws VideoDepthError SOURCE_UNREADABLE */
export async function checkFile(path: string): Promise<Stats> {
  const found = await stat(path).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new VideoDepthError('SOURCE_UNREADABLE', `Cannot read ${path}: ${reason}`, { cause })
  })
  if (found.isDirectory()) throw new VideoDepthError('SOURCE_UNREADABLE', `Expected a video file, ${path} is a folder`)
  if (found.isFile() && found.size === 0) throw new VideoDepthError('SOURCE_UNREADABLE', `${path} is empty`)
  return found
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(3)} s`
}
