// Owns: what a person sees of a build that takes minutes: a line on a terminal, one line a step in a log.
// Must not know: what is built.

import type { LoadProgress } from '../../engine/engine.js'
import { shown } from '../../base/outside-text.js'
import { progressText } from '../engine-text.js'
import { duration, ProgressLine } from '../progress.js'
import { tell } from '../tell.js'

export class BuildProgress {
  readonly #out: NodeJS.WriteStream
  readonly #line: ProgressLine
  readonly #startMs = performance.now()
  #lastStep = ''

  constructor(out: NodeJS.WriteStream) {
    this.#out = out
    this.#line = new ProgressLine(out)
  }

  report(progress: LoadProgress): void {
    const elapsed = duration((performance.now() - this.#startMs) / 1000)
    if (this.#out.isTTY) {
      this.#line.step(`${elapsed}  ${progressText(progress)}`)
      return
    }
    const { phase, detail = '' } = progress
    const [step = ''] = detail.split(': ') // what follows is TensorRT's own phase, of which there are dozens
    if (`${phase} ${step}` === this.#lastStep) return
    this.#lastStep = `${phase} ${step}`
    tell(`${elapsed}  ${phase}${step === '' ? '' : `: ${shown(step)}`}\n`, this.#out)
  }

  end(): void {
    this.#line.end()
  }
}
