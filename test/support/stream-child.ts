// Owns: a process that restores a stream and goes on with it.
// Must not know: what its depth should be.

import { readFile, writeFile } from 'node:fs/promises'
import { VideoDepth, type StreamOptions } from 'video-depth'
import { tinyPth } from './checkpoint-files.js'
import { endlessFrame } from './tiny-video.js'

const [cacheDir = '', snapshot = '', options = '{}', from = '0', count = '0', out = ''] = process.argv.slice(2)
const model = await VideoDepth.load({ checkpoint: tinyPth, inputSize: 28, cacheDir, threads: 1 })
const stream = model.stream({ ...(JSON.parse(options) as StreamOptions), queue: 'all' })
await stream.restore(await readFile(snapshot))
const facts: unknown[] = []
const parts: Buffer[] = []
for (let i = 0; i < Number(count); i++) {
  const { data, index, scene, stabilization } = await stream.push(endlessFrame(Number(from) + i))
  facts.push({ index, scene, stabilization })
  parts.push(Buffer.from(data.buffer))
}
await writeFile(out, Buffer.concat(parts))
process.stdout.write(JSON.stringify(facts))
await model.close()
