// Owns: one trial of a stream: frame after frame, then from a paced camera with the newest frame first. Prints one object.
// Must not know: other trials. Arguments: JSON { checkpoint, clip, inputSize, fps, seconds, threads, engine, prepareOnly }.

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { networkInputSize, openVideo } from 'video-depth'
import { MemoryPhases, print, ProcessorUse } from '../measure.mjs'
import { percentile } from '../shared.mjs'
import { load } from './load.mjs'

const { checkpoint, clip, inputSize, fps, seconds, threads, engine, prepareOnly } = JSON.parse(process.argv[2])
const timed = ['totalMs', 'queuedMs', 'preprocessMs', 'inferMs', 'postMs']
const memory = new MemoryPhases('load')
const pictures = []
for await (const { data, width, height } of await openVideo(clip)) pictures.push({ data, width, height })
const picture = (i) => pictures[i % pictures.length]
const { width, height } = pictures[0]
const model = await load({ checkpoint, inputSize, threads, ...engine })
if (model !== undefined) {
  print(await measure())
  await model.close()
}

async function measure() {
  const stream = model.stream({ queue: 'latest' })
  await stream.prepare(width, height)
  for (let i = 0; i < (prepareOnly ? 1 : 5); i++) await stream.push(picture(i)) // warm-up
  if (prepareOnly) return {}
  memory.enter('back')
  const use = new ProcessorUse()
  const { timings: back, took } = await frameAfterFrame(stream)
  const processor = use.result()
  memory.enter('paced')
  const paced = await fromCamera(stream)
  const network = networkInputSize(width, height, inputSize)
  return {
    network: `${network.height}×${network.width}`,
    secondsPerFrame: percentile(back, 50) / 1000,
    back: { framesPerSecond: back.length / took, totalMs: spread(back) },
    paced,
    engine: model.engineInfo,
    processor,
    ...memory.finish(),
  }
}

/** @returns milliseconds of each, seconds of all */
async function frameAfterFrame(stream) {
  const timings = []
  const started = performance.now()
  for (let i = 0; performance.now() - started < seconds * 500; i++)
    timings.push(check(await stream.push(picture(i))).totalMs)
  return { timings, took: (performance.now() - started) / 1000 }
}

async function fromCamera(stream) {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const computed = []
  const droppedBefore = stream.stats.dropped
  const begun = performance.now()
  const pushed = []
  for (let i = 0; i < seconds * fps; i++) {
    await wait(Math.max(0, begun + (i * 1000) / fps - performance.now()))
    pushed.push(stream.push(picture(i)).then((depth) => depth !== undefined && computed.push(check(depth))))
  }
  await Promise.all(pushed)
  delay.disable()
  return {
    computed: computed.length,
    dropped: stream.stats.dropped - droppedBefore,
    ...Object.fromEntries(timed.map((phase) => [phase, spread(computed.map((timings) => timings[phase]))])),
    // The monitor's own timer of 1 ms is not a delay.
    eventLoopMs: Object.fromEntries([50, 95, 99].map((p) => [`p${p}`, Math.max(0, delay.percentile(p) / 1e6 - 1)])),
  }
}

function check({ data, timings }) {
  const middle = data[data.length >> 1]
  if (!Number.isFinite(middle) || middle === 0) throw new Error(`the depth is not plausible: ${middle}`)
  return timings
}

function spread(numbers) {
  return Object.fromEntries([50, 95, 99].map((p) => [`p${p}`, percentile(numbers, p)]))
}
