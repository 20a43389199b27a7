// Owns: `video-depth eval`: depth against true depth, of one video or of a data set.
// Must not know: file formats, how anything is measured.

import { counted } from '../../base/counted.js'
import { Command } from 'commander'
import { invalidOption, optionConflict, VideoDepthError } from '../../base/errors.js'
import { resolveEvaluation } from '../../evaluate/evaluation-options.js'
import type { EvaluationResult } from '../../evaluate/depth-evaluation.js'
import { evaluateVideo, measureNames, type Measure, type EvaluationFrame } from '../../evaluate/video-evaluation.js'
import type { DepthKind } from '../../base/frame.js'
import { jsonLine, shown } from '../../base/outside-text.js'
import { evalFolder, writeEvaluation } from './eval-files.js'
import { evalVideos, statedKind, type EvalVideo } from './eval-inputs.js'
import { addEvalOptions, evalSettings, type EvalArguments, type EvalSettings } from './eval-options.js'
import { means, table, videoObject, type EvaluatedVideo } from './eval-report.js'
import { exitCode } from '../exit-code.js'
import { interruptible } from '../interrupt.js'
import { ProgressLine } from '../progress.js'
import { say, sayJson } from '../tell.js'

export function evalCommand(): Command {
  const command = new Command('eval')
    .description('Compare depth with true depth: accuracy, steadiness, sharpness.')
    .argument(
      '<prediction>',
      'depth of a video (.npz, .npy, .f32, or a folder), or a folder of predictions of a data set',
    )
    .action(async (prediction: string, options: EvalArguments) => {
      process.exitCode = await interruptible((signal) => evaluate(prediction, options, signal))
    })
  return addEvalOptions(command)
}

async function evaluate(prediction: string, options: EvalArguments, signal: AbortSignal): Promise<number> {
  const settings = evalSettings(options)
  const videos = await evalVideos(prediction, options, settings)
  const folder = options.output === undefined ? undefined : await evalFolder(options.output)
  try {
    const done: EvaluatedVideo[] = []
    const progress = new ProgressLine(process.stderr)
    try {
      for (const video of videos) done.push(await evaluated(video, options, settings, progress, signal))
    } finally {
      progress.end()
    }
    const object = summary(prediction, options, settings, done)
    const files = folder === undefined ? [] : await writeEvaluation(folder, jsonLine(object), done, settings.frames[0])
    if (options.json) sayJson(object)
    else say(table(done) + files.map((file) => `  ${shown(file)}\n`).join(''))
    return exitCode.ok
  } catch (error) {
    await folder?.discard()
    throw error
  }
}

async function evaluated(
  video: EvalVideo,
  options: EvalArguments,
  settings: EvalSettings,
  progress: ProgressLine,
  signal: AbortSignal,
): Promise<EvaluatedVideo> {
  const stated = statedKind('prediction', '--kind', video.kind, options.kind)
  const depth = { ...settings.depth, kind: stated ?? ('disparity' as const) }
  const measures = measuresOf(video, settings)
  async function* frames(): AsyncGenerator<EvaluationFrame> {
    let index = 0
    for await (const frame of video.frames()) {
      signal.throwIfAborted()
      progress.step(`${video.name}: ${++index}/${video.length}`)
      yield frame
    }
  }
  const result = await evaluateVideo(frames, {
    depth,
    measures,
    stitching: options.stitching,
    firstFrame: settings.frames[0],
  })
  checkDirection(video, result.depth, stated)
  const { minDepth, maxDepth, alignment } = resolveEvaluation(depth)
  if (result.depth.pixels > 0) return { name: video.name, kind: depth.kind, alignment, result }
  throw invalidOption(
    `truth between ${minDepth} and ${maxDepth} m (is the factor right?)`,
    video.name,
    `none in ${counted(result.depth.frames, 'frame')}`,
  )
}

/** What a measure needs of a manifest. */
const needs: Partial<Record<Measure, { readonly has: (video: EvalVideo) => boolean; readonly what: string }>> = {
  tae: { has: ({ hasPoses }) => hasPoses, what: 'K and pose of every frame' },
  flow: { has: ({ hasFlow }) => hasFlow, what: 'flow of every frame but the last' },
  recall: { has: ({ hasMattes }) => hasMattes, what: 'matte of every frame' },
}

function measuresOf(video: EvalVideo, { measures }: EvalSettings): readonly Measure[] {
  const has = (measure: Measure): boolean => needs[measure]?.has(video) ?? true
  if (measures === undefined) return (['tae'] as const).filter(has)
  if (measures === 'all') return measureNames.filter(has)
  const lacking = measures.find((measure) => !has(measure))
  if (lacking === undefined) return measures
  throw optionConflict(`--measures ${lacking} needs a manifest with ${needs[lacking]?.what}: ${video.name} has none`)
}

/** Where a kind is only assumed: depth taken as disparity, or the reverse, falls where the truth rises. */
function checkDirection(video: EvalVideo, { perFrame, pixels }: EvaluationResult, stated: DepthKind | undefined): void {
  const isSure = stated === 'metric' || (stated === 'disparity' && video.isTruthSure)
  const reversed = perFrame.reduce((sum, frame) => sum + (frame.isReversed ? frame.pixels : 0), 0)
  if (isSure || 2 * reversed <= pixels) return
  const assumed = [
    ...(stated === undefined ? ['the prediction is disparity (else --kind metric)'] : []),
    ...(video.isTruthSure ? [] : ['the truth is metric depth (else --truth-kind disparity)']),
  ]
  throw new VideoDepthError(
    'INVALID_OPTION',
    `The prediction ${video.name} is far where the truth is near. The files do not say that ${assumed.join(' or that ')}. ` +
      'If it is so nevertheless, say it by --kind and --truth-kind',
  )
}

function summary(
  prediction: string,
  { truth, manifest }: EvalArguments,
  { depth, protocol, frames }: EvalSettings,
  videos: readonly EvaluatedVideo[],
): object {
  const { space, minDepth, maxDepth, minDisparity, crop, cropPrediction } = resolveEvaluation(depth)
  return {
    prediction,
    truth: truth ?? manifest ?? null,
    protocol: protocol?.name ?? null,
    options: { space, minDepth, maxDepth: finite(maxDepth), minDisparity, crop: crop ?? null, cropPrediction },
    frames: frames.map(finite),
    mean: means(videos),
    videos: videos.map(videoObject),
  }
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null)
