// Owns: `video-depth run`: a video or a folder of images into depth outputs.
// Must not know: file formats, the network.

import path from 'node:path'
import { Command, Option } from 'commander'
import type { DepthRun } from '../depth-run.js'
import { invalidOption } from '../errors.js'
import { openSource } from '../io/open-source.js'
import type { FrameSource } from '../io/source.js'
import { paletteNames } from '../io/palettes.js'
import type { Architecture } from '../model/architecture.js'
import { licenseNote, matchRecipes } from '../model/recipe.js'
import { checkLoadOptions, checkProcessOptions, type LoadOptions, type ProcessOptions } from '../options.js'
import { VideoDepth } from '../video-depth.js'
import type { Stitching } from '../window/strategy.js'
import { exitCode, isPartial } from './exit-code.js'
import { interruptible } from './interrupt.js'
import { addModelOptions, number, requireCheckpoint, type ModelArguments } from './options.js'
import { Outputs, type OutputOptions } from './outputs.js'
import { ProgressLine } from './progress.js'
import { printSummary } from './summary.js'

export interface RunArguments extends ModelArguments, OutputOptions {
  readonly output: string
  readonly maxRes: number
  readonly maxLen: number
  readonly targetFps: number
  readonly stitching: Stitching
  readonly json: boolean
}

export function runCommand(): Command {
  const command = new Command('run')
    .description('Depth of a video or of a folder of images.')
    .argument('<input>', 'video file or image folder')
    .option('-o, --output <dir>', 'folder for the outputs', './outputs')
    .option('--max-res <pixels>', 'scale frames down to this longer side; −1: never', number('--max-res'), 1280)
    .option('--max-len <n>', 'stop after this many frames; −1: no limit', number('--max-len'), -1)
    .option('--target-fps <n>', 'drop frames down to about this rate; −1: keep all', number('--target-fps'), -1)
    .addOption(
      new Option('--stitching <rule>', 'how windows are stitched').choices(['upstream', 'paper']).default('upstream'),
    )
    .option('--grayscale', 'gray instead of coloured depth video', false)
    .addOption(
      new Option('--palette <name>', 'colours of the depth video').choices([...paletteNames]).default('inferno'),
    )
    .option('--save-npz', 'write <name>_depths.npz: `depths` float32 [N, H, W]', false)
    .option('--save-png16', 'write <name>_png16/: 16-bit PNG images', false)
    .option('--save-raw', 'write <name>_depths.f32: float32 [N, H, W]', false)
    .option('--json', 'print one summary object on standard output', false)
    .action(async (input: string, options: RunArguments) => {
      process.exitCode = await interruptible((signal) => runVideo(input, options, signal))
    })
  return addModelOptions(command)
}

/** Wrong options are refused before anything is opened, loaded or created. */
function checked(
  options: RunArguments,
  signal: AbortSignal,
  progress: ProgressLine,
): { load: LoadOptions; process: ProcessOptions } {
  const { inputSize, metric, precision, backend, cacheDir, threads } = options
  const load: LoadOptions = {
    checkpoint: requireCheckpoint(options),
    ...{ inputSize, metric, precision, backend, signal },
    ...(cacheDir !== undefined && { cacheDir }),
    ...(threads !== undefined && { threads }),
    onProgress: ({ phase, fraction }) =>
      progress.step(`preparing the network: ${phase} ${Math.round(fraction * 100)} %`),
  }
  const { maxRes, maxLen, targetFps, stitching } = options
  const process: ProcessOptions = {
    maxRes,
    maxLen,
    targetFps,
    stitching,
    signal,
    onProgress: (p) => progress.frames(p),
  }
  checkLoadOptions(load)
  checkProcessOptions(process)
  if (options.output === '') throw invalidOption('a folder', '--output', options.output)
  return { load, process }
}

export async function runVideo(input: string, options: RunArguments, signal: AbortSignal): Promise<number> {
  const progress = new ProgressLine(process.stderr)
  const { load, process: processing } = checked(options, signal, progress)
  const { maxRes = 1280, maxLen = -1, targetFps = -1 } = processing
  const source = await openSource(input, { maxRes, maxLen, targetFps, signal })
  let model: VideoDepth | undefined
  try {
    model = await VideoDepth.load(load)
    progress.end()
    tellOfWeights(model.architecture)
    return await writeAll(source, model, options, processing, progress, signal)
  } finally {
    progress.end()
    await source.close()
    if (!signal.aborted) await model?.close()
  }
}

async function writeAll(
  source: FrameSource,
  model: VideoDepth,
  options: RunArguments,
  processing: ProcessOptions,
  progress: ProgressLine,
  signal: AbortSignal,
): Promise<number> {
  const started = performance.now()
  const name = path.parse(source.info.name).name
  const outputs = await Outputs.create(path.join(options.output, name), source.info.frameRate, options)
  const depths = model.process(outputs.recording(source), processing)
  let sourceError: unknown
  try {
    sourceError = await drain(depths, outputs)
    const files = await outputs.finish(signal)
    progress.end()
    const seconds = (performance.now() - started) / 1000
    printSummary({ files, source: source.info, model, summary: depths.summary, seconds, sourceError }, options.json)
    return sourceError === undefined ? exitCode.ok : exitCode.partial
  } catch (error) {
    await outputs.abort()
    throw error
  }
}

/** What a person should know of the weights before believing or selling the result. */
function tellOfWeights(architecture: Architecture): void {
  const matching = matchRecipes(architecture)
  if (matching.some(({ source }) => source === null)) {
    process.stderr.write(
      "The weights are those of the test network: RANDOM. What comes out has depth's form, not its content.\n",
    )
  } else if (matching.some(({ commercialUse }) => !commercialUse)) process.stderr.write(`${licenseNote(matching)}\n`)
}

/** Writes every frame; gives back the source's error where the frames before it are worth keeping. */
async function drain(depths: DepthRun, outputs: Outputs): Promise<unknown> {
  try {
    for await (const frame of depths) await outputs.write(frame)
    return undefined
  } catch (error) {
    if (!isPartial(error) || depths.summary.framesOut === 0) throw error
    return error
  }
}
