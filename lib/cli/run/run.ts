// Owns: `video-depth run`: a video or a folder of images into depth outputs.
// Must not know: file formats, the network.

import { stat } from 'node:fs/promises'
import path from 'node:path'
import { Command, Option } from 'commander'
import { checkSceneCuts, type SceneCutOptions } from '../../cuts/cut-detector.js'
import { invalidOption, optionConflict } from '../../base/errors.js'
import { openSource } from '../../io/sources/open-source.js'
import { paletteNames } from '../../io/sinks/palettes.js'
import { checkSourceOptions, sourceDefaults } from '../../io/sources/source-options.js'
import { checkVideoSize } from '../../io/sinks/video-encoder.js'
import type { FrameSource, SourceOptions } from '../../io/sources/source.js'
import type { Architecture } from '../../prepare/checkpoint/architecture.js'
import { licenseNote, matchRecipes } from '../../prepare/checkpoint/recipe.js'
import { checkLoadOptions, type LoadOptions } from '../../engine/load-options.js'
import { checkProcessOptions, type ProcessOptions, type ProcessProgress } from '../../video/process-options.js'
import { checkStreamOptions, type StreamOptions } from '../../stream/stream-options.js'
import { VideoDepth } from '../../video-depth.js'
import { stitchings, type Stitching } from '../../plan/strategy.js'
import { loadedText, arithmeticLines, progressText } from '../engine-text.js'
import { exitCode, isPartial } from '../exit-code.js'
import { interruptible } from '../interrupt.js'
import {
  addModelOptions,
  brightOption,
  modelOptions,
  number,
  sceneCutsOption,
  type ModelArguments,
} from '../options.js'
import { Outputs, type OutputOptions } from './outputs.js'
import { streamPass, windowsPass, type Pass } from './pass.js'
import { ProgressLine } from '../progress.js'
import { printSummary, warnings } from './summary.js'
import { tell } from '../tell.js'

export interface RunArguments extends ModelArguments, OutputOptions {
  readonly output: string
  readonly maxRes: number
  readonly maxLen: number
  readonly targetFps: number
  readonly playlists: boolean
  readonly stitching: Stitching
  readonly streaming: boolean
  readonly stabilize: boolean
  /** True: the default threshold. */
  readonly sceneCuts: boolean | number
  readonly json: boolean
}

export function runCommand(): Command {
  const command = new Command('run')
    .description('Compute depth of a video or of a folder of images.')
    .argument('<input>', 'video file or image folder')
    .option('-o, --output <dir>', 'folder for the outputs', './outputs')
    .option(
      '--max-res <pixels>',
      'scale frames down to this longer side; −1: never',
      number('--max-res'),
      sourceDefaults.maxRes,
    )
    .option('--max-len <n>', 'stop after this many frames; −1: no limit', number('--max-len'), sourceDefaults.maxLen)
    .option(
      '--target-fps <n>',
      'drop frames down to about this rate; −1: keep all',
      number('--target-fps'),
      sourceDefaults.targetFps,
    )
    .option('--playlists', 'read an HLS playlist, of files in its own folder', false)
    .addOption(
      new Option('--stitching <rule>', 'which key frames a window sees').choices(stitchings).default('upstream'),
    )
    .addOption(
      new Option('--streaming', 'frame by frame, as from a camera, instead of in windows')
        .default(false)
        .conflicts('stitching'),
    )
    .option('--stabilize', "with --streaming: hold the depth's scale to that of frame 31", false)
    .addOption(sceneCutsOption())
    .addOption(new Option('--grayscale', 'gray instead of coloured depth video').default(false).conflicts('palette'))
    .addOption(
      new Option('--palette <name>', 'colours of the depth video').choices([...paletteNames]).default('inferno'),
    )
    .addOption(brightOption())
    .option('--save-npz', 'write <name>_depths.npz: `depths` float32 [N, H, W]', false)
    .option('--save-png16', 'write <name>_png16/: 16-bit PNG images', false)
    .option('--save-raw', 'write <name>_depths.f32: float32 [N, H, W]', false)
    .option('--json', 'print one summary object on standard output', false)
    .action(async (input: string, options: RunArguments) => {
      process.exitCode = await interruptible((signal) => runVideo(input, options, signal))
    })
  return addModelOptions(command)
}

interface Settings {
  readonly load: LoadOptions
  readonly source: SourceOptions
  readonly process: ProcessOptions
  /** Undefined: in windows. */
  readonly stream: (StreamOptions & { readonly queue: 'all' }) | undefined
}

