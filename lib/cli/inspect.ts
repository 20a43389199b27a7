// Owns: `video-depth inspect`: what a checkpoint is.
// Must not know: how checkpoints are read.

import { counted } from '../base/counted.js'
import { Command } from 'commander'
import { describeCheckpoint, type CheckpointDescription } from '../prepare/checkpoint/describe.js'
import { shown } from '../base/outside-text.js'
import { weightsKeyOption } from './options.js'
import { say, sayJson } from './tell.js'

interface InspectArguments {
  readonly weightsKey?: string
  readonly checkFinite: boolean
  readonly json: boolean
}

export function inspectCommand(): Command {
  return new Command('inspect')
    .description('Show what a checkpoint is: format, size, network, licence.')
    .argument('<file>', '.pth or .safetensors')
    .addOption(weightsKeyOption())
    .option('--check-finite', 'read every weight and refuse NaN and infinity', false)
    .option('--json', 'print one object', false)
    .action(async (file: string, { weightsKey, checkFinite, json }: InspectArguments) => {
      const description = await describeCheckpoint(file, { weightsKey, checkFinite })
      if (json) sayJson(description)
      else say(text(description))
    })
}

function text(description: CheckpointDescription): string {
  const { path, format, architecture, dtypes, tensorCount, parameterCount, tensorBytes, recipes, licenseNote, finite } =
    description
  const { embedWidth, depth, heads, features, outChannels, gridSize, temporalLength, taps, size } = architecture
  const types = dtypes
    .map(({ dtype, tensorCount: count }) => (dtypes.length === 1 ? dtype : `${count} ${dtype}`))
    .join(', ')
  const rows: [string, string][] = [
    ['file', `${path} (${format}, ${types})`],
    ['network', `Video Depth Anything${size === undefined ? ', no published size' : ` ${size}`}`],
    [
      'parameters',
      `${(parameterCount / 1e6).toFixed(1)} M in ${counted(tensorCount, 'tensor')}, ${(tensorBytes / 2 ** 20).toFixed(0)} MiB`,
    ],
    ['encoder', `width ${embedWidth}, ${depth} blocks, ${heads} heads, read after blocks ${taps.join(', ')}`],
    ['head', `features ${features}, projections ${outChannels.join('/')}`],
    ['positions', `grid ${gridSize}×${gridSize} patches (${gridSize * 14} pixels), ${temporalLength} frames`],
    ['like', recipes.map(({ title }) => title).join(' or ') || 'no published checkpoint'],
    ...weightsRows(description),
    ['licence', licenseNote],
    ...(finite === undefined ? [] : ([['weights', 'all finite']] as [string, string][])),
  ]
  return rows.map(([name, value]) => `${name.padEnd(11)} ${shown(value)}\n`).join('')
}

/** What else the file holds. */
function weightsRows({ weightsKeys, beside }: CheckpointDescription): [string, string][] {
  const rows: [string, string][] = []
  if (weightsKeys.length > 1) rows.push(['keys', `${weightsKeys.join(', ')} (--weights-key)`])
  const more = beside.length > 5 ? ` and ${beside.length - 5} more` : ''
  if (beside.length > 0) rows.push(['beside', `${beside.slice(0, 5).join(', ')}${more}: not used`])
  return rows
}
