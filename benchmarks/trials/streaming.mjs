// Owns: one trial of a stream: frame after frame, then from a paced camera with the newest frame first. Prints one object.
// Must not know: other trials. Arguments: JSON { checkpoint, width, height, inputSize, fps, seconds, threads, engine }.

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { networkInputSize, VideoDepth } from 'video-depth'
import { renderSequence } from '#lib/scene/sequence.js'
import { percentile } from '../shared.mjs'

const { checkpoint, width, height, inputSize, fps, seconds, threads, engine } = JSON.parse(process.argv[2])
const phases = ['totalMs', 'queuedMs', 'preprocessMs', 'inferMs', 'postMs']
const clip = [...renderSequence({ seed: 1, frames: 24, width, height, frameRate: fps })]
const picture = (i) => ({ data: clip[i % clip.length].data, width, height })

const model = await VideoDepth.load({ checkpoint, inputSize, threads, ...engine })
const stream = model.stream({ queue: 'latest' })
await stream.prepare(width, height)
for (let i = 0; i < 5; i++) await stream.push(picture(i)) // warm-up

const back = []
const started = performance.now()
for (let i = 0; performance.now() - started < seconds * 500; i++) back.push(check(await stream.push(picture(i))))
const backSeconds = (performance.now() - started) / 1000

const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()
const paced = []
const droppedBefore = stream.stats.dropped
const begun = performance.now()
const pushed = []
for (let i = 0; i < seconds * fps; i++) {
  await wait(Math.max(0, begun + (i * 1000) / fps - performance.now()))
  pushed.push(stream.push(picture(i)).then((depth) => depth !== undefined && paced.push(check(depth))))
}
await Promise.all(pushed)
delay.disable()

const { width: w, height: h } = networkInputSize(width, height, inputSize)
const result = {
  network: `${h}×${w}`,
  back: { framesPerSecond: back.length / backSeconds, totalMs: spread(back.map(({ totalMs }) => totalMs)) },
  paced: {
    computed: paced.length,
    dropped: stream.stats.dropped - droppedBefore,
    ...Object.fromEntries(phases.map((phase) => [phase, spread(paced.map((timings) => timings[phase]))])),
  },
  // The monitor's own timer of 1 ms is not a delay.
  eventLoopMs: Object.fromEntries([50, 95, 99].map((p) => [`p${p}`, Math.max(0, delay.percentile(p) / 1e6 - 1)])),
  engine: model.engineInfo,
  peakMemoryMiB: process.resourceUsage().maxRSS / 1024,
}
await model.close()
process.stdout.write(JSON.stringify(result))

function check({ data, timings }) {
  const middle = data[data.length >> 1]
  if (!Number.isFinite(middle) || middle === 0) throw new Error(`the depth is not plausible: ${middle}`)
  return timings
}

function spread(numbers) {
  return Object.fromEntries([50, 95, 99].map((p) => [`p${p}`, percentile(numbers, p)]))
}
