// Owns: one trial of the product: a video through VideoDepth, phases apart. Prints one JSON object.
// Must not know: other trials. Arguments: JSON { checkpoint, video, inputSize, threads, engine }.

import { VideoDepth } from 'video-depth'

const { checkpoint, video, inputSize, threads, engine } = JSON.parse(process.argv[2])
const started = performance.now()
const model = await VideoDepth.load({ checkpoint, inputSize, threads, ...engine })
const loaded = performance.now()
const run = model.process(video)
let firstFrame
let sum = 0
for await (const { data } of run) {
  firstFrame ??= performance.now()
  sum += data[data.length >> 1]
}
const ended = performance.now()
if (!Number.isFinite(sum) || sum === 0) throw new Error(`the depth is not plausible: ${sum}`)
const { framesOut, seconds, windows } = run.summary
const info = model.engineInfo
await model.close()
const result = {
  frames: framesOut,
  windows,
  engine: info,
  seconds: {
    load: (loaded - started) / 1000,
    firstFrame: (firstFrame - loaded) / 1000,
    total: (ended - loaded) / 1000,
    ...seconds,
  },
  peakMemoryMiB: process.resourceUsage().maxRSS / 1024,
}
process.stdout.write(`${JSON.stringify(result)}\n`)
