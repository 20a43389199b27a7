// Owns: `video-depth sample`: the bundled clip through the pipeline, and pictures of how good its depth is.
// Must not know: how depth is compared with the truth, how pictures are laid out.

import { copyFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Command } from 'commander'
import { bundledCheckpoint } from '../../prepare/bundled-checkpoint.js'
import { readSampleTruth, sampleVideo, type SampleTruth } from '../../evaluate/bundled-sample.js'
import type { DepthMap, RgbFrame } from '../../base/frame.js'
import { writeFileAtomically } from '../../io/sinks/atomic-output.js'
import { openDepth } from '../../evaluate/files/open-depth.js'
import { outputError } from '../../io/sinks/output-errors.js'
import { openSinks } from '../../io/sinks/sinks.js'
import { openVideo } from '../../io/sources/video-source.js'
import { makeFolder } from '../../base/make-folder.js'
import { refuseOtherKind } from '../../prepare/checkpoint/depth-kind.js'
import { recipes, type Recipe } from '../../prepare/checkpoint/recipe.js'
import { shown } from '../../base/outside-text.js'
import { writeAnimation, writeContactSheet } from './contact-sheet.js'
import { interruptible } from '../interrupt.js'
import { addModelOptions, type ModelArguments } from '../options.js'
import { checkRun, runVideo, type RunArguments } from '../run/run.js'
import { compareSample, lines } from './sample-report.js'
import { say } from '../tell.js'

interface SampleArguments extends ModelArguments {
  readonly output: string
  readonly json: boolean
}

/** The clip goes through the network as it is. */
const sampleRun = {
  maxRes: -1,
  playlists: false,
  maxLen: -1,
  targetFps: -1,
  stitching: 'upstream',
  streaming: false,
  stabilize: false,
  sceneCuts: false,
  grayscale: false,
  palette: 'inferno',
  saveNpz: true,
  savePng16: false,
  saveRaw: false,
} as const

export function sampleCommand(): Command {
  const command = new Command('sample')
    .description('Run the network on the bundled clip, whose exact depth is known, and show both.')
    .option('-o, --output <dir>', 'folder for the outputs', './sample-output')
    .option('--json', 'print one summary object on standard output', false)
    .action(async (options: SampleArguments) => {
      process.exitCode = await interruptible((signal) => sample(options, signal))
    })
  return addModelOptions(command)
}

async function sample(given: SampleArguments, signal: AbortSignal): Promise<number> {
  const options = { ...given, checkpoint: given.checkpoint ?? bundledCheckpoint }
  const { metric } = options
  if (given.checkpoint === undefined) refuseOtherKind(bundledCheckpoint, metric, bundledRecipe())
  const running: RunArguments = { ...options, ...sampleRun }
  checkRun(running)
  const at = (name: string): string => path.join(options.output, name)
  await makeFolder(options.output).catch((error: unknown) => {
    throw outputError(options.output, error)
  })
  const truth = await readSampleTruth()
  await writeFileAtomically(at('sample.mp4'), (file) => copyFile(sampleVideo, file))
  await writeTruth(at('sample_truth'), truth)
  const code = await runVideo(at('sample.mp4'), running, signal)
  const pictures: RgbFrame[] = []
  for await (const picture of await openVideo(sampleVideo, { signal })) pictures.push(picture)
  const depth = await openDepth(at('sample_depths.npz'))
  const { figures, sheet, animation } = await compareSample({ pictures, truth, depth, metric })
  await writeContactSheet(lines(figures), sheet, at('sample.png'))
  await writeAnimation(lines(figures), animation, at('sample.webp'))
  const text = `${JSON.stringify({ frames: truth.depth.length, ...figures }, undefined, 2)}\n`
  await writeFileAtomically(at('sample.json'), (file) => writeFile(file, text))
  if (!options.json) {
    say(`  ${shown(at('sample.png'))}   input, exact depth, the network's, and its error\n`)
    say(`  ${shown(at('sample.webp'))}  the same, moving\n`)
    for (const line of lines(figures)) say(`${line}\n`)
  }
  return code
}

function bundledRecipe(): Recipe | undefined {
  return recipes().find(({ file }) => file === path.basename(bundledCheckpoint))
}

/** The exact disparity as a video and as numbers. */
async function writeTruth(name: string, { depth, frameRate }: SampleTruth): Promise<void> {
  const sink = await openSinks([
    { format: 'video', path: `${name}.mp4`, frameRate },
    { format: 'npz', path: `${name}.npz` },
  ])
  try {
    for (const [index, { data, width, height }] of depth.entries()) {
      const disparity = Float32Array.from(data, (z) => 1 / z)
      const timestampMs = (index * 1000) / frameRate
      await sink.write({ index, timestampMs, width, height, data: disparity, kind: 'disparity' } satisfies DepthMap)
    }
    await sink.finish()
  } catch (error) {
    await sink.abort()
    throw error
  }
}
