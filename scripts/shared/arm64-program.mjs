// Owns: what `npm run test:arm64` runs on two processors to compare: depth of made-up frames, as windows and as a stream.
// Must not know: processors. Run: node arm64-program.mjs PACKAGE CHECKPOINT PRECISION CACHE OUT.f32, the package as installed

import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const [folder, checkpoint, precision, cacheDir, output] = process.argv.slice(2)
const { VideoDepth } = await import(pathToFileURL(path.join(folder, 'dist', 'esm', 'index.js')).href)

const size = { width: 126, height: 70 }
/** Two windows. */
const frames = 24
const steps = 5

function frame(index) {
  const data = new Uint8Array(3 * size.width * size.height)
  for (let i = 0; i < data.length; i++) {
    const [x, y] = [Math.floor(i / 3) % size.width, Math.floor(i / 3 / size.width)]
    data[i] = 128 + 100 * Math.sin((x + 2 * index) / 9 + (i % 3)) * Math.cos(y / 7) + ((31 * x + 17 * y) % 23)
  }
  return { ...size, data, timestampMs: 40 * index }
}
async function* clip() {
  for (let i = 0; i < frames; i++) yield frame(i)
}

const model = await VideoDepth.load({ checkpoint, precision, cacheDir, inputSize: 70 })
const maps = []
for await (const { data } of model.process(clip())) maps.push(Float32Array.from(data))
const stream = model.stream({ queue: 'all' })
for (let i = 0; i < steps; i++) maps.push(Float32Array.from((await stream.push(frame(i))).data))
const { kernels, check } = model.engineInfo
await model.close()
writeFileSync(output, Buffer.concat(maps.map((map) => Buffer.from(map.buffer))))
console.log(JSON.stringify({ kernels, check, arch: process.arch, frames: maps.length }))
