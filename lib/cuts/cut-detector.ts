// Owns: when a video's content changes so much that a new scene begins: PySceneDetect's ContentDetector.
// Must not know: how pixels are compared, what is done about a cut.

import { loadAddon } from '../native/addon.js'
import { invalidOption } from '../base/errors.js'
import type { SceneMark } from '../base/frame.js'
import { known } from '../base/known-options.js'
import type { ContentDifference, NativeContentMeter } from '../native/types.js'
import type { NativePicture } from '../base/pixel-format.js'

/**
 * PySceneDetect's ContentDetector with its default weights (hue, saturation and value alike, no edges) and its filter mode
 * SUPPRESS, the one that needs no later frames.
 */
export interface SceneCutOptions {
  /** Content score from which a frame begins a new scene, above 0, at most 255. Default 27. */
  readonly threshold?: number
  /** Least frames in a scene, from 1; a cut that comes sooner is passed over. Default 15. */
  readonly minLength?: number
}

export type SceneCutRule = Required<SceneCutOptions>

/** @returns undefined where cuts are not to be looked for */
export function checkSceneCuts(option: boolean | SceneCutOptions | undefined): SceneCutRule | undefined {
  if (option === undefined || option === false) return undefined
  const { threshold = 27, minLength = 15 } = option === true ? {} : checked(option)
  if (!(threshold > 0 && threshold <= 255)) throw invalidOption('a number above 0, at most 255', 'threshold', threshold)
  if (!Number.isSafeInteger(minLength) || minLength < 1)
    throw invalidOption('a whole number of frames from 1', 'minLength', minLength)
  return { threshold, minLength }
}

function checked(option: SceneCutOptions): SceneCutOptions {
  known(option, 'sceneCuts', { threshold: true, minLength: true })
  return option
}

export function contentScore({ hue, saturation, value }: ContentDifference): number {
  return (hue + saturation + value) / 3
}

/** What the detector found of one frame. */
export type CutDecision = Pick<SceneMark, 'cut' | 'contentScore'>

/** Decides on frames in order. One call at a time. */
export class CutDetector {
  readonly #rule: SceneCutRule
  readonly #meter: NativeContentMeter
  #sceneLength = 0

  constructor(rule: SceneCutRule, meter: NativeContentMeter = new (loadAddon().ContentMeter)()) {
    this.#rule = rule
    this.#meter = meter
  }

  /** Frames of the present scene so far. */
  get sceneLength(): number {
    return this.#sceneLength
  }

  /** The picture must not change before the promise settles. */
  async next(picture: NativePicture): Promise<CutDecision> {
    const difference = await this.#meter.measure(picture)
    const score = difference === null ? undefined : contentScore(difference)
    const cut = score !== undefined && score >= this.#rule.threshold && this.#sceneLength >= this.#rule.minLength
    this.#sceneLength = cut ? 1 : this.#sceneLength + 1
    return { cut, contentScore: score }
  }

  /** A new scene begins with the next frame, whatever it shows. */
  begin(): void {
    this.#meter.reset()
    this.#sceneLength = 0
  }

  /** Goes on in a scene of `sceneLength` frames, of which `last` is the last. */
  async resume(sceneLength: number, last: NativePicture): Promise<void> {
    this.begin()
    await this.#meter.measure(last)
    this.#sceneLength = sceneLength
  }
}
