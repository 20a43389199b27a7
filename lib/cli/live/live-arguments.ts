// Owns: the options of `video-depth live`: names, help, defaults.
// Must not know: what they mean to anything, which go together.

import { Option, type Command } from 'commander'
import type { ColorMatrix, ColorRange, PixelFormat } from '../../base/frame.js'
import { paletteNames, type Bright, type PaletteName } from '../../io/sinks/palettes.js'
import { colorMatrices, colorRanges, pixelFormats } from '../../base/frame.js'
import { queuePolicies, type QueuePolicy } from '../../stream/mailbox.js'
import { pipeFactor } from './live-status.js'
import { addModelOptions, brightOption, number, sceneCutsOption, type ModelArguments } from '../options.js'

export interface LiveArguments extends ModelArguments {
  readonly video?: string
  readonly png?: string
  readonly stdout: boolean
  readonly palette: PaletteName
  readonly bright?: Bright
  readonly size?: string
  readonly pixelFormat: PixelFormat
  readonly colorMatrix: ColorMatrix
  readonly colorRange?: ColorRange
  readonly fps?: number
  readonly queue?: QueuePolicy
  readonly maxRes: number
  readonly playlists: boolean
  readonly maxLen: number
  readonly sceneCuts: boolean | number
  readonly stabilize: boolean
  readonly rtspTransport: 'tcp' | 'udp'
  /** Seconds. */
  readonly stall: number
  readonly reconnect: number
  readonly wait: boolean
  /** Seconds. */
  readonly status: number
  readonly json: boolean
}

export function addLiveOptions(command: Command): Command {
  command
    .argument('<input>', 'V4L2 device, rtsp/rtmp/http/udp/srt address, file (played in real time), or - for raw frames')
    .option('--video <file>', 'write a depth video, .mp4')
    .option('--png <dir>', 'write numbered 16-bit PNG images and frames.jsonl as they come')
    .option('--stdout', 'write float32 [H, W] frames to standard output, one after another', false)
    .addOption(
      new Option('--palette <name>', 'with --video: its colours').choices([...paletteNames]).default('inferno'),
    )
    .addOption(brightOption())
  addRawOptions(command)
  addStreamOptions(command)
  addSourceOptions(command)
  command
    .option(
      '--status <seconds>',
      `between two status lines, ${pipeFactor} times that where standard error is no terminal; 0: none`,
      number('--status'),
      1,
    )
    .option('--json', 'print one summary object on standard output at the end', false)
  return addModelOptions(command)
}

function addRawOptions(command: Command): void {
  const choice = (flags: string, help: string, choices: readonly string[]): Option =>
    new Option(flags, help).choices([...choices])
  command
    .option('--size <WxH>', 'only with -: size of the frames; required')
    .addOption(choice('--pixel-format <name>', 'only with -: layout of the frames', pixelFormats).default('rgb24'))
    .addOption(choice('--color-matrix <name>', 'only with - and YUV', colorMatrices).default('bt601'))
    .addOption(
      choice('--color-range <name>', 'only with - and YUV or gray8 (default: limited; full for gray8)', colorRanges),
    )
    .option('--fps <n>', 'only with -: frames a second, for the times (default: as they arrive)', number('--fps'))
}

function addStreamOptions(command: Command): void {
  command
    .addOption(
      new Option('--queue <policy>', 'what waits: all frames, or the latest (default; with -: all)').choices([
        ...queuePolicies,
      ]),
    )
    .option('--max-len <n>', 'end after this many depth maps; −1: no limit', number('--max-len'), -1)
    .option('--stabilize', "hold the depth's scale to that of frame 31, for cameras that stand still", false)
    .addOption(sceneCutsOption())
}

function addSourceOptions(command: Command): void {
  command
    .option(
      '--max-res <pixels>',
      'not with -: scale frames down to this longer side; −1: never',
      number('--max-res'),
      1280,
    )
    .addOption(
      new Option(
        '--rtsp-transport <name>',
        'only with rtsp: tcp loses nothing and passes firewalls, udp does not wait for what is lost',
      )
        .choices(['tcp', 'udp'])
        .default('tcp'),
    )
    .option('--stall <seconds>', 'not with -: a source that is silent for so long is lost', number('--stall'), 10)
    .option(
      '--reconnect <n>',
      'only with cameras and addresses: attempts to get a lost source back; −1: no limit',
      number('--reconnect'),
      -1,
    )
    .option('--playlists', 'only with http and https: read an HLS playlist or a DASH manifest', false)
    .option('--wait', 'only with cameras and addresses: wait for a source that is not there at the start', false)
}
