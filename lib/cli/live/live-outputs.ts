// Owns: the outputs of `live`, each of which goes on without the others.
// Must not know: formats, the source, the network.

import { setTimeout as sleep } from 'node:timers/promises'
import { VideoDepthError } from '../../base/errors.js'
import type { DepthMap } from '../../base/frame.js'
import { errorCode } from '../../io/sinks/output-errors.js'
import { pngSequenceSink } from '../../io/sinks/png-sequence-sink.js'
import { rawStreamSink } from '../../io/sinks/raw-stream-sink.js'
import type { DepthSink } from '../../io/sinks/sink.js'
import { liveVideoSink } from '../../io/sinks/video-sink.js'
import type { LiveArguments } from './live-arguments.js'
import { errorText } from '../tell.js'

/** Time that a reader of standard output has once the end is asked for. Milliseconds. */
const stalledMs = 2000

/** Ctrl-C reaches a pipeline's other programs as well; its signal may come this much after their end. Milliseconds. */
const signalMs = 200

export interface LiveOutput {
  readonly sink: DepthSink
  /** Its reader may go away or stop reading. */
  readonly isPipe: boolean
}

/** @throws what the first output that cannot be opened throws; the others are removed */
export async function openOutputs(
  { video, png, stdout, palette, bright }: Pick<LiveArguments, 'video' | 'png' | 'stdout' | 'palette' | 'bright'>,
  frameRate: number | undefined,
): Promise<LiveOutput[]> {
  const outputs: LiveOutput[] = []
  const add = (sink: DepthSink, isPipe = false): void => void outputs.push({ sink, isPipe })
  try {
    if (video !== undefined) add(await liveVideoSink(video, { palette, bright, range: 'running', frameRate }))
    if (png !== undefined) add(await pngSequenceSink(png))
    if (stdout) add(rawStreamSink(process.stdout), true)
    return outputs
  } catch (error) {
    await Promise.all(outputs.map(({ sink }) => sink.abort()))
    throw error
  }
}

/** Every frame to every output. One that fails is dropped and told of; the others go on. */
export class LiveOutputs {
  readonly #end: AbortSignal
  readonly #say: (text: string) => void
  readonly #failures: unknown[] = []
  #open: readonly LiveOutput[]

  /** @param end asks for the end: from then on nobody has to read what comes. @param say tells of an output that is lost */
  constructor(outputs: readonly LiveOutput[], end: AbortSignal, say: (text: string) => void) {
    this.#open = outputs
    this.#end = end
    this.#say = say
  }

  /** Nothing is left to write to. */
  get areGone(): boolean {
    return this.#open.length === 0
  }

  /** Why outputs were lost. */
  get failures(): readonly unknown[] {
    return this.#failures
  }

  /** Resolves when each output took the frame or is dropped. */
  async write(frame: DepthMap): Promise<void> {
    await this.#each((output) => {
      const writing = output.sink.write(frame)
      return output.isPipe ? this.#unlessStalled(writing) : writing
    })
  }

  /** Completes what is left. */
  async finish(): Promise<void> {
    await this.#each(({ sink }) => sink.finish())
    this.#open = []
  }

  /** Removes what is left. */
  async abort(): Promise<void> {
    await Promise.all(this.#open.map(({ sink }) => sink.abort()))
    this.#open = []
  }

  async #each(action: (output: LiveOutput) => Promise<unknown>): Promise<void> {
    await Promise.all(this.#open.map((output) => action(output).catch((error: unknown) => this.#drop(output, error))))
  }

  async #drop(output: LiveOutput, error: unknown): Promise<void> {
    await output.sink.abort().catch(() => undefined)
    this.#open = this.#open.filter((other) => other !== output)
    if (hasNoReader(error)) {
      await this.#endWithin(signalMs)
      if (this.#end.aborted) return
    }
    this.#failures.push(error)
    this.#say(`${errorText(error)}${this.areGone ? '' : '; the other outputs go on'}`)
  }

  /** A write that is under way when the end is asked for is not waited for without limit. */
  #unlessStalled(writing: Promise<void>): Promise<void> {
    const end = this.#end
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined
      const limit = (): void => {
        timer = setTimeout(() => reject(stalled()), stalledMs)
      }
      const settle = (): void => {
        clearTimeout(timer)
        end.removeEventListener('abort', limit)
      }
      end.addEventListener('abort', limit, { once: true })
      if (end.aborted) limit()
      writing.finally(settle).then(resolve, reject)
    })
  }

  async #endWithin(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#end }).catch(() => undefined)
  }
}

function hasNoReader(error: unknown): boolean {
  return error instanceof VideoDepthError && errorCode(error.cause) === 'EPIPE'
}

function stalled(): VideoDepthError {
  return new VideoDepthError(
    'OUTPUT_UNWRITABLE',
    `Cannot write standard output: its reader took nothing for ${stalledMs / 1000} s after the end, a frame may be cut`,
  )
}
