// Owns: tests of `run --streaming` and `live` as a person types them: outputs, sources, exit codes.
// Must not know: what the network computes.

import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import { type fromFrames, openVideo, VideoDepth } from 'video-depth'
import { tinyPth } from '../support/checkpoint-files.js'
import { largestError } from '../support/compare.js'
import { collect } from '../support/frames.js'
import { liveServer } from '../support/live-server.js'
import { makeVideo, steady } from '../support/make-video.js'
import { readNpz } from '../support/npz.js'
import { runCli, type Ended } from '../support/run-cli.js'
import { tinyFrame } from '../support/tiny-video.js'

t.setTimeout(300_000)

const folder = t.testdir()
const cacheDir = path.join(folder, 'cache')
const at = (...names: string[]): string => path.join(folder, ...names)
const network = ['--checkpoint', tinyPth, '--input-size', '28', '--cache-dir', cacheDir]
const size = { width: 64, height: 36 }
const clip = await makeVideo({ path: at('clip.mp4'), times: steady(40, 24), ...size, muxer: { movflags: 'faststart' } })
const run = (...args: string[]): Promise<Ended> => runCli(args, { cwd: folder })

/** What the API gives for the same frames. */
async function streamed(t: Test, frames: Parameters<typeof fromFrames>[0]): Promise<Float32Array[]> {
  const model = await VideoDepth.load({ checkpoint: tinyPth, inputSize: 28, cacheDir })
  t.teardown(() => model.close())
  const all: Float32Array[] = []
  for await (const { data } of model.stream().depths(frames)) all.push(data)
  return all
}

t.test('run --streaming: the outputs of run, frame by frame', async (t) => {
  const { code, stdout } = await run('run', clip, '-o', at('run'), ...network, '--streaming', '--save-npz', '--json')
  t.equal(code, 0)
  const summary = JSON.parse(stdout) as Record<string, unknown>
  t.match(summary, { frames: 40, scenes: 1, windows: null, latencyMs: { p50: Number, p99: Number }, error: null })
  t.same(readdirSync(at('run')).sort(), ['clip_depths.npz', 'clip_src.mp4', 'clip_vis.mp4'])
  const depths = (await readNpz(at('run', 'clip_depths.npz'))).get('depths')
  const wanted = await streamed(t, (await collect(await openVideo(clip))).frames)
  const found = depths?.data as Float32Array
  const length = size.width * size.height
  t.ok(wanted.every((map, i) => largestError(found.subarray(i * length, (i + 1) * length), map) === 0))
})

t.test('scene cuts, in windows and in streams', async (t) => {
  const { stdout } = await run('run', clip, '-o', at('cuts'), ...network, '--scene-cuts', '0.001', '--json')
  const scenes = (JSON.parse(stdout) as { scenes: number }).scenes
  t.ok(scenes > 1, `${scenes} scenes`)
  const streaming = await run('run', clip, '-o', at('cuts'), ...network, '--scene-cuts', '0.001', '--streaming')
  t.match(streaming.stdout, new RegExp(`, ${scenes} scenes, `))
  const off = await run('run', clip, '-o', at('cuts'), ...network, '--scene-cuts', '255', '--json')
  t.match(JSON.parse(off.stdout), { scenes: 1 })
})

t.test('raw frames through a pipe, float32 out of one', async (t) => {
  const frames = Array.from({ length: 8 }, (_, i) => tinyFrame(i))
  const input = Buffer.concat(frames.map(({ data }) => data))
  const args = ['live', '-', '--size', '128x72', '--stdout', '--status', '0', ...network]
  const whole = await runCli(args, { cwd: folder, input })
  t.equal(whole.code, 0)
  const wanted = await streamed(t, frames)
  const found = new Float32Array(Uint8Array.from(whole.bytes).buffer)
  t.equal(found.length, 8 * 128 * 72, 'standard input drops nothing')
  t.ok(wanted.every((map, i) => largestError(found.subarray(i * 128 * 72, (i + 1) * 128 * 72), map) === 0))

  const cut = await runCli(args, { cwd: folder, input: input.subarray(0, input.length - 1000) })
  t.equal(cut.code, 3)
  t.equal(cut.bytes.length, 7 * 128 * 72 * 4)
  t.match(
    cut.stderr,
    /the source ended early, 7 depth maps were kept: .*1000 of its 27648 bytes .* are missing \[SOURCE_DAMAGED\]/,
  )
  const empty = await runCli(args, { cwd: folder, input: new Uint8Array(0) })
  t.match([empty.code, empty.stderr], [1, /SOURCE_EMPTY/])
  const nv12 = ['--pixel-format', 'nv12', '--color-range', 'full', '--fps', '10']
  const other = await runCli([...args, ...nv12], { cwd: folder, input: new Uint8Array(128 * 108 * 3).fill(128) })
  t.same([other.code, other.bytes.length], [0, 3 * 128 * 72 * 4])
})

t.test('a video and PNGs, up to a number of frames', async (t) => {
  const args = ['live', clip, '--video', at('v.mp4'), '--png', at('png'), '--queue', 'all', '--max-len', '5', '--json']
  const { code, stdout, stderr } = await run(...args, ...network)
  t.equal(code, 0, stderr)
  t.match(JSON.parse(stdout), { source: 'clip.mp4', framesOut: 5, dropped: 0, scenes: 1, reconnects: 0, error: null })
  t.match(stderr, /connected: 64×36, 24\.00 fps; depth 64×36\n/)
  t.equal((await collect(await openVideo(at('v.mp4')))).frames.length, 5)
  t.same(readdirSync(at('png')).length, 6)
  const lines = readFileSync(at('png', 'frames.jsonl'), 'utf8').trim().split('\n')
  t.match(JSON.parse(lines[4] ?? ''), {
    file: '000004.png',
    index: 4,
    timestampMs: Number,
    offset: Number,
    step: Number,
  })
})

t.test('a source that is lost: what came is kept, and it is said', async (t) => {
  const body = readFileSync(await makeVideo({ path: at('live.ts'), times: steady(50, 25), ...size }))
  const server = await liveServer([{ body, then: 'cut' }, 'refuse'])
  t.teardown(() => server.close())
  const outputs = ['--video', at('lost.mp4'), '--queue', 'all', '--json']
  const { code, stdout, stderr } = await run('live', server.url, ...outputs, '--reconnect', '1', ...network)
  t.equal(code, 3, stderr)
  t.match(stderr, /lost the source: .*\n.*attempt 1 to get it back in [\d.]+ s\n[^]*ended early/)
  const summary = JSON.parse(stdout) as { framesOut: number; error: unknown }
  t.match(summary, { reconnects: 0, damagedPackets: Number, error: { code: 'SOURCE_LOST' } })
  t.ok(summary.framesOut > 10)
  t.equal((await collect(await openVideo(at('lost.mp4')))).frames.length, summary.framesOut)
})
