// Owns: `npm run bench:stream`: latency of one stream fed by a paced camera, each trial in a fresh process.
// Must not know: how a stream works.

import { execFileSync } from 'node:child_process'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { benchmarkCheckpoint, engineOptions, frameSize, machine, wholeNumber, writeReport } from './shared.mjs'

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: 'S' },
    checkpoint: { type: 'string' },
    'input-size': { type: 'string', default: '252' },
    'frame-size': { type: 'string', default: '1280x720' },
    fps: { type: 'string', default: '30' },
    seconds: { type: 'string', default: '20' },
    trials: { type: 'string', default: '2' },
    threads: { type: 'string', default: String(os.availableParallelism()) },
    backend: { type: 'string', default: 'auto' },
    device: { type: 'string' },
    precision: { type: 'string' },
    'tensorrt-path': { type: 'string' },
  },
})
const [inputSize, fps, seconds, trials, threads] = ['input-size', 'fps', 'seconds', 'trials', 'threads'].map((name) =>
  wholeNumber(values, name),
)
const settings = {
  checkpoint: await benchmarkCheckpoint(values),
  ...frameSize(values),
  inputSize,
  fps,
  seconds,
  threads,
  engine: engineOptions(values),
}
const script = path.join(import.meta.dirname, 'trials', 'streaming.mjs')
const samples = []
for (let i = 0; i < trials; i++) {
  const stdio = ['ignore', 'pipe', 'inherit']
  samples.push(JSON.parse(execFileSync(process.execPath, [script, JSON.stringify(settings)], { stdio }).toString()))
  print(samples.at(-1))
}
const report = { machine: machine(threads), settings: values, samples }
const { processor, node } = report.machine
console.log(
  `${threads} threads, ${processor}, Node ${node}; raw: ${writeReport(`stream-${values.size}-${inputSize}`, report)}`,
)

function print({ network, back, paced, eventLoopMs, peakMemoryMiB }) {
  const row = ({ p50, p95, p99 }) => [p50, p95, p99].map((ms) => ms.toFixed(1).padStart(7)).join(' ')
  console.log(
    `\n${values.size} at ${network}, frames of ${values['frame-size']}, milliseconds:     p50     p95     p99`,
  )
  console.log(`  one frame after another, ${back.framesPerSecond.toFixed(2)} frames/s`.padEnd(52) + row(back.totalMs))
  console.log(`  camera of ${fps} frames/s: ${paced.computed} computed, ${paced.dropped} dropped`)
  for (const phase of ['totalMs', 'queuedMs', 'preprocessMs', 'inferMs', 'postMs'])
    console.log(`    ${phase.replace('Ms', '').padEnd(48)}${row(paced[phase])}`)
  console.log(`  delay of the JavaScript event loop`.padEnd(52) + row(eventLoopMs))
  console.log(`  peak memory ${peakMemoryMiB.toFixed(0)} MiB`)
}
