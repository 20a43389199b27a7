// Owns: `npm run bench`: the pipeline against ONNX Runtime on whole windows, interleaved, each trial in a fresh process.
// Must not know: how either works.

import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { rgbVideoWriter } from '#lib/io/rgb-video-sink.js'
import { renderSequence } from '#lib/scene/sequence.js'
import {
  benchmarkCheckpoint,
  engineOptions,
  frameSize,
  machine,
  median,
  results,
  wholeNumber,
  writeReport,
} from './shared.mjs'

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: 'S' },
    checkpoint: { type: 'string' },
    'input-size': { type: 'string', default: '280' },
    frames: { type: 'string', default: '66' },
    'frame-size': { type: 'string', default: '540x540' },
    trials: { type: 'string', default: '3' },
    threads: { type: 'string', default: String(os.availableParallelism()) },
    backend: { type: 'string', default: 'auto' },
    device: { type: 'string' },
    precision: { type: 'string' },
    'tensorrt-path': { type: 'string' },
  },
})
const [inputSize, frames, trials, threads] = ['input-size', 'frames', 'trials', 'threads'].map((name) =>
  wholeNumber(values, name),
)
const { width, height } = frameSize(values)
const settings = {
  checkpoint: await benchmarkCheckpoint(values),
  video: await clip(),
  inputSize,
  threads,
  engine: engineOptions(values),
}
const samples = { pipeline: [], 'whole-window': [] }
for (const name of Object.keys(samples)) trial(name) // warm-up: caches on disk, clocks
for (let i = 0; i < trials; i++) for (const name of Object.keys(samples)) samples[name].push(trial(name))
const report = { machine: machine(threads), settings: values, samples }
print(report, writeReport(`pipeline-${values.size}-${inputSize}`, report))

async function clip() {
  const target = path.join(results, `clip-${width}x${height}-${frames}.mp4`)
  if (existsSync(target)) return target
  const writer = await rgbVideoWriter(target, { frameRate: 24 })
  for (const frame of renderSequence({ seed: 1, frames, width, height, frameRate: 24 })) await writer.write(frame)
  return writer.finish()
}

function trial(name) {
  const script = path.join(import.meta.dirname, 'trials', `${name}.mjs`)
  const output = execFileSync(process.execPath, [script, JSON.stringify(settings)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const result = JSON.parse(output.toString())
  process.stderr.write(`${name}: ${result.seconds.total.toFixed(2)} s for ${result.frames} frames\n`)
  return result
}

function print({ machine: { processor, threads: used, node } }, file) {
  const lines = [
    `${values.size} at ${inputSize}, ${frames} frames of ${width}×${height}, ${used} threads, ${processor}, Node ${node}`,
    '',
  ]
  const perFrame = {}
  for (const [name, all] of Object.entries(samples)) {
    perFrame[name] = all.map(({ seconds, frames: count }) => seconds.total / count)
    const phases = Object.keys(all[0].seconds).map(
      (phase) => `${phase} ${median(all.map(({ seconds }) => seconds[phase])).toFixed(2)}`,
    )
    const memory = Math.round(median(all.map(({ peakMemoryMiB }) => peakMemoryMiB)))
    lines.push(`${name.padEnd(13)} ${median(perFrame[name]).toFixed(4)} s a new frame, peak ${memory} MiB`)
    lines.push(`${''.padEnd(13)} seconds: ${phases.join(', ')}`)
  }
  const ratios = perFrame.pipeline.map((seconds, i) => perFrame['whole-window'][i] / seconds)
  const spread = Math.max(...ratios) / Math.min(...ratios) - 1
  lines.push(
    '',
    `ratio whole-window / pipeline: ${median(ratios).toFixed(2)} (${ratios.map((r) => r.toFixed(2)).join(', ')})`,
  )
  if (spread > 0.1)
    lines.push(`The ratios differ by ${Math.round(spread * 100)} %: the machine was too busy to believe this.`)
  lines.push(`raw: ${file}`)
  process.stdout.write(`${lines.join('\n')}\n`)
}
