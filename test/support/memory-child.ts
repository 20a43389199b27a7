// Owns: a process that runs the small network over many frames and prints its resident memory on the way.
// Must not know: what growth is too much.

import { VideoDepth, type DepthFrame } from 'video-depth'
import { tinyPth } from './checkpoint-files.js'

const [cacheDir = '', frameCount = '0', every = '1', keep = ''] = process.argv.slice(2)
const [width, height] = [320, 180]

/** A new array each: what is kept of one shows. */
function* frames() {
  const pattern = Uint8Array.from({ length: width * height * 3 }, (_, p) => (p * 7) & 255)
  for (let i = 0; i < Number(frameCount); i++) yield { data: pattern.slice().fill(i & 255, 0, 1000), width, height }
}

const kept: DepthFrame[] = []
const model = await VideoDepth.load({ checkpoint: tinyPth, inputSize: 42, threads: 1, cacheDir })
for await (const frame of model.process(frames())) {
  if (keep === 'keep') kept.push(frame)
  if ((frame.index + 1) % Number(every) !== 0) continue
  globalThis.gc?.()
  process.stdout.write(`${JSON.stringify({ frame: frame.index + 1, residentBytes: process.memoryUsage.rss() })}\n`)
}
await model.close()
