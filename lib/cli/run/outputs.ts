// Owns: which files a run writes, under upstream's names, and the frames recorded on their way in.
// Must not know: file formats, the network.

import path from 'node:path'
import type { DepthMap, RgbFrame } from '../../base/frame.js'
import { outputError } from '../../io/sinks/output-errors.js'
import { checkNotInput } from '../../io/sinks/output-target.js'
import type { Bright, PaletteName } from '../../io/sinks/palettes.js'
import { rgbVideoWriter, type TwoStepVideoWriter } from '../../io/sinks/rgb-video-sink.js'
import type { DepthSink } from '../../io/sinks/sink.js'
import { openSinks, type OutputSpec } from '../../io/sinks/sinks.js'
import type { FrameSource, SourceInfo } from '../../io/sources/source.js'
import { fittedName, mostNameBytes } from '../../io/sinks/temporary-names.js'
import { makeFolder } from '../../base/make-folder.js'

export interface OutputOptions {
  readonly grayscale: boolean
  readonly palette: PaletteName
  readonly bright?: Bright | undefined
  readonly saveNpz: boolean
  readonly savePng16: boolean
  readonly saveRaw: boolean
}

/** Added to a name, of all that a run may write. */
const longestEnding = '_depths.f32.json'

export class Outputs {
  readonly #depth: DepthSink
  readonly #recording: TwoStepVideoWriter
  #writeMs = 0

  private constructor(depth: DepthSink, recording: TwoStepVideoWriter) {
    this.#depth = depth
    this.#recording = recording
  }

  /** `outputs` and `street` give `outputs/street_vis.mp4` and so on; a name that is too long for that is cut. @param input what is read */
  static async create(
    folder: string,
    name: string,
    input: string,
    { frameRate, frameCount, width, height }: SourceInfo,
    options: OutputOptions,
  ): Promise<Outputs> {
    const fitted = fittedName(name, mostNameBytes - longestEnding.length)
    const at = (ending: string): string => path.join(folder, `${fitted}${ending}`)
    await makeFolder(folder).catch((error: unknown) => {
      throw outputError(folder, error)
    })
    const palette = options.grayscale ? 'gray' : options.palette
    const specs: OutputSpec[] = [{ format: 'video', path: at('_vis.mp4'), palette, bright: options.bright, frameRate }]
    if (options.saveNpz) specs.push({ format: 'npz', path: at('_depths.npz') })
    if (options.savePng16) specs.push({ format: 'png16', path: at('_png16') })
    if (options.saveRaw) specs.push({ format: 'raw', path: at('_depths.f32') })
    await checkNotInput(input, [at('_src.mp4'), ...specs.map((spec) => spec.path)])
    const recording = await rgbVideoWriter(at('_src.mp4'), { frameRate })
    try {
      const expected = frameCount === undefined ? undefined : { width, height, frames: frameCount }
      return new Outputs(await openSinks(specs, expected), recording)
    } catch (error) {
      await recording.abort()
      throw error
    }
  }

  /** The same source; every frame that is read from it is also written to the source video. */
  recording(source: FrameSource): FrameSource {
    const recording = this.#recording
    async function* frames(): AsyncGenerator<RgbFrame> {
      for await (const frame of source) {
        await recording.write(frame)
        yield frame
      }
    }
    return { info: source.info, close: () => source.close(), [Symbol.asyncIterator]: frames }
  }

  /** Spent so far in `write` and `finish`; the source video's frames are written while the source is read. */
  get writeSeconds(): number {
    return this.#writeMs / 1000
  }

  write(frame: DepthMap): Promise<void> {
    return this.#timed(() => this.#depth.write(frame))
  }

  /** Resolves with all finished paths, the source video first. An abort of `signal` ends a second pass over long videos too. */
  async finish(signal: AbortSignal): Promise<readonly string[]> {
    const stop = (): void => void this.#depth.abort()
    signal.addEventListener('abort', stop, { once: true })
    try {
      signal.throwIfAborted()
      return await this.#timed(async () => {
        await this.#recording.complete()
        const depth = await this.#depth.finish()
        return [await this.#recording.finish(), ...depth]
      })
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  async abort(): Promise<void> {
    await Promise.all([this.#depth.abort(), this.#recording.abort()])
  }

  async #timed<T>(action: () => Promise<T>): Promise<T> {
    const started = performance.now()
    try {
      return await action()
    } finally {
      this.#writeMs += performance.now() - started
    }
  }
}
