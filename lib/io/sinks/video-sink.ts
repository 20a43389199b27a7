// Owns: depth as a colour or grey video.
// Must not know: other formats, the pipeline.

import { invalidOption } from '../../base/errors.js'
import type { DepthKind } from '../../base/frame.js'
import { loadAddon } from '../../native/addon.js'
import { checkRange, rangeOf, RunningRange, type DepthRange, type RangeRule } from './depth-range.js'
import type { DepthSpill } from './depth-spill.js'
import { guardedSink } from './guarded-sink.js'
import { brightChoices, palette, type Bright, type PaletteName } from './palettes.js'
import { Mp4Writer } from './mp4-writer.js'
import type { DepthSink } from './sink.js'
import type { SpillOutput } from './spilled-sink.js'
import { checkVideoSize, type VideoEncoderOptions } from './video-encoder.js'

export interface DepthVideoOptions extends VideoEncoderOptions {
  /** Default `inferno`, upstream's; `gray` is upstream's `--grayscale`. */
  readonly palette?: PaletteName
  /**
   * What black and white stand for; default `global`, upstream's, which parks all frames on disk (1 to 2.5 bytes a pixel)
   * until `finish()`.
   */
  readonly range?: RangeRule
  /** Default: what has the larger values, upstream's rule: of disparity what is near, of metric depth what is far. */
  readonly bright?: Bright | undefined
}

/** For `range: 'global'`: made in a second pass. */
export async function videoOutput(path: string, options: DepthVideoOptions = {}): Promise<SpillOutput> {
  const colours = palette(options.palette ?? 'inferno')
  checkBright(options.bright)
  const writer = await Mp4Writer.create(path, { frameRate: options.frameRate, crf: options.crf })
  return {
    path,
    accept: (frame) => checkVideoSize(frame),
    render: async (spill) => {
      const painter = new Painter(writer, colours, options.bright)
      const { count, range } = spill.facts
      for (let index = 0; index < count; index++) await painter.paint(await spilled(spill, index), range)
      await writer.complete()
    },
    commit: async () => [await writer.finish()],
    discard: () => writer.abort(),
  }
}

/** For `range: 'running'` and fixed bounds: each frame is written as it comes. */
export async function liveVideoSink(
  path: string,
  options: DepthVideoOptions & { readonly range: 'running' | DepthRange },
): Promise<DepthSink> {
  checkRange(options.range)
  checkBright(options.bright)
  const colours = palette(options.palette ?? 'inferno')
  const writer = await Mp4Writer.create(path, { frameRate: options.frameRate, crf: options.crf })
  const painter = new Painter(writer, colours, options.bright)
  const running = new RunningRange()
  const { range } = options
  return guardedSink(path, {
    write: async (frame) =>
      painter.paint(frame, range === 'running' ? running.next(await rangeOf(frame.data), frame.timestampMs) : range),
    finish: async () => [await writer.finish()],
    discard: () => writer.abort(),
  })
}

interface DepthPicture {
  readonly data: Float32Array
  readonly width: number
  readonly height: number
  readonly timestampMs: number
  readonly kind: DepthKind
}

function checkBright(bright: unknown): void {
  if (bright !== undefined && !brightChoices.some((choice) => choice === bright))
    throw invalidOption(`one of ${brightChoices.join(', ')}`, 'bright', bright)
}

async function spilled(spill: DepthSpill, index: number): Promise<DepthPicture> {
  const { width, height, kind, timestampsMs } = spill.facts
  return { data: await spill.frame(index), width, height, kind, timestampMs: timestampsMs[index] ?? 0 }
}

/** Colours depth and hands it on. */
class Painter {
  readonly #writer: Mp4Writer
  /** [256, 3], from the least depth to the greatest, and the other way round. */
  readonly #colours: Uint8Array
  readonly #reversed: Uint8Array
  readonly #bright: Bright | undefined

  /** @param colours [256, 3] */
  constructor(writer: Mp4Writer, colours: Uint8Array, bright: Bright | undefined) {
    this.#writer = writer
    this.#colours = colours
    this.#reversed = colours.map((_, i) => colours[colours.length - 3 - i + 2 * (i % 3)] as number)
    this.#bright = bright
  }

  async paint({ data, width, height, timestampMs, kind }: DepthPicture, { min, max }: DepthRange): Promise<void> {
    const isReversed = this.#bright !== undefined && (this.#bright === 'far') !== (kind === 'metric')
    const colours = isReversed ? this.#reversed : this.#colours
    const planes = loadAddon().colourDepth(data, width, height, min, max, colours)
    await this.#writer.write({ width, height, timestampMs }, planes)
  }
}
