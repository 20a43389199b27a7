// Owns: `node benchmarks/writing.mjs`: processor time of each output of a run beside the network's.
// Must not know: how outputs are made.

import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { openSinks, openVideo, rgbVideoWriter, VideoDepth } from 'video-depth'
import { markdown, short } from './report.mjs'
import { benchmarkCheckpoint, benchmarkClip, machine, versions, writeReport } from './shared.mjs'

const { values } = parseArgs({
  options: {
    checkpoint: { type: 'string' },
    size: { type: 'string', default: 'S' },
    'input-size': { type: 'string', default: '280' },
    precision: { type: 'string', default: 'int8' },
    /** A clip with exactly `frames` frames or more; default: the sample, scaled to 960×540. */
    video: { type: 'string' },
    frames: { type: 'string', default: '66' },
  },
})
const count = Number(values.frames)
const video = values.video ?? (await benchmarkClip(960, 540, count))
const frames = []
for await (const frame of await openVideo(video, { maxLen: count })) frames.push(frame)
const { width, height } = frames[0]

const rows = []

/** Milliseconds of all threads, and of the clock, for each frame. */
async function measured(name, work) {
  const [started, before] = [performance.now(), process.cpuUsage()]
  await work()
  const { user, system } = process.cpuUsage(before)
  const row = { name, cpuMs: (user + system) / 1000 / frames.length, ms: (performance.now() - started) / frames.length }
  rows.push(row)
  console.error(`${name}: ${row.cpuMs.toFixed(1)} ms of processors, ${row.ms.toFixed(1)} ms of time, a frame`)
}

const depths = []
const model = await VideoDepth.load({
  checkpoint: await benchmarkCheckpoint(values),
  backend: 'cpu',
  precision: values.precision,
  inputSize: Number(values['input-size']),
})
await measured('depth', async () => {
  for await (const depth of model.process(frames)) depths.push(depth)
})
await model.close()

const folder = await mkdtemp(path.join(os.tmpdir(), 'video-depth-writing-'))
const at = (name) => path.join(folder, name)
try {
  await measured('reading', async () => {
    for await (const frame of await openVideo(video, { maxLen: count })) void frame
  })
  await measured('source video', async () => {
    const writer = await rgbVideoWriter(at('src.mp4'), { frameRate: 24 })
    for (const frame of frames) await writer.write(frame)
    await writer.finish()
  })
  const outputs = {
    'depth video': { format: 'video', path: at('vis.mp4') },
    npz: { format: 'npz', path: at('depth.npz') },
    png16: { format: 'png16', path: at('png16') },
    raw: { format: 'raw', path: at('depth.f32') },
  }
  for (const [name, output] of Object.entries(outputs)) await measured(name, () => written([output]))
  await measured('depth video, npz, png16 and raw together', async () => {
    for (const { path: file } of Object.values(outputs)) await rm(file, { recursive: true })
    await written(Object.values(outputs))
  })
} finally {
  await rm(folder, { recursive: true })
}

async function written(outputs) {
  const sink = await openSinks(outputs)
  for (const depth of depths) await sink.write(depth)
  await sink.finish()
}

const network = rows.find(({ name }) => name === 'depth').cpuMs
console.log(
  `${frames.length} frames of ${width}×${height}, network at ${values['input-size']} in ${values.precision}\n`,
)
console.log(
  markdown(
    ['', 'ms of processors a frame', 'of the network’s'],
    rows.map(({ name, cpuMs }) => [name, short(cpuMs), `${((100 * cpuMs) / network).toFixed(0)} %`]),
  ),
)
console.log(`\nraw: ${writeReport('writing', { settings: values, machine: machine(), versions: versions(), rows })}`)
