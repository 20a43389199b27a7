// Owns: the options of `video-depth eval`, and the settings that they come to.
// Must not know: files, how anything is measured or shown.

import { Option, type Command } from 'commander'
import { depthKinds } from '../../base/frame.js'
import { invalidOption, optionConflict } from '../../base/errors.js'
import {
  alignmentModes,
  alignmentSpaces,
  resolveEvaluation,
  type AlignmentMode,
  type AlignmentSpace,
  type Crop,
  type EvaluationOptions,
  type Slice,
} from '../../evaluate/evaluation-options.js'
import { protocolNamed, protocols, type Protocol } from '../../evaluate/protocols.js'
import { measureNames, type Measure } from '../../evaluate/video-evaluation.js'
import type { DepthKind } from '../../base/frame.js'
import { stitchings, type Stitching } from '../../plan/strategy.js'
import { number } from '../options.js'

export interface EvalArguments {
  readonly truth?: string
  readonly manifest?: string
  readonly protocol?: string
  readonly kind?: DepthKind
  readonly truthKind?: DepthKind
  readonly factor?: number
  readonly predictionFactor?: number
  readonly alignment?: AlignmentMode
  readonly space?: AlignmentSpace
  readonly minDepth?: number
  readonly maxDepth?: number
  readonly minDisparity?: number
  readonly crop?: Crop
  readonly cropPrediction?: boolean
  readonly frames?: Slice
  readonly measures?: readonly Measure[] | 'all'
  readonly stitching: Stitching
  readonly skipMissing: boolean
  readonly output?: string
  readonly json: boolean
}

export function addEvalOptions(command: Command): Command {
  return command
    .option('--truth <path>', 'true depth of the video: a folder of PNG, NPY, EXR or PFM, .npz, .npy or .f32')
    .option('--manifest <file>', "instead of --truth: a data set's list of videos, as upstream's kitti_video.json")
    .addOption(
      new Option('--protocol <name>', 'range, crop and frames that are usual for a data set').choices(
        protocols.map(({ name }) => name),
      ),
    )
    .addOption(
      new Option('--kind <kind>', 'what the prediction is (default: what its files say, else disparity)').choices(
        depthKinds,
      ),
    )
    .addOption(
      new Option('--truth-kind <kind>', 'what --truth is (default: what it says, else metric)').choices(depthKinds),
    )
    .option('--factor <n>', "divide the truth's values by this to get metres", number('--factor'))
    .option('--prediction-factor <n>', "divide the prediction's values by this", number('--prediction-factor'))
    .addOption(
      new Option(
        '--alignment <mode>',
        'how the prediction is fitted: once for the video, for each frame, by medians, or not at all',
      ).choices(alignmentModes),
    )
    .addOption(new Option('--space <space>', 'what scale and shift are fitted to').choices(alignmentSpaces))
    .option('--min-depth <metres>', 'nearer truth does not count (default: 0.001)', number('--min-depth'))
    .option('--max-depth <metres>', 'farther truth does not count (default: no limit)', number('--max-depth'))
    .option('--min-disparity <n>', 'disparity is raised to this (default: 0.001)', number('--min-disparity'))
    .option('--crop <rows,columns>', 'the part that counts, such as 45:471,41:601; negative: from the end', crop)
    .option('--crop-prediction', 'predictions show the whole frame: crop them too')
    .option('--frames <from:to>', 'only these frames of each video', slice('--frames'))
    .option(
      '--measures <list>',
      `beside depth: ${measureNames.join(', ')}, or all that the input allows (default: tae where there are poses)`,
      measures,
    )
    .addOption(
      new Option('--stitching <rule>', 'where windows change, for seams').choices(stitchings).default('upstream'),
    )
    .option('--skip-missing', 'leave out frames without a prediction, as upstream does', false)
    .option('-o, --output <dir>', 'write results.json and plots into this folder')
    .option('--json', 'print one object on standard output', false)
}

export interface EvalSettings {
  readonly depth: EvaluationOptions
  readonly protocol: Protocol | undefined
  readonly frames: Slice
  /** `all`: those that the input allows; undefined: the temporal alignment error where there are poses. */
  readonly measures: readonly Measure[] | 'all' | undefined
}

/** @throws VideoDepthError INVALID_OPTION; nothing is opened */
export function evalSettings(options: EvalArguments): EvalSettings {
  const { truth, manifest, kind, alignment, space, minDepth, minDisparity, factor, predictionFactor } = options
  if (truth === undefined && manifest === undefined) throw optionConflict('eval needs --truth or --manifest')
  if (truth !== undefined && manifest !== undefined)
    throw optionConflict('--truth has no effect with --manifest: remove one of them')
  if (manifest !== undefined) needTruth(options, ['factor', 'truthKind'])
  if (truth !== undefined && options.skipMissing) throw optionConflict('--skip-missing needs --manifest')
  for (const [name, value] of [['--factor', factor] as const, ['--prediction-factor', predictionFactor] as const])
    if (value !== undefined && value <= 0) throw invalidOption('a number above 0', name, value)
  const protocol = options.protocol === undefined ? undefined : protocolNamed(options.protocol)
  const maxDepth = options.maxDepth ?? protocol?.maxDepth
  const cropPrediction = options.cropPrediction ?? protocol?.cropPrediction
  const depth: EvaluationOptions = {
    ...(kind !== undefined && { kind }),
    ...(alignment !== undefined && { alignment }),
    ...(space !== undefined && { space }),
    ...(minDepth !== undefined && { minDepth }),
    ...(maxDepth !== undefined && { maxDepth }),
    ...(minDisparity !== undefined && { minDisparity }),
    ...(cropPrediction !== undefined && { cropPrediction }),
    crop: options.crop ?? protocol?.crop,
  }
  resolveEvaluation(depth)
  const frames = options.frames ?? protocol?.frames ?? [0, Infinity]
  return { depth, protocol, frames, measures: options.measures }
}

/** A manifest says these things itself. */
function needTruth(options: EvalArguments, names: readonly (keyof EvalArguments)[]): void {
  const given = names.find((name) => options[name] !== undefined)
  if (given === undefined) return
  const flag = `--${given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
  throw optionConflict(`${flag} needs --truth: a manifest says it itself`)
}

function measures(text: string): Measure[] | 'all' {
  if (text === 'all') return text
  const names = text.split(',').map((name) => name.trim())
  const stranger = names.find((name) => !measureNames.includes(name as Measure))
  if (stranger !== undefined) throw invalidOption(`${measureNames.join(', ')} or all`, '--measures', stranger)
  return names as Measure[]
}

function crop(text: string): Crop {
  const [rows, columns, ...more] = text.split(',')
  if (rows === undefined || columns === undefined || more.length > 0)
    throw invalidOption('rows and columns, such as 45:471,41:601,', '--crop', text)
  return { rows: slice('--crop', true)(rows), columns: slice('--crop', true)(columns) }
}

function slice(parameter: string, mayBeNegative = false): (text: string) => Slice {
  return (text) => {
    const found = /^(-?\d+):(-?\d+)$/.exec(text.trim())
    const [from, to] = [Number(found?.[1]), Number(found?.[2])]
    if (found !== null && (mayBeNegative || (from >= 0 && to > from))) return [from, to]
    throw invalidOption(mayBeNegative ? 'from:to' : 'from:to, counted from 0,', parameter, text)
  }
}
