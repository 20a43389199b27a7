// Owns: the progress line of a terminal.
// Must not know: what progresses.

import { counted } from '../base/counted.js'
import type { ProcessProgress } from '../video/process-options.js'
import { overwriteLine } from './tell.js'

const updateIntervalMs = 100

/** A bar with frames per second and time left on a terminal, nothing in a pipe. */
export class ProgressLine {
  readonly #out: NodeJS.WriteStream
  /** The first report of frames: what came before it, loading above all, is not counted into the rate. */
  #start: { readonly ms: number; readonly framesEncoded: number } | undefined
  #lastMs = Number.NEGATIVE_INFINITY
  #shown = false

  constructor(out: NodeJS.WriteStream) {
    this.#out = out
  }

  get #active(): boolean {
    return this.#out.isTTY
  }

  /** One line for a step that has no frames: loading, converting, writing. */
  step(text: string): void {
    this.#show(text, true)
  }

  frames({ framesEncoded, framesOut, frameCount }: ProcessProgress): void {
    this.#start ??= { ms: performance.now(), framesEncoded }
    const seconds = (performance.now() - this.#start.ms) / 1000
    const rate = (framesEncoded - this.#start.framesEncoded) / seconds
    const speed = `${rate > 0 && rate < Infinity ? rate.toFixed(2) : '?'} fps`
    const total = frameCount ?? 0
    if (total === 0) {
      this.#show(`${counted(framesOut, 'frame')}  ${speed}`, false)
      return
    }
    const left = framesOut >= total ? 0 : (total - framesEncoded) / rate
    const done = Math.min(1, framesEncoded / total)
    const text = `${bar(done)} ${framesOut}/${total} frames  ${speed}  ${duration(left)} left`
    this.#show(text, framesOut >= total)
  }

  /** Leaves the cursor on a fresh line. */
  end(): void {
    if (this.#shown) this.#out.write('\n')
    this.#shown = false
  }

  #show(text: string, now: boolean): void {
    const time = performance.now()
    if (!this.#active || (!now && time - this.#lastMs < updateIntervalMs)) return
    this.#lastMs = time
    this.#shown = true
    overwriteLine(text, this.#out)
  }
}

function bar(fraction: number): string {
  const width = 24
  const filled = Math.round(fraction * width)
  return `[${'█'.repeat(filled)}${'·'.repeat(width - filled)}]`
}

export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?'
  const whole = Math.ceil(seconds)
  const minutes = Math.floor(whole / 60)
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`
}
