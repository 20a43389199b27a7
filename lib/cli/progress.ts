// Owns: the progress line of a terminal.
// Must not know: what progresses.

import type { ProcessProgress } from '../options.js'

const updateIntervalMs = 100

/** A bar with frames per second and time left on a terminal, nothing in a pipe. */
export class ProgressLine {
  readonly #out: NodeJS.WriteStream
  readonly #started = performance.now()
  #lastMs = Number.NEGATIVE_INFINITY
  #shown = false

  constructor(out: NodeJS.WriteStream) {
    this.#out = out
  }

  get #active(): boolean {
    return this.#out.isTTY
  }

  /** One line for a step that has no frames: loading, converting. */
  step(text: string): void {
    this.#show(text, true)
  }

  frames({ framesEncoded, framesOut, frameCount }: ProcessProgress): void {
    const seconds = (performance.now() - this.#started) / 1000
    const rate = framesEncoded / seconds
    const total = frameCount ?? 0
    if (total === 0) {
      this.#show(`${framesOut} frames  ${rate.toFixed(2)} fps`, false)
      return
    }
    const left = framesOut >= total ? 0 : (total - framesEncoded) / rate
    const done = Math.min(1, framesEncoded / total)
    const text = `${bar(done)} ${framesOut}/${total} frames  ${rate.toFixed(2)} fps  ${duration(left)} left`
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
    this.#out.write(`\r\u001b[K${text.slice(0, Math.max(20, this.#out.columns - 1))}`)
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
