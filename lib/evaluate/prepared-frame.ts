// Owns: a predicted and a true frame made comparable: same size, which pixels count, both in the space of the fit.
// Must not know: other frames, what comes of the comparison.

import { invalidOption, VideoDepthError } from '../base/errors.js'
import type { ComparedMaps } from './compared-maps.js'
import type { ResolvedEvaluation } from './evaluation-options.js'
import { checkPlane, cropped, resized, type Plane } from './plane.js'

/** One frame of a video, predicted and true. Neither is changed or kept. */
export interface FramePair {
  /** Disparity (larger is nearer) or metres, finite where the truth counts; of any size: it is scaled to the truth's. */
  readonly prediction: Plane<Float32Array>
  /** Metres; 0, negative, NaN and infinite values do not count. */
  readonly truth: Plane
  /** Where 0 the truth does not count; of the truth's size before the crop. Default: all of it may count. */
  readonly mask?: Plane<Uint8Array> | undefined
}

export interface PreparedFrame {
  /** Pixels, after the crop. */
  readonly width: number
  readonly height: number
  /** 1 where the truth counts, else 0. */
  readonly valid: Uint8Array
  readonly pixels: number
  /** Metres. */
  readonly truth: Float32Array | Float64Array
  /** The prediction, disparity or metres by `inDepth`, and the same of the truth where it counts. */
  readonly x: Float64Array
  readonly y: Float64Array
}

/** Whether a line is fitted to depth, and not to disparity. */
export function inDepth({ alignment, space }: ResolvedEvaluation): boolean {
  return space === 'depth' || alignment === 'median' || alignment === 'none'
}

/**
 * @param index of the frame, for messages
 * @throws VideoDepthError INVALID_OPTION sizes that do not fit; DEPTH_NOT_FINITE a prediction that is NaN or infinite where
 *   the truth counts: scores of the rest would flatter it
 */
export function preparedFrame(pair: FramePair, options: ResolvedEvaluation, index: number): PreparedFrame {
  const { prediction, truth: wholeTruth, mask } = pair
  checkPlane(prediction, 'prediction')
  checkPlane(wholeTruth, 'truth')
  const truth = cropped(wholeTruth, options.crop)
  const { width, height } = truth
  const shown = options.cropPrediction ? cropped(prediction, options.crop) : prediction
  const { data } = resized(shown, width, height)
  const valid = validPixels(truth, options)
  if (mask !== undefined) applyMask(valid, mask, wholeTruth, options)
  const pixels = valid.reduce((sum, value) => sum + value, 0)
  checkFinite(data, valid, index)
  return { width, height, valid, pixels, truth: truth.data, ...inSpace(data, truth.data, valid, options) }
}

function validPixels({ data }: Plane, { minDepth, maxDepth }: ResolvedEvaluation): Uint8Array {
  const valid = new Uint8Array(data.length)
  for (let i = 0; i < data.length; i++) {
    const depth = data[i] as number
    if (depth > minDepth && depth < maxDepth) valid[i] = 1 // false for NaN; infinity is never below the limit
  }
  return valid
}

function applyMask(valid: Uint8Array, mask: Plane<Uint8Array>, truth: Plane, { crop }: ResolvedEvaluation): void {
  checkPlane(mask, 'mask')
  if (mask.width !== truth.width || mask.height !== truth.height)
    throw invalidOption(`the truth's size (${truth.width}×${truth.height})`, 'mask', `${mask.width}×${mask.height}`)
  const { data } = cropped(mask, crop)
  for (let i = 0; i < valid.length; i++) if (data[i] === 0) valid[i] = 0
}

function checkFinite(prediction: Float32Array, valid: Uint8Array, index: number): void {
  let bad = 0
  for (let i = 0; i < valid.length; i++) if (valid[i] === 1 && !Number.isFinite(prediction[i])) bad++
  if (bad === 0) return
  throw new VideoDepthError(
    'DEPTH_NOT_FINITE',
    `Expected finite numbers for the prediction of frame ${index}, received ${bad} that are NaN or infinite`,
  )
}

/** Predicted and true disparity, not aligned, whatever the options say of alignment. @throws as `preparedFrame` */
export function disparityMaps(pair: FramePair, options: ResolvedEvaluation, index: number): ComparedMaps {
  const { x, y, valid, width, height } = preparedFrame(
    pair,
    { ...options, alignment: 'video', space: 'disparity' },
    index,
  )
  return { prediction: x, truth: y, valid, width, height }
}

/** Added to true depth before it is inverted (upstream's benchmark/eval/eval.py). Metres. */
const inverseGuard = 1e-8

function inSpace(
  prediction: Float32Array,
  truth: Float32Array | Float64Array,
  valid: Uint8Array,
  options: ResolvedEvaluation,
): Pick<PreparedFrame, 'x' | 'y'> {
  const { kind, minDepth } = options
  const minDisparity = Math.fround(options.minDisparity) // predictions are float32, and so is their bound upstream
  const depthSpace = inDepth(options)
  const isInverted = depthSpace === (kind === 'disparity')
  const [x, y] = [new Float64Array(valid.length), new Float64Array(valid.length)]
  for (let i = 0; i < valid.length; i++) {
    const value = prediction[i] as number
    const bounded =
      kind === 'disparity' ? Math.max(value, minDisparity) : isInverted ? Math.max(value, minDepth) : value
    x[i] = isInverted ? 1 / bounded : bounded
    if (valid[i] === 0) continue
    y[i] = depthSpace ? (truth[i] as number) : 1 / ((truth[i] as number) + inverseGuard)
  }
  return { x, y }
}
