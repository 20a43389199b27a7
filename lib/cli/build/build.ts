// Owns: `video-depth build`: TensorRT plans ahead of time, or only the graphs that they are built from.
// Must not know: how graphs are made, how plans are built or checked.

import { Command, Option } from 'commander'
import type { EngineInfo } from '../../engine/engine-info.js'
import type { LoadProgress } from '../../engine/engine.js'
import { openEngine } from '../../engine/open-engine.js'
import { exportGraphs, type ExportManifest } from '../../engine/tensorrt/export-graphs.js'
import { streamBatches as batchesUpTo, type PlanSpec } from '../../engine/tensorrt/plan-spec.js'
import type { TensorRtParts } from '../../engine/tensorrt/tensorrt-engine.js'
import { invalidOption, optionConflict } from '../../base/errors.js'
import { describeCheckpoint, type CheckpointDescription } from '../../prepare/checkpoint/describe.js'
import { networkInputSize } from '../../prepare/checkpoint/input-size.js'
import { defaultInputSize } from '../../prepare/checkpoint/recipe.js'
import { checkLoadOptions, streamBatches, type CheckedLoadOptions, type StreamBatch } from '../../engine/load-options.js'
import { jsonLine, shown } from '../../base/outside-text.js'
import { mostPixels } from '../../base/pixel-format.js'
import { slotCount } from '../../plan/window-plan.js'
import { defaultWindowLength, windowStrategy } from '../../plan/strategy.js'
import { BuildProgress } from './build-progress.js'
import { arithmeticLines } from '../engine-text.js'
import { exitCode } from '../exit-code.js'
import { interruptible } from '../interrupt.js'
import { checkpointOption, inputSizeOption, listed, number, requireCheckpoint, weightsKeyOption } from '../options.js'
import { say } from '../tell.js'

type PlanPrecision = 'fp16' | 'fp32'
const planPrecisions: readonly PlanPrecision[] = ['fp16', 'fp32']

export interface BuildArguments {
  readonly checkpoint?: string
  readonly weightsKey?: string
  readonly input?: string
  readonly inputSize?: number
  /** Undefined: FP16, but FP32 for plans of weights that FP16 cannot hold. */
  readonly precision?: PlanPrecision
  readonly device?: number
  readonly tensorrtPath?: readonly string[]
  readonly streams?: number
  readonly graphsOnly?: string
  readonly cacheDir?: string
  readonly threads?: number
  readonly json: boolean
}

export function buildCommand(): Command {
  return new Command('build')
    .description('Build TensorRT plans ahead, so that the first video or stream of a size need not wait for them.')
    .addOption(checkpointOption())
    .addOption(weightsKeyOption())
    .option('--input <WxH>', 'size of the frames; required')
    .addOption(inputSizeOption())
    .addOption(
      new Option('--precision <type>', 'arithmetic (default: fp16, or fp32 where the weights do not fit that)').choices(
        [...planPrecisions],
      ),
    )
    .option('--streams <n>', 'also for streams, up to this many frames at once: 1, 2, 4 or 8', number('--streams'))
    .option('--device <n>', "which GPU, by CUDA's index (default: 0)", number('--device'))
    .option('--tensorrt-path <dir>', "folder of TensorRT's libraries, searched first; may be repeated", listed)
    .option('--graphs-only <dir>', 'write the ONNX graphs and their weights for other tools; needs no GPU')
    .option('--cache-dir <dir>', "where plans are kept (default: the system's cache folder)")
    .option('--threads <n>', 'processor threads of the float32 check', number('--threads'))
    .option('--json', 'print one object on standard output', false)
    .action(async (options: BuildArguments) => {
      process.exitCode = await interruptible((signal) => build(options, signal))
    })
}

interface BuildSettings {
  readonly load: CheckedLoadOptions
  readonly precision: PlanPrecision | undefined
  readonly frameWidth: number
  readonly frameHeight: number
  readonly streams: StreamBatch | undefined
}

