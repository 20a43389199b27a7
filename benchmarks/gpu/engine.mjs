// Owns: the TensorRT engine measured: plans built and checked, windows, streaming, memory, power. Writes one JSON file.
// Must not know: kernels, PyTorch, how the table is made.

import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { VideoDepth } from 'video-depth'
import { machine, percentile, sampleFrames } from '../shared.mjs'
import { writeSeededCheckpoint } from '../seeded-checkpoint.mjs'
import { PowerMeter } from './power-meter.mjs'

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    tensorrt: { type: 'string' },
    device: { type: 'string', default: '0' },
    sizes: { type: 'string', default: 'S,L' },
    /** Frames as large as the network's input, so that nothing but the network is measured. */
    inputs: { type: 'string', default: '518x518,280x280,924x518' },
    /** Streams at once, by how many of their frames may go into one run. */
    batches: { type: 'string', default: '1,4' },
    precision: { type: 'string', default: 'fp16' },
    cache: { type: 'string' },
    quick: { type: 'boolean', default: false },
  },
})
if (values.out === undefined) throw new Error('Expected --out FILE')
const inputs = values.inputs.split(',').map((text) => {
  const [width, height] = text.split('x').map(Number)
  return { width, height }
})
const batches = values.batches.split(',').map(Number)
const [firstWindow, newFrames] = [32, 22]
const measuredWindows = values.quick ? 5 : 40
const measuredSteps = values.quick ? 60 : 600
const cacheDir = values.cache ?? path.join(path.dirname(values.out), 'cache')
mkdirSync(cacheDir, { recursive: true })

const report = { date: new Date().toISOString(), machine: machine(0), precision: values.precision, cases: [] }
let failed = false
for (const size of values.sizes.split(',')) {
  const checkpoint = path.join(cacheDir, `seeded-${size}.safetensors`)
  await writeSeededCheckpoint(size, checkpoint)
  for (const input of inputs) {
    const name = `${size} ${input.width}×${input.height}`
    try {
      const result = { size, ...input, ...(await measure(checkpoint, input)) }
      report.cases.push(result)
      console.log(line(name, result))
    } catch (error) {
      failed = true
      report.cases.push({ size, ...input, error: String(error?.stack ?? error) })
      console.log(`${name}: FAILED: ${error?.stack ?? error}`)
    }
    writeFileSync(values.out, JSON.stringify(report, undefined, 2)) // what there is, should the next case end the process
  }
}
process.exit(failed ? 1 : 0)

async function measure(checkpoint, { width, height }) {
  const clip = await sampleFrames(width, height)
  const picture = (i) => ({ data: clip[i % clip.length].data, width, height })
  const result = { streams: [] }
  for (const streamBatch of batches) {
    const started = performance.now()
    const model = await VideoDepth.load({
      checkpoint,
      backend: 'tensorrt',
      precision: values.precision,
      device: Number(values.device),
      ...(values.tensorrt !== undefined && { tensorrtPath: values.tensorrt }),
      inputSize: Math.min(width, height),
      streamBatch,
      cacheDir,
    })
    try {
      if (result.windows === undefined) {
        result.windows = await measureWindows(model, picture)
        result.preparedSeconds = (result.windows.firstDepthAt - started) / 1000
        result.engine = model.engineInfo
      }
      result.streams.push({
        streams: streamBatch,
        ...(await measureStreams(model, picture, { width, height }, streamBatch)),
      })
    } finally {
      await model.close()
    }
  }
  return result
}

