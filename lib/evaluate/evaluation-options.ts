// Owns: how predicted depth is compared with true depth: alignment, range, crop; their defaults and checks.
// Must not know: frames, files, data sets.

import { invalidOption } from '../base/errors.js'
import { depthKinds, type DepthKind } from '../base/frame.js'
import { known, type Names } from '../base/known-options.js'

export const alignmentModes = ['video', 'frame', 'median', 'none'] as const

/**
 * How a prediction without a scale becomes metres before it is compared.
 *
 * - `video`: one scale and shift for all frames, by least squares (what Video Depth Anything and DepthCrafter do).
 * - `frame`: a scale and shift for each frame; hides flicker.
 * - `median`: a scale for each frame, the truth's median depth over the prediction's (Zhou et al. 2017).
 * - `none`: the prediction is in metres (disparity: 1/metres) already.
 *
 * @useDeclaredType
 */
export type AlignmentMode = (typeof alignmentModes)[number]

export const alignmentSpaces = ['disparity', 'depth'] as const

/**
 * What the line of `video` and `frame` is fitted to: 1/depth, or depth. `median` always takes depth.
 *
 * @useDeclaredType
 */
export type AlignmentSpace = (typeof alignmentSpaces)[number]

/** A range of rows or columns, `[from, to)`, as NumPy slices: negative counts from the end, what lies beyond is clamped. */
export type Slice = readonly [from: number, to: number]

/** The part of the true depth map that is compared. */
export interface Crop {
  readonly rows: Slice
  readonly columns: Slice
}

/** How depth is aligned with the truth, and which pixels count. */
export interface EvaluationOptions {
  /** What the predictions are; default `disparity`. */
  readonly kind?: DepthKind
  /** Default `video` for disparity, `none` for metric depth. */
  readonly alignment?: AlignmentMode
  /** Default `disparity`, as upstream. */
  readonly space?: AlignmentSpace
  /** True depth must be greater than this to count, and predicted depth is raised to it. Metres, default 0.001. */
  readonly minDepth?: number
  /** True depth must be less than this to count, and predicted depth is lowered to it. Metres, default: no limit. */
  readonly maxDepth?: number
  /** Disparity is raised to this before and after alignment. Default 0.001, as upstream. */
  readonly minDisparity?: number
  /** Default: everything. */
  readonly crop?: Crop | undefined
  /**
   * Whether predictions show the whole frame and are cropped like the truth. Default false, as upstream: they show what is
   * left of the frame after the crop.
   */
  readonly cropPrediction?: boolean
}

export type ResolvedEvaluation = Required<EvaluationOptions>

const optionNames: Names<EvaluationOptions> = {
  kind: true,
  alignment: true,
  space: true,
  minDepth: true,
  maxDepth: true,
  minDisparity: true,
  crop: true,
  cropPrediction: true,
}

/** Upstream's bounds (benchmark/eval/eval.py): of valid depth and of disparity. */
const least = 1e-3

/** @throws VideoDepthError INVALID_OPTION */
export function resolveEvaluation(options: EvaluationOptions): ResolvedEvaluation {
  known(options, 'options', optionNames)
  const kind = options.kind ?? 'disparity'
  const resolved = {
    kind: oneOf(depthKinds, 'kind', kind),
    alignment: oneOf(alignmentModes, 'alignment', options.alignment ?? (kind === 'disparity' ? 'video' : 'none')),
    space: oneOf(alignmentSpaces, 'space', options.space ?? 'disparity'),
    minDepth: positive('minDepth', options.minDepth ?? least),
    maxDepth: options.maxDepth ?? Infinity,
    minDisparity: positive('minDisparity', options.minDisparity ?? least),
    crop: options.crop,
    cropPrediction: options.cropPrediction ?? false,
  }
  if (!(resolved.maxDepth > resolved.minDepth))
    throw invalidOption(`a number above minDepth (${resolved.minDepth})`, 'maxDepth', resolved.maxDepth)
  if (typeof resolved.cropPrediction !== 'boolean')
    throw invalidOption('true or false', 'cropPrediction', resolved.cropPrediction)
  if (resolved.crop !== undefined) checkCrop(resolved.crop)
  return resolved
}

function checkCrop(crop: Crop): void {
  known(crop, 'crop', { rows: true, columns: true })
  for (const name of ['rows', 'columns'] as const) {
    const slice: readonly number[] = crop[name]
    if (!Array.isArray(slice) || slice.length !== 2 || !slice.every(Number.isInteger))
      throw invalidOption('two whole numbers [from, to]', `crop.${name}`, slice)
  }
}

function oneOf<T extends string>(choices: readonly T[], parameter: string, value: T): T {
  if (choices.includes(value)) return value
  throw invalidOption(choices.map((choice) => `'${choice}'`).join(', '), parameter, value)
}

function positive(parameter: string, value: number): number {
  if (value > 0 && Number.isFinite(value)) return value
  throw invalidOption('a positive number', parameter, value)
}
