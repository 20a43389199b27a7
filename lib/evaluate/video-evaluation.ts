// Owns: all measures of one video in two passes over its frames.
// Must not know: files, data sets, how results are shown.

import { invalidOption } from '../base/errors.js'
import { known, oneOf, type Names } from '../base/known-options.js'
import { stitchings, windowStrategy, type Stitching } from '../plan/strategy.js'
import { boundaryF1, boundaryRecall } from './boundary.js'
import type { ComparedMaps } from './compared-maps.js'
import { DepthEvaluation, type AlignedFrame, type EvaluationResult } from './depth-evaluation.js'
import { derivativeErrors, type DerivativeErrors } from './derivative-errors.js'
import type { EvaluationOptions } from './evaluation-options.js'
import { FlowError, type FlowErrors } from './flow-errors.js'
import type { Matrix4 } from './matrix4.js'
import { disparityMaps, type FramePair } from './prepared-frame.js'
import { TemporalAlignmentError, type Intrinsics, type TemporalAlignment } from './temporal-alignment.js'
import { TrainingLoss, type TrainingLosses } from './training-loss.js'
import { SeamError, seamSteps, type SeamErrors } from './window-seams.js'

export const measureNames = ['tae', 'boundary', 'recall', 'derivatives', 'loss', 'seams', 'flow'] as const

/**
 * What can be measured beside the scores of depth, which always are.
 *
 * @useDeclaredType
 */
export type Measure = (typeof measureNames)[number]

/** A predicted and a true frame, and what the measures need beside them. */
export interface EvaluationFrame extends FramePair {
  /** For `tae`: camera to world. */
  readonly pose?: Matrix4 | undefined
  /** For `tae`; upstream does not move the principal point by the crop, and neither is it moved here. */
  readonly intrinsics?: Intrinsics | undefined
  /** For `tae`, after the crop: where 0 the frame is not compared with its neighbours. */
  readonly staticMask?: Uint8Array | undefined
  /** For `flow`, after the crop: where each pixel goes until the next frame, [height, width, 2]; not of the last frame. */
  readonly flow?: Float32Array | undefined
  /** For `recall`, after the crop: opacity of what is in front, 0…1. */
  readonly matte?: Float32Array | undefined
}

const frameNames: Names<EvaluationFrame> = {
  prediction: true,
  truth: true,
  mask: true,
  pose: true,
  intrinsics: true,
  staticMask: true,
  flow: true,
  matte: true,
}

/** Options of `evaluateVideo`. */
export interface VideoEvaluationOptions {
  /** How depth is aligned, and which pixels count. */
  readonly depth?: EvaluationOptions
  /** Beside the scores of depth; default: none. */
  readonly measures?: readonly Measure[]
  /** How the windows of the video lie, for `seams`; default `upstream`. */
  readonly stitching?: Stitching
  /** Frames of the video before the first that is given, for `seams`; default 0. */
  readonly firstFrame?: number
}

/** F1 of occluding boundaries, 0…1: 1 is best. */
export interface BoundaryResult {
  /** Mean of `perFrame`. */
  readonly f1: number
  readonly perFrame: readonly number[]
}

/** Recall of the boundaries of mattes, 0…1: 1 is best. */
export interface RecallResult {
  /** Mean of `perFrame`. */
  readonly recall: number
  readonly perFrame: readonly number[]
}

/** A measure that was not asked for is undefined. */
export interface VideoEvaluation {
  readonly depth: EvaluationResult
  readonly tae: TemporalAlignment | undefined
  readonly boundary: BoundaryResult | undefined
  readonly recall: RecallResult | undefined
  /** Means over the frames that have pixels to compare. */
  readonly derivatives: DerivativeErrors | undefined
  readonly loss: TrainingLosses | undefined
  readonly seams: SeamErrors | undefined
  /** Errors of aligned depth, metres. */
  readonly flow: FlowErrors | undefined
}

/**
 * @param frames gives all frames in order each time that it is called: once, or twice where alignment or the loss needs it.
 *   Only two frames are in memory at a time.
 * @throws VideoDepthError INVALID_OPTION a frame lacks what a measure needs, or has another size; DEPTH_NOT_FINITE
 */
