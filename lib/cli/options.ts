// Owns: the options that several commands share, and how their text becomes values.
// Must not know: what a command does.

import { Option, type Command } from 'commander'
import { invalidOption, VideoDepthError } from '../base/errors.js'
import { brightChoices } from '../io/sinks/palettes.js'
import {
  backendChoices,
  precisions,
  type BackendChoice,
  type LoadOptions,
  type Precision,
} from '../engine/load-options.js'

/** Where no `--checkpoint` is given. */
const checkpointVariable = 'VIDEO_DEPTH_CHECKPOINT'

export function checkpointOption(): Option {
  return new Option('--checkpoint <file>', 'Video Depth Anything weights, .pth or .safetensors').env(checkpointVariable)
}

export function weightsKeyOption(): Option {
  return new Option(
    '--weights-key <key>',
    'which weights of the checkpoint, where it holds several sets, such as "model" and "ema"',
  )
}

export function inputSizeOption(): Option {
  const text = 'shorter side of a frame as the network sees it'
  return new Option(
    '--input-size <pixels>',
    `${text} (default: as the network was trained, 518 for published ones)`,
  ).argParser(number('--input-size'))
}

/** Options of the model, the same for every command that loads one. */
export function addModelOptions(command: Command): Command {
  return command
    .addOption(checkpointOption())
    .addOption(weightsKeyOption())
    .addOption(inputSizeOption())
    .option('--metric', 'the checkpoint is a metric one: depth in metres, windows not fitted to each other', false)
    .addOption(
      new Option(
        '--precision <type>',
        'arithmetic of the engine; int8: processors only (default: fp16 on a GPU, otherwise fp32)',
      ).choices([...precisions]),
    )
    .addOption(
      new Option('--backend <name>', 'inference engine; auto: TensorRT where it can be used, otherwise the CPU')
        .choices([...backendChoices])
        .default('auto'),
    )
    .option('--device <n>', "which GPU, by CUDA's index (default: 0)", number('--device'))
    .option('--tensorrt-path <dir>', "folder of TensorRT's libraries, searched first; may be repeated", listed)
    .option('--cache-dir <dir>', "converted weights and graphs (default: the system's cache folder)")
    .option('--threads <n>', 'processor threads (default: all that affinity and container allow)', number('--threads'))
}

export interface ModelArguments {
  readonly checkpoint?: string
  readonly weightsKey?: string
  readonly inputSize?: number
  readonly metric: boolean
  readonly precision?: Precision
  readonly backend: BackendChoice
  readonly device?: number
  readonly tensorrtPath?: readonly string[]
  readonly cacheDir?: string
  readonly threads?: number
}

/** @throws VideoDepthError INVALID_OPTION where there is no checkpoint */
export function modelOptions(options: ModelArguments): LoadOptions {
  const { weightsKey, inputSize, metric, precision, backend, device, tensorrtPath, cacheDir, threads } = options
  return {
    checkpoint: requireCheckpoint(options),
    metric,
    backend,
    ...(weightsKey !== undefined && { weightsKey }),
    ...(inputSize !== undefined && { inputSize }),
    ...(precision !== undefined && { precision }),
    ...(device !== undefined && { device }),
    ...(tensorrtPath !== undefined && { tensorrtPath }),
    ...(cacheDir !== undefined && { cacheDir }),
    ...(threads !== undefined && { threads }),
  }
}

/** Collects the values of an option that may be repeated. */
export function listed(text: string, before: readonly string[] = []): string[] {
  return [...before, text]
}

export function brightOption(): Option {
  return new Option(
    '--bright <what>',
    'what the depth video shows bright (default: near; far for metric depth)',
  ).choices([...brightChoices])
}

/** The value is false, true (the default threshold) or a threshold. */
export function sceneCutsOption(): Option {
  return new Option('--scene-cuts [threshold]', 'begin anew at cuts, found by their content score (default 27)')
    .argParser(number('--scene-cuts'))
    .default(false)
}

/** @throws VideoDepthError INVALID_OPTION that says where to get a checkpoint */
export function requireCheckpoint({ checkpoint }: { readonly checkpoint?: string }): string {
  if (checkpoint !== undefined) return checkpoint
  throw new VideoDepthError(
    'INVALID_OPTION',
    `Expected a checkpoint for --checkpoint or ${checkpointVariable}, received none. ` +
      'The published ones are listed in engines/README.md; the small one (28.4 M parameters, Apache-2.0) is ' +
      'video_depth_anything_vits.pth.',
  )
}

/** A number option that names itself when it is not one. */
export function number(parameter: string): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text.trim() === '' || !Number.isFinite(value)) throw invalidOption('a number', parameter, text)
    return value
  }
}