/** The first windows are warm-up: plans are loaded, graphs recorded. */
async function measureWindows(model, picture) {
  const warmUp = 3
  const frames = firstWindow + newFrames * (warmUp + measuredWindows)
  const source = (async function* () {
    for (let i = 0; i < frames; i++) yield picture(i)
  })()
  const run = model.process(source)
  const arrivals = []
  let firstDepthAt
  let power
  let before
  for await (const { window, data } of run) {
    if (arrivals.length > window) continue
    plausible(data)
    firstDepthAt ??= performance.now()
    arrivals.push(performance.now())
    if (window !== warmUp) continue
    power = new PowerMeter(values.device)
    before = { at: performance.now(), seconds: { ...run.summary.seconds } }
  }
  const after = { at: performance.now(), seconds: run.summary.seconds }
  const deviceMs = Object.fromEntries(
    ['preprocess', 'encode', 'temporalHead', 'depthDecoder', 'stitch'].map((phase) => [
      phase,
      ((after.seconds[phase] - before.seconds[phase]) * 1000) / measuredWindows,
    ]),
  )
  const intervals = arrivals.slice(warmUp + 1).map((at, i) => at - arrivals[warmUp + i])
  const windowMs = spread(intervals)
  return {
    firstDepthAt,
    windowMs,
    perWindowFrameMs: windowMs.p50 / firstWindow,
    perNewFrameMs: windowMs.p50 / newFrames,
    deviceMs,
    /** Per window: what the wall clock shows beyond the plans' stream; stitching runs beside them. */
    hostMs:
      (after.at - before.at) / measuredWindows -
      ['preprocess', 'encode', 'temporalHead', 'depthDecoder'].reduce((sum, phase) => sum + deviceMs[phase], 0),
    gpu: await power.stop(),
    flatMaps: run.summary.flatMaps,
  }
}

/** So many streams at once, each frame after frame. */
async function measureStreams(model, picture, { width, height }, count) {
  const streams = Array.from({ length: count }, () => model.stream())
  for (const stream of streams) await stream.prepare(width, height)
  const push = async (stream, frames, taken) => {
    for (let i = 0; i < frames; i++) {
      const { data, timings } = await stream.push(picture(i))
      if (i % 50 === 0) plausible(data)
      taken?.push(timings)
    }
  }
  await Promise.all(streams.map((stream) => push(stream, 50)))
  const power = new PowerMeter(values.device)
  const timings = []
  const started = performance.now()
  await Promise.all(streams.map((stream) => push(stream, measuredSteps, timings)))
  const seconds = (performance.now() - started) / 1000
  const gpu = await power.stop()
  for (const stream of streams) await stream.close()
  const phases = ['totalMs', 'queuedMs', 'preprocessMs', 'inferMs', 'postMs']
  return {
    framesPerSecond: timings.length / seconds,
    ...Object.fromEntries(phases.map((phase) => [phase, spread(timings.map((t) => t[phase]))])),
    gpu,
  }
}

/** That the network agrees with float32 is the self-check's to say; here only that it still sees something. */
function plausible(data) {
  let [least, most] = [Infinity, -Infinity]
  for (let i = 0; i < data.length; i += 997) {
    least = Math.min(least, data[i])
    most = Math.max(most, data[i])
  }
  if (!(Number.isFinite(least) && Number.isFinite(most) && least < most))
    throw new Error(`the depth is not plausible: ${least} to ${most}`)
}

function spread(numbers) {
  return Object.fromEntries([50, 95, 99].map((p) => [`p${p}`, percentile(numbers, p)]))
}

function line(name, { windows, streams, engine, preparedSeconds }) {
  const [stream] = streams
  const { windowMs, perNewFrameMs, hostMs, gpu } = windows
  return (
    `${name}: ${perNewFrameMs.toFixed(2)} ms a new frame (window p50 ${windowMs.p50.toFixed(1)}, p99 ${windowMs.p99.toFixed(1)} ms, ` +
    `host ${hostMs.toFixed(2)} ms), stream p50 ${stream.totalMs.p50.toFixed(2)} p99 ${stream.totalMs.p99.toFixed(2)} ms, ` +
    `${gpu.memoryMiB} MiB, ${gpu.watts?.toFixed(0)} W, prepared in ${preparedSeconds.toFixed(0)} s, ${JSON.stringify(engine)}`
  )
}
