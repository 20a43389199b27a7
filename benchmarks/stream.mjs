// Owns: `npm run bench:stream`: one stream, frame after frame and from a paced camera, each trial in a fresh process.
// Must not know: how a stream works.

import os from 'node:os'
import { parseArgs } from 'node:util'
import { defaultThreads } from '../dist/esm/base/threads.js'
import { doubts, markdown, ratios, ratioText, secondsPerFrame, short } from './report.mjs'
import {
  benchmarkCheckpoint,
  benchmarkClip,
  engineOptions,
  frameSize,
  machine,
  median,
  versions,
  wholeNumber,
  writeReport,
} from './shared.mjs'
import { interleaved, precisionList, runReference, runScript, warmUp } from './subjects.mjs'

const reference = 'reference'
const clipFrames = 24
const loadAverage = os.loadavg()[0]

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: 'S' },
    checkpoint: { type: 'string' },
    'input-size': { type: 'string', default: '252' },
    'frame-size': { type: 'string', default: '1280x720' },
    fps: { type: 'string', default: '30' },
    seconds: { type: 'string', default: '20' },
    trials: { type: 'string', default: '3' },
    threads: { type: 'string', default: String(defaultThreads()) },
    precision: { type: 'string' },
    reference: { type: 'string' },
    backend: { type: 'string', default: 'cpu' },
    device: { type: 'string' },
    'tensorrt-path': { type: 'string' },
  },
})
const [inputSize, fps, seconds, trials, threads] = ['input-size', 'fps', 'seconds', 'trials', 'threads'].map((name) =>
  wholeNumber(values, name),
)
const { precisions, named } = precisionList(values)
const { size } = values
const { width, height } = frameSize(values)
const checkpoint = await benchmarkCheckpoint(values)
const clip = await benchmarkClip(width, height, clipFrames)
const settings = { checkpoint, clip, inputSize, fps, seconds, threads }

const subjects = precisions.map((precision) => {
  const own = { ...settings, engine: engineOptions(values, precision) }
  return {
    name: `stream ${precision}`,
    precision,
    warmUp: () => runScript('streaming', { ...own, prepareOnly: true }),
    run: () => runScript('streaming', own),
  }
})
if (values.reference !== undefined)
  subjects.push({
    name: reference,
    run: () => runReference(values.reference, { ...settings, size, mode: 'streaming' }),
  })
const { running, notes } = warmUp(subjects, named)
const samples = interleaved(running, trials, (result) => `${secondsPerFrame(result).toFixed(3)} s a frame`)
const ours = Object.entries(samples).filter(([name]) => name !== reference)
const told = {
  settings: { ...values, ...settings },
  samples,
  notes: [...notes, ...doubts(whatToDoubt())],
  ...{ machine: machine(threads), versions: versions(), loadAverage },
  commandLine: ['npm run bench:stream --', ...process.argv.slice(2)].join(' '),
}
print(writeReport(`stream-${size}-${inputSize}`, told))

function whatToDoubt() {
  const compared = {}
  if (samples[reference] !== undefined)
    for (const [name, all] of ours)
      compared[`${name} to ${reference}`] = ratios(samples[reference].map(secondsPerFrame), all.map(secondsPerFrame))
  const processors = Object.fromEntries(ours.map(([name, all]) => [name, all.map(({ processor }) => processor)]))
  return { loadAverage, threads, compared, processors }
}

function print(file) {
  const { processor, processorFlags, node } = told.machine
  const [{ network }] = ours[0][1]
  const lines = [
    `${processor} (${processorFlags.join(', ')}), ${threads} threads, Node ${node}, onnxruntime-node ${versions().onnxruntimeNode}`,
    `${size} at ${network}; frames of ${width}×${height}; ${trials} trials of ${seconds} s of each, interleaved; medians`,
    ...['', backTable(network)],
    ...['', cameraTable(network), ''],
    ...told.notes,
    `raw: ${file}`,
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}

/** One frame after another. */
function backTable(network) {
  const header = ['network', 'subject', 'a frame, ms: p50', 'p95', 'p99', 'frames/s']
  if (samples[reference] !== undefined) header.push(`times as fast as ${reference}, pair by pair`)
  header.push('peak memory, MiB')
  const rows = Object.entries(samples).map(([name, all]) => {
    const milliseconds =
      name === reference
        ? [short(median(all.map(secondsPerFrame)) * 1000), '—', '—', '—']
        : [
            ...['p50', 'p95', 'p99'].map((p) => short(median(all.map(({ back }) => back.totalMs[p])))),
            short(median(all.map(({ back }) => back.framesPerSecond))),
          ]
    const against = () => ratioText(ratios(samples[reference].map(secondsPerFrame), all.map(secondsPerFrame)))
    return [
      ...[`${size} ${network}`, name, ...milliseconds],
      ...(samples[reference] === undefined ? [] : [name === reference ? '—' : against()]),
      Math.round(median(all.map(({ peakMemoryMiB }) => peakMemoryMiB))),
    ]
  })
  return markdown(header, rows)
}

/** From the camera: p50 / p95 / p99 in milliseconds. */
function cameraTable(network) {
  const parts = { totalMs: `camera of ${fps} fps, ms: total`, queuedMs: 'queued', preprocessMs: 'preprocess' }
  Object.assign(parts, { inferMs: 'infer', postMs: 'post', eventLoopMs: 'event loop' })
  const rows = ours.map(([name, all]) => [
    ...[`${size} ${network}`, name],
    ...Object.keys(parts).map((part) =>
      ['p50', 'p95', 'p99'].map((p) => short(median(all.map(({ paced }) => paced[part][p])))).join(' / '),
    ),
    all.map(({ paced }) => `${paced.computed} of ${paced.computed + paced.dropped}`).join(', '),
  ])
  return markdown(['network', 'subject', ...Object.values(parts), 'computed'], rows)
}
