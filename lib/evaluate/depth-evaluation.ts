// Owns: the evaluation of one video's depth, frame by frame: alignment, scores, aligned depth for further measures.
// Must not know: files, data sets, other videos.

import { frameScores, videoScores, type DepthScores, type FrameScores } from './depth-scores.js'
import type { LineFit } from './depth-error.js'
import { resolveEvaluation, type EvaluationOptions, type ResolvedEvaluation } from './evaluation-options.js'
import { LineMoments, type Fit } from './line-moments.js'
import { inDepth, preparedFrame, type FramePair, type PreparedFrame } from './prepared-frame.js'

/** A frame after alignment, for measures of several frames. */
export interface AlignedFrame {
  /** Position among the frames that were added, from 0. */
  readonly index: number
  /** Pixels, after the crop. */
  readonly width: number
  readonly height: number
  /** [height, width] predicted depth, metres, within minDepth…maxDepth. */
  readonly depth: Float64Array
  /** [height, width] true depth, metres, as it came. */
  readonly truth: Float32Array | Float64Array
  /** [height, width] 1 where the truth counts, else 0. */
  readonly valid: Uint8Array
}

export interface FrameResult extends FrameScores {
  readonly index: number
  /** What this frame was aligned by. */
  readonly aligned: LineFit
  /** The scale and shift that would fit this frame alone (`median`: its ratio of medians): their change is drift and flicker. */
  readonly own: Fit
  /** What should be near is far: correlation with the truth, in the space of the fit, below −½. */
  readonly isReversed: boolean
}

export interface EvaluationResult extends DepthScores {
  readonly frames: number
  /** Frames with at least one valid pixel: those that the scores are over. */
  readonly validFrames: number
  readonly pixels: number
  /** The line of alignment `video`; undefined for the others, which have one for each frame or none. */
  readonly fit: Fit | undefined
  readonly perFrame: readonly FrameResult[]
}

/**
 * Compares a video with the truth without keeping its frames. With alignment `video` all frames go to `observe` first, then
 * again, in the same order, to `add`; otherwise `add` alone is enough. All arithmetic is in float64.
 */
export class DepthEvaluation {
  readonly options: ResolvedEvaluation
  readonly #moments = new LineMoments()
  readonly #perFrame: FrameResult[] = []
  #observed = 0
  #fit: Fit | undefined

  /** @throws VideoDepthError INVALID_OPTION */
  constructor(options: EvaluationOptions = {}) {
    this.options = resolveEvaluation(options)
  }

  /** Whether `observe` must see all frames before the first `add`. */
  get needsTwoPasses(): boolean {
    return this.options.alignment === 'video'
  }

  /** First pass. @throws VideoDepthError INVALID_OPTION, DEPTH_NOT_FINITE as `preparedFrame` */
  observe(pair: FramePair): void {
    if (this.#perFrame.length > 0) throw new Error('observe() comes before add()')
    const { x, y, valid } = preparedFrame(pair, this.options, this.#observed++)
    this.#moments.merge(LineMoments.of(x, y, valid))
  }

  /** Second pass, or the only one. @throws as `observe` */
  add(pair: FramePair): AlignedFrame {
    const index = this.#perFrame.length
    if (this.needsTwoPasses && index >= this.#observed)
      throw new Error(`frame ${index} was not observed, ${this.#observed} were`)
    const frame = preparedFrame(pair, this.options, index)
    const line = LineMoments.of(frame.x, frame.y, frame.valid).fit()
    const own = this.options.alignment === 'median' ? medianFit(frame) : line
    const aligned = this.#alignment(own)
    const depth = this.#aligned(frame.x, aligned)
    this.#perFrame.push({
      index,
      ...frameScores(depth, frame.truth, frame.valid),
      aligned,
      own,
      isReversed: isReversed(frame, line),
    })
    const { width, height, truth, valid } = frame
    return { index, width, height, depth, truth, valid }
  }

  /** The scores of the frames so far: they are NaN where no frame has a valid pixel. */
  result(): EvaluationResult {
    const perFrame = [...this.#perFrame]
    if (this.needsTwoPasses && perFrame.length !== this.#observed)
      throw new Error(`${perFrame.length} frames were added, ${this.#observed} observed`)
    return {
      ...videoScores(perFrame),
      frames: perFrame.length,
      validFrames: perFrame.filter(({ pixels }) => pixels > 0).length,
      pixels: perFrame.reduce((sum, { pixels }) => sum + pixels, 0),
      fit: this.needsTwoPasses ? this.#moments.fit() : undefined,
      perFrame,
    }
  }

  #alignment(own: Fit): LineFit {
    const { alignment } = this.options
    if (alignment === 'none') return { scale: 1, shift: 0 }
    const { scale, shift } = alignment === 'video' ? (this.#fit ??= this.#moments.fit()) : own
    return { scale, shift }
  }

  #aligned(x: Float64Array, { scale, shift }: LineFit): Float64Array {
    const { minDepth, maxDepth, minDisparity } = this.options
    const isDepth = inDepth(this.options)
    const depth = new Float64Array(x.length)
    for (let i = 0; i < x.length; i++) {
      const value = scale * (x[i] as number) + shift
      const metres = isDepth ? value : 1 / Math.max(value, minDisparity)
      depth[i] = Math.min(Math.max(metres, minDepth), maxDepth)
    }
    return depth
  }
}

/** The same for frames that are in memory. */
export function evaluateFrames(pairs: readonly FramePair[], options: EvaluationOptions = {}): EvaluationResult {
  const evaluation = new DepthEvaluation(options)
  if (evaluation.needsTwoPasses) for (const pair of pairs) evaluation.observe(pair)
  for (const pair of pairs) evaluation.add(pair)
  return evaluation.result()
}

/** The slopes of both regressions multiply to the square of the correlation. */
function isReversed({ x, y, valid }: PreparedFrame, { scale }: Fit): boolean {
  return scale < 0 && scale * LineMoments.of(y, x, valid).fit().scale > 1 / 4
}

function medianFit({ x, y, valid, pixels }: PreparedFrame): Fit {
  const scale = pixels === 0 ? NaN : median(chosen(y, valid, pixels)) / median(chosen(x, valid, pixels))
  const degenerate = !(Number.isFinite(scale) && scale > 0)
  return { scale: degenerate ? 1 : scale, shift: 0, degenerate }
}

function chosen(values: Float64Array, valid: Uint8Array, count: number): Float64Array {
  const picked = new Float64Array(count)
  let next = 0
  for (let i = 0; i < valid.length; i++) if (valid[i] === 1) picked[next++] = values[i] as number
  return picked
}

/** Sorts in place; the mean of the middle two where their number is even. */
function median(values: Float64Array): number {
  values.sort()
  const middle = values.length >> 1
  const upper = values[middle] as number
  return values.length % 2 === 1 ? upper : (upper + (values[middle - 1] as number)) / 2
}