/** @throws VideoDepthError INVALID_OPTION; nothing is opened, loaded or created */
export function checkRun(options: RunArguments): Settings {
  const { metric, maxRes, maxLen, targetFps, playlists, stitching } = options
  const load = modelOptions(options)
  const source: SourceOptions = { maxRes, maxLen, targetFps, playlists }
  const sceneCuts: boolean | SceneCutOptions =
    typeof options.sceneCuts === 'number' ? { threshold: options.sceneCuts } : options.sceneCuts
  checkSceneCuts(sceneCuts)
  const process: ProcessOptions = { stitching, sceneCuts }
  const { streaming, stabilize } = options
  const stream = streaming ? ({ queue: 'all', sceneCuts, stabilize } as const) : undefined
  checkLoadOptions(load)
  checkSourceOptions(source)
  checkProcessOptions(process)
  if (stream !== undefined) checkStreamOptions(stream, metric)
  else if (stabilize) throw optionConflict('--stabilize needs --streaming')
  if (options.output === '') throw invalidOption('a folder', '--output', options.output)
  return { load, source, process, stream }
}

export async function runVideo(input: string, options: RunArguments, signal: AbortSignal): Promise<number> {
  const settings = checkRun(options)
  const progress = new ProgressLine(process.stderr)
  const source = await openSource(input, { ...settings.source, signal })
  let model: VideoDepth | undefined
  try {
    checkVideoSize(source.info) // of the outputs, which are made when much has been computed
    const started = performance.now()
    model = await VideoDepth.load({
      ...settings.load,
      signal,
      onProgress: (report) => progress.step(progressText(report)),
      onWarning: (text) => {
        progress.end()
        tell(`${text}\n`)
      },
    })
    const loadSeconds = (performance.now() - started) / 1000
    progress.end()
    tellOfWeights(model.architecture)
    tell(loadedText(model.engineInfo))
    const name = await outputName(input)
    return await writeAll({ source, input, name, model, loadSeconds, settings, progress }, options, signal)
  } finally {
    progress.end()
    await source.close()
    if (!signal.aborted) await model?.close()
  }
}

/** Upstream's: the file's name without its ending, or the folder's. */
async function outputName(input: string): Promise<string> {
  const base = path.basename(path.resolve(input))
  const isFolder = (await stat(input).catch(() => undefined))?.isDirectory() === true
  return (isFolder ? base : path.parse(base).name) || 'video' // the root folder has no name
}

interface Run {
  readonly source: FrameSource
  readonly input: string
  readonly name: string
  readonly model: VideoDepth
  readonly loadSeconds: number
  readonly settings: Settings
  readonly progress: ProgressLine
}

async function writeAll(run: Run, options: RunArguments, signal: AbortSignal): Promise<number> {
  const { source, input, name, model, loadSeconds, settings, progress } = run
  const started = performance.now()
  const outputs = await Outputs.create(options.output, name, input, source.info, options)
  try {
    const onProgress = (report: ProcessProgress): void => progress.frames(report)
    const recorded = outputs.recording(source)
    const pass =
      settings.stream === undefined
        ? windowsPass(model, recorded, { ...settings.process, signal, onProgress })
        : streamPass(model, recorded, { ...settings.stream, signal }, onProgress)
    const sourceError = await drain(pass, outputs)
    progress.step('writing the outputs')
    const files = await outputs.finish(signal)
    progress.end()
    const seconds = (performance.now() - started) / 1000
    const { writeSeconds } = outputs
    for (const line of arithmeticLines(model.engineInfo)) tell(`${line}\n`)
    const summary = pass.summary()
    for (const warning of warnings(summary)) tell(`video-depth: ${warning}\n`)
    printSummary(
      { files, source: source.info, model, pass: summary, seconds, loadSeconds, writeSeconds, sourceError },
      options.json,
    )
    return sourceError === undefined ? exitCode.ok : exitCode.partial
  } catch (error) {
    await outputs.abort()
    throw error
  }
}

/** Says what a person should know of the weights before believing or selling the result. */
export function tellOfWeights(architecture: Architecture): void {
  const matching = matchRecipes(architecture)
  if (matching.some(({ file }) => file === null)) {
    tell('These are random test weights; the depth is meaningless.\n')
  } else if (matching.some(({ source }) => source === null)) {
    tell(
      'This is the small network that comes with the package, trained on rendered scenes alone: expect rough depth.\n',
    )
  } else if (matching.some(({ commercialUse }) => !commercialUse)) tell(`${licenseNote(matching)}\n`)
}

/** Writes every frame; gives back the source's error where the frames before it are worth keeping. */
async function drain(pass: Pass, outputs: Outputs): Promise<unknown> {
  try {
    for await (const frame of pass.depths) await outputs.write(frame)
    return undefined
  } catch (error) {
    if (!isPartial(error) || pass.summary().frames === 0) throw error
    return error
  }
}
