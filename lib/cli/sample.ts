// Owns: `video-depth sample`: a rendered clip with exact depth, run through the pipeline, and a page of how good it is.
// Must not know: how scenes are rendered, how videos are written.

import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Command } from 'commander'
import { bundledCheckpoint } from '../bundled-checkpoint.js'
import type { DepthMap } from '../frame.js'
import { AtomicFile } from '../io/atomic-output.js'
import { openDepth } from '../io/depth/open-depth.js'
import { outputError } from '../io/output-errors.js'
import { rgbVideoWriter } from '../io/rgb-video-sink.js'
import { openSinks } from '../io/sinks.js'
import { checkWhole } from '../known-options.js'
import { makeFolder } from '../make-folder.js'
import { exactDisparity, type RenderedFrame } from '../scene/rendered-frame.js'
import { kindIndex } from '../scene/kinds.js'
import { renderSequence } from '../scene/sequence.js'
import { interruptible } from './interrupt.js'
import { addModelOptions, number, type ModelArguments } from './options.js'
import { ProgressLine } from './progress.js'
import { checkRun, runVideo, type RunArguments } from './run.js'
import { lines, reportSample } from './sample-report.js'

interface SampleArguments extends ModelArguments {
  readonly output: string
  readonly frames: number
  readonly seed: number
  readonly kind: string
  readonly json: boolean
}

/** An hour at 24 frames a second. */
const mostFrames = 86_400

const clip = { width: 320, height: 240, frameRate: 24 }

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
    .description('Render a short scene with known depth and run the network on it.')
    .option('-o, --output <dir>', 'folder for the outputs', './sample-output')
    .option('--frames <n>', 'length of the clip', number('--frames'), 60)
    .option('--kind <name>', 'what is to be seen: room, street, terrain, …; a wrong name lists them', 'corridor')
    .option('--seed <n>', 'which scene of this kind', number('--seed'), 1)
    .option('--json', 'print one summary object on standard output', false)
    .action(async (options: SampleArguments) => {
      process.exitCode = await interruptible((signal) => sample(options, signal))
    })
  return addModelOptions(command)
}

async function sample(given: SampleArguments, signal: AbortSignal): Promise<number> {
  const options = { ...given, checkpoint: given.checkpoint ?? bundledCheckpoint }
  const { frames, seed, kind } = options
  checkWhole(frames, '--frames', 1, mostFrames)
  checkWhole(seed, '--seed', 0, 2 ** 32 - 1)
  kindIndex(kind, '--kind')
  const running: RunArguments = { ...options, ...sampleRun }
  checkRun(running)
  const at = (name: string): string => path.join(options.output, name)
  await makeFolder(options.output).catch((error: unknown) => {
    throw outputError(options.output, error)
  })
  await renderClip(at('sample.mp4'), at('sample_truth'), options, signal)
  const code = await runVideo(at('sample.mp4'), running, signal)
  const rendered = (): AsyncIterable<RenderedFrame> => heard(renderSequence({ ...clip, kind, seed, frames }), signal)
  const depth = await openDepth(at('sample_depths.npz'))
  const title = `${kind} ${seed}, ${frames} frames`
  const report = { frames: rendered, count: frames, depth, metric: options.metric }
  const figures = await reportSample(report, title, at('sample.png'))
  await writeText(at('sample.json'), `${JSON.stringify({ kind, seed, frames, ...figures }, undefined, 2)}\n`)
  if (!options.json) {
    process.stdout.write(`  ${at('sample.png')}   input, exact depth, the network's, and its error\n`)
    for (const line of lines(figures)) process.stdout.write(`${line}\n`)
  }
  return code
}

async function* heard<T>(frames: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  for await (const frame of frames) {
    signal.throwIfAborted()
    yield frame
  }
}

async function writeText(file: string, text: string): Promise<void> {
  const output = await AtomicFile.create(file)
  try {
    await writeFile(output.temporary, text)
    await output.commit()
  } catch (error) {
    await output.discard()
    throw outputError(file, error)
  }
}

/** The clip, and its exact disparity as a video and as numbers. */
async function renderClip(
  video: string,
  truth: string,
  { frames, seed, kind }: SampleArguments,
  signal: AbortSignal,
): Promise<void> {
  const progress = new ProgressLine(process.stderr)
  const sink = await openSinks([
    { format: 'video', path: `${truth}.mp4`, frameRate: clip.frameRate },
    { format: 'npz', path: `${truth}.npz` },
  ])
  const writer = await rgbVideoWriter(video, { frameRate: clip.frameRate }).catch(async (error: unknown) => {
    await sink.abort()
    throw error
  })
  try {
    let index = 0
    for await (const frame of renderSequence({ ...clip, kind, seed, frames })) {
      signal.throwIfAborted()
      progress.step(`rendering the sample clip: ${index + 1}/${frames}`)
      await writer.write(frame)
      await sink.write(exactMap(frame, index++))
    }
    await writer.finish()
    await sink.finish()
  } catch (error) {
    await Promise.all([writer.abort(), sink.abort()])
    throw error
  } finally {
    progress.end()
  }
}

function exactMap(frame: RenderedFrame, index: number): DepthMap {
  const { width, height, timestampMs } = frame
  return { index, timestampMs, width, height, data: exactDisparity(frame), kind: 'disparity' }
}