export async function evaluateVideo(
  frames: () => AsyncIterable<EvaluationFrame> | Iterable<EvaluationFrame>,
  options: VideoEvaluationOptions = {},
): Promise<VideoEvaluation> {
  if (typeof frames !== 'function') throw invalidOption('a function that gives frames', 'frames', frames)
  if (typeof options !== 'object' || (options as unknown) === null) throw invalidOption('an object', 'options', options)
  check(options)
  const evaluation = new DepthEvaluation(options.depth)
  const measures = new Measures(options.measures ?? [])
  if (evaluation.needsTwoPasses || measures.loss !== undefined) {
    let index = 0
    for await (const frame of opened(frames)) {
      if (evaluation.needsTwoPasses) evaluation.observe(frame)
      measures.loss?.observe(disparityMaps(frame, evaluation.options, index++))
    }
  }
  for await (const frame of opened(frames)) {
    known(frame, 'frame', frameNames)
    const aligned = evaluation.add(frame)
    measures.loss?.add(disparityMaps(frame, evaluation.options, aligned.index))
    measures.add(aligned, frame)
  }
  return measures.result(evaluation.result(), options)
}

function opened(frames: () => AsyncIterable<EvaluationFrame> | Iterable<EvaluationFrame>) {
  const given: unknown = frames()
  if (typeof given === 'object' && given !== null && (Symbol.asyncIterator in given || Symbol.iterator in given))
    return given as AsyncIterable<EvaluationFrame>
  throw invalidOption('a function that gives frames', 'frames', given)
}

const optionNames: Names<VideoEvaluationOptions> = { depth: true, measures: true, stitching: true, firstFrame: true }

function check(options: VideoEvaluationOptions): void {
  known(options, 'options', optionNames)
  const { measures, stitching, firstFrame } = options
  const stranger = measures?.find((measure) => !measureNames.includes(measure))
  if (stranger !== undefined) throw invalidOption(`only ${measureNames.join(', ')}`, 'measures', stranger)
  if (stitching !== undefined) oneOf(stitching, 'stitching', stitchings)
  if (firstFrame !== undefined && !(Number.isInteger(firstFrame) && firstFrame >= 0))
    throw invalidOption('a whole number from 0', 'firstFrame', firstFrame)
}

/** Those that were asked for. */
class Measures {
  readonly loss: TrainingLoss | undefined
  readonly #tae: TemporalAlignmentError | undefined
  readonly #flow: FlowError | undefined
  readonly #seams: SeamError | undefined
  readonly #boundary: number[] | undefined
  readonly #recall: number[] | undefined
  readonly #derivatives: DerivativeErrors[] | undefined

  constructor(asked: readonly Measure[]) {
    const when = <T>(name: Measure, make: () => T): T | undefined => (asked.includes(name) ? make() : undefined)
    this.loss = when('loss', () => new TrainingLoss())
    this.#tae = when('tae', () => new TemporalAlignmentError())
    this.#flow = when('flow', () => new FlowError())
    this.#seams = when('seams', () => new SeamError())
    this.#boundary = when('boundary', () => [])
    this.#recall = when('recall', () => [])
    this.#derivatives = when('derivatives', () => [])
  }

  add(aligned: AlignedFrame, { pose, intrinsics, staticMask, flow, matte }: EvaluationFrame): void {
    const { index, depth, width, height, valid, truth } = aligned
    const maps: ComparedMaps = { prediction: depth, truth, valid, width, height }
    if (this.#tae !== undefined) {
      if (pose === undefined || intrinsics === undefined)
        throw invalidOption('a pose and intrinsics of every frame', 'tae', `none of frame ${index}`)
      this.#tae.add({ depth, width, height, pose, intrinsics, mask: staticMask })
    }
    this.#flow?.add({ ...maps, flow })
    this.#seams?.add(maps)
    this.#boundary?.push(boundaryF1(maps))
    if (this.#recall !== undefined) {
      if (matte === undefined) throw invalidOption('a matte of every frame', 'recall', `none of frame ${index}`)
      this.#recall.push(boundaryRecall({ prediction: depth, mask: matte, width, height }))
    }
    this.#derivatives?.push(derivativeErrors(maps))
  }

  result(depth: EvaluationResult, { stitching, firstFrame = 0 }: VideoEvaluationOptions): VideoEvaluation {
    const [boundary, recall, derivatives] = [this.#boundary, this.#recall, this.#derivatives]
    return {
      depth,
      tae: this.#tae?.result(),
      boundary: boundary && { f1: mean(boundary), perFrame: boundary },
      recall: recall && { recall: mean(recall), perFrame: recall },
      derivatives: derivatives && meanDerivatives(derivatives),
      loss: this.loss?.result(),
      seams: this.#seams?.result(seamSteps(windowStrategy(stitching), depth.frames, firstFrame)),
      flow: this.#flow?.result(),
    }
  }
}

function meanDerivatives(found: readonly DerivativeErrors[]): DerivativeErrors {
  const counted = found.filter(({ mage }) => !Number.isNaN(mage))
  return {
    mage: mean(counted.map(({ mage }) => mage)),
    male: mean(counted.map(({ male }) => male)),
    msge: mean(counted.map(({ msge }) => msge)),
  }
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
