// Owns: `npm run bench:soak`: a stream of 20,000 frames: memory on the way, and whether a fresh stream ends where it does.
// Must not know: how a stream works. With `--frames`, another length.

import { execFile } from 'node:child_process'
import path from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { VideoDepth } from 'video-depth'
import { writeReport } from './shared.mjs'

const { values } = parseArgs({
  options: { frames: { type: 'string', default: '20000' }, child: { type: 'boolean', default: false } },
})
const frames = Number(values.frames)
const [width, height] = [128, 72]
const every = Math.max(1, Math.floor(frames / 40))

if (values.child) await run()
else await compare()

/** Runs the stream and prints a line for each sample. */
async function run() {
  const checkpoint = path.join(import.meta.dirname, '..', 'test', 'fixtures', 'tiny.pth')
  const model = await VideoDepth.load({ checkpoint, inputSize: 70, threads: 1 })
  const stream = model.stream()
  const pattern = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 7 + (i >> 6)) & 255)
  for (let i = 0; i < frames; i++) {
    const data = pattern.map((value, p) => value ^ ((p + 3 * i) & 63)) // a new array each: what is kept shows
    const { data: depth } = await stream.push({ data, width, height })
    if ((i + 1) % every !== 0 && i + 1 !== 500) continue
    globalThis.gc?.()
    const bits = new Uint32Array(depth.buffer).reduce((hash, value) => (Math.imul(hash, 31) + value) | 0, 7)
    console.log(JSON.stringify({ frame: i + 1, residentMiB: process.memoryUsage.rss() / 2 ** 20, bits }))
  }
  await model.close()
}

/** The same frames in two processes: one stream, and another that is replayed from the first frame. */
async function compare() {
  const once = async () => {
    const args = ['--expose-gc', import.meta.filename, '--child', '--frames', String(frames)]
    const { stdout } = await promisify(execFile)(process.execPath, args, {
      env: { ...process.env, MALLOC_ARENA_MAX: '1' },
    })
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  }
  const [stream, replayed] = await Promise.all([once(), once()])
  const differing = stream.filter(({ bits }, i) => bits !== replayed[i].bits)
  const memory = ({ frame, residentMiB }) => `${residentMiB.toFixed(1)} MiB after ${frame} frames`
  const after = stream.filter(({ frame }) => frame >= 500)
  const most = after.reduce((a, b) => (b.residentMiB > a.residentMiB ? b : a))
  console.log(`${memory(after[0])}, at most ${memory(most)}, at the end ${memory(after.at(-1))}`)
  console.log(`${differing.length} of ${stream.length} compared depth maps differ from the replayed stream's`)
  console.log(`raw: ${writeReport('soak', { frames, stream, replayed })}`)
  if (differing.length > 0) process.exitCode = 1
}