/** @throws VideoDepthError INVALID_OPTION; nothing is opened or created */
function checkBuild(options: BuildArguments): BuildSettings {
  const { weightsKey, inputSize, precision, device, tensorrtPath, graphsOnly, cacheDir, threads } = options
  const match = /^(\d{1,5})x(\d{1,5})$/.exec(options.input ?? '')
  const [frameWidth, frameHeight] = [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)]
  const areSides = [frameWidth, frameHeight].every((side) => side >= 1 && side <= mostPixels)
  if (!areSides) throw invalidOption(`WIDTHxHEIGHT of the frames, 1 to ${mostPixels} each`, '--input', options.input)
  const streams = streamBatches.find((batch) => batch === options.streams)
  if (options.streams !== undefined && streams === undefined)
    throw invalidOption(`one of ${streamBatches.join(', ')}`, '--streams', options.streams)
  if (graphsOnly === '') throw invalidOption('a folder', '--graphs-only', graphsOnly)
  const ofPlans = { '--device': device, '--tensorrt-path': tensorrtPath, '--threads': threads }
  for (const [name, value] of Object.entries(ofPlans)) {
    if (graphsOnly !== undefined && value !== undefined)
      throw optionConflict(`${name} has no effect with --graphs-only: remove it`)
  }
  const load = checkLoadOptions({
    checkpoint: requireCheckpoint(options),
    backend: 'tensorrt',
    ...(weightsKey !== undefined && { weightsKey }),
    ...(inputSize !== undefined && { inputSize }),
    ...(precision !== undefined && { precision }),
    ...(device !== undefined && { device }),
    ...(tensorrtPath !== undefined && { tensorrtPath }),
    ...(streams !== undefined && { streamBatch: streams }),
    ...(cacheDir !== undefined && { cacheDir }),
    ...(threads !== undefined && { threads }),
  })
  return { load, precision, frameWidth, frameHeight, streams }
}

/**
 * Plans of the size that `VideoDepth` takes for such frames. Where no size was given, the checkpoint tells it.
 *
 * @throws VideoDepthError FRAME_INVALID, and what describeCheckpoint throws
 */
async function specsOf(settings: BuildSettings): Promise<readonly PlanSpec[]> {
  const { load, frameWidth, frameHeight, streams } = settings
  const described = (): Promise<CheckpointDescription> =>
    describeCheckpoint(load.checkpoint, { weightsKey: load.weightsKey })
  const side = load.inputSize ?? defaultInputSize((await described()).architecture)
  const { width: inputWidth, height: inputHeight } = networkInputSize(frameWidth, frameHeight, side)
  const size = { inputWidth, inputHeight }
  const windows: PlanSpec = { use: 'windows', ...size, windowLength: defaultWindowLength }
  return streams === undefined ? [windows] : [windows, { use: 'streams', ...size, batches: batchesUpTo(streams) }]
}

export interface BuildOutput {
  readonly stdout: Pick<NodeJS.WriteStream, 'write'>
  readonly stderr: NodeJS.WriteStream
}

/** @param parts and @param output others only in tests */
export async function build(
  options: BuildArguments,
  signal: AbortSignal,
  parts?: TensorRtParts,
  output: BuildOutput = process,
): Promise<number> {
  const settings = checkBuild(options)
  const specs = await specsOf(settings)
  const progress = new BuildProgress(output.stderr)
  try {
    const text =
      options.graphsOnly === undefined
        ? plansText(await buildPlans(settings, specs, signal, progress, parts), options.json)
        : graphsText(
            await writeGraphs(options.graphsOnly, settings, specs, signal, progress),
            options.graphsOnly,
            options.json,
          )
    progress.end()
    say(text, output.stdout)
    return exitCode.ok
  } finally {
    progress.end()
  }
}

/** Opens what a video and a stream would open, together: that also shows whether the device's memory suffices. */
async function buildPlans(
  { load, frameWidth, frameHeight }: BuildSettings,
  specs: readonly PlanSpec[],
  signal: AbortSignal,
  progress: BuildProgress,
  parts: TensorRtParts | undefined,
): Promise<EngineInfo> {
  // Plans of a relative and of a metric checkpoint are made alike.
  const options = { ...load, metric: undefined, signal, onProgress: (report: LoadProgress) => progress.report(report) }
  const engine = await openEngine(options, parts)
  const windows = { windowLength: defaultWindowLength, slots: slotCount(windowStrategy()) }
  try {
    for (const { inputWidth, inputHeight, use } of specs) {
      const size = { inputWidth, inputHeight, frameWidth, frameHeight }
      if (use === 'windows') await engine.openSession({ ...size, ...windows }, signal)
      else await engine.openStream({ ...size, stabilized: false }, signal)
    }
    return engine.info
  } finally {
    await engine.close() // and all that is open on it
  }
}

function writeGraphs(
  folder: string,
  { load, precision = 'fp16' }: BuildSettings,
  specs: readonly PlanSpec[],
  signal: AbortSignal,
  progress: BuildProgress,
): Promise<ExportManifest> {
  const { checkpoint, weightsKey, cacheDir } = load
  return exportGraphs(
    { checkpoint, weightsKey, cacheDir, precision, specs, folder },
    { signal, onProgress: (report) => progress.report(report) },
  )
}

function plansText(info: EngineInfo, json: boolean): string {
  return json ? jsonLine(info) : `${arithmeticLines(info).join('\n')}\n`
}

function graphsText({ graphs, weights }: ExportManifest, folder: string, json: boolean): string {
  if (json) return jsonLine({ folder, weights, graphs })
  const lines = graphs.map(({ file, use, label }) => `  ${file}  (${use}: ${label})`)
  return `${shown(folder)}: README.md, manifest.json, ${weights.join(', ')} and\n${lines.join('\n')}\n`
}
