// Owns: tests of what the public objects promise at the edges of their lives: promises left alone, first figures, keys, clocks, builds.
// Must not know: networks.

import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { VideoDepthError } from '../../dist/esm/base/errors.js'
import { evaluateVideo } from '../../dist/esm/evaluate/video-evaluation.js'
import { fromFrames } from '../../dist/esm/io/sources/frames-source.js'
import { rgbVideoWriter } from '../../dist/esm/io/sinks/rgb-video-sink.js'
import { openSink } from '../../dist/esm/io/sinks/sinks.js'
import { openVideo } from '../../dist/esm/io/sources/video-source.js'
import { describeCheckpoint } from '../../dist/esm/prepare/checkpoint/describe.js'
import packageRoot from '../../dist/esm/package-root.cjs'
import { WrittenTimes } from '../../dist/esm/io/sinks/written-times.js'
import { EchoEngine, frame, height, streamOn, width } from '../support/echo-engine.js'
import { collect } from '../support/frames.js'
import { quietScenes } from '../support/left-alone-child.js'
import { tinyPth } from '../support/checkpoint-files.js'

const folder = t.testdir()
const at = (name: string): string => path.join(folder, name)

function leftAlone(scene: string): { readonly status: number | null; readonly stderr: string } {
  const file = fileURLToPath(new URL('../support/left-alone-child.js', import.meta.url))
  return spawnSync(process.execPath, ['--enable-source-maps', file, scene], { encoding: 'utf8' })
}

for (const scene of quietScenes) {
  void t.test(`promises left alone do not end the process: ${scene}`, (t) => {
    const { status, stderr } = leftAlone(scene)
    t.same([status, stderr], [0, ''])
    t.end()
  })
}

t.test('a failure that nobody caused by closing is not swallowed', (t) => {
  const { status, stderr } = leftAlone('a failure')
  t.equal(status, 1)
  t.match(stderr, /Frame 0: Expected 24 bytes/)
  t.end()
})

t.test('latencies are undefined before the first sample', async (t) => {
  const stream = streamOn(new EchoEngine())
  t.equal(stream.stats.latency, undefined)
  await stream.prepare(width, height)
  const depth = await stream.push(frame(1))
  t.match(depth?.latency, { p50: Number, p95: Number, p99: Number })
  t.match(stream.stats.latency, { p50: Number, p95: Number, p99: Number })
  await stream.close()
})

t.test('keys that nobody reads are refused wherever an object has keys', async (t) => {
  const strange = { ...frame(1), timestamp: 40 }
  const stream = streamOn(new EchoEngine())
  const refusal = { code: 'FRAME_INVALID', message: /Frame 0: Expected only data, .* for frame, received "timestamp"/ }
  await t.rejects(stream.push(strange), refusal)
  await t.rejects(fromFrames([strange]), refusal)
  await stream.close()
  const invalid = (name: string): { code: string; message: RegExp } => ({
    code: 'INVALID_OPTION',
    message: new RegExp(`received "${name}"`),
  })
  await t.rejects(rgbVideoWriter(at('x.mp4'), { fps: 3 } as object), invalid('fps'))
  const range = { min: 0, max: 1, unit: 'm' }
  await t.rejects(openSink({ format: 'video', path: at('y.mp4'), range }), invalid('unit'))
  await t.rejects(describeCheckpoint(tinyPth, { checkNaN: true } as object), invalid('checkNaN'))
  const plane = { data: Float32Array.of(1, 2), width: 2, height: 1 }
  const pair = { prediction: plane, truth: plane }
  await t.rejects(
    evaluateVideo(() => [{ ...pair, camera: {} } as typeof pair]),
    invalid('camera'),
  )
  const pose = [
    [1, 0, 0, 0],
    [0, 1, 0, 0],
    [0, 0, 1, 0],
    [0, 0, 0, 1],
  ] as const
  const intrinsics = { fx: 1, fy: 1, cx: 0, cy: 0, k1: 0.1 }
  await t.rejects(
    evaluateVideo(() => [{ ...pair, pose, intrinsics }], { depth: { kind: 'metric' }, measures: ['tae'] }),
    invalid('k1'),
  )
})

t.test('a frame without a time is refused where it is written', async (t) => {
  const data = new Uint8Array(24)
  const frameless = { data, width, height, timestamp: 3 } as unknown as Parameters<
    Awaited<ReturnType<typeof rgbVideoWriter>>['write']
  >[0]
  const writer = await rgbVideoWriter(at('z.mp4'))
  await t.rejects(writer.write(frameless), { code: 'FRAME_INVALID', message: /timestampMs, received undefined/ })
  await writer.abort()
  const short = await rgbVideoWriter(at('z.mp4'))
  await t.rejects(short.write({ data: data.subarray(1), width, height, timestampMs: 0 }), { code: 'FRAME_INVALID' })
  await short.abort()
  const sink = await openSink({ format: 'raw', path: at('z.f32') })
  const depth = { index: 0, width, height, data: new Float32Array(8), kind: 'disparity', timestampMs: NaN } as const
  await t.rejects(sink.write(depth), { code: 'FRAME_INVALID', message: /timestampMs of depth frame 0, received NaN/ })
  await sink.abort()
})

t.test('times of any clock make a video that begins at 0, and a clock that is set does not stretch it', async (t) => {
  const epochMs = Date.UTC(2026, 0, 1)
  const writer = await rgbVideoWriter(at('epoch.mp4'), { frameRate: 25 })
  for (const ms of [0, 40, 80, 120])
    await writer.write({ data: new Uint8Array(64 * 64 * 3), width: 64, height: 64, timestampMs: epochMs + ms })
  await writer.finish()
  const { frames } = await collect(await openVideo(at('epoch.mp4')))
  t.same(
    frames.map(({ timestampMs }) => Math.round(timestampMs)),
    [0, 40, 80, 120],
  )
  const times = new WrittenTimes(40)
  const given = [1000, 1040, epochMs, epochMs + 30, epochMs + 60_030, 5, 45, 45, 40]
  t.same(
    given.map((ms) => times.next(ms)),
    [0, 40, 80, 110, 60_110, 60_150, 60_190, 60_190, 60_185],
  )
  t.end()
})

t.test('an error of one build is an instance of the other build’s class', (t) => {
  const require = createRequire(path.join(packageRoot, 'package.json'))
  const other = require('./dist/cjs/index.js') as { readonly VideoDepthError: typeof VideoDepthError }
  t.not(other.VideoDepthError, VideoDepthError)
  t.ok(new other.VideoDepthError('CLOSED', 'x') instanceof VideoDepthError)
  t.ok(new VideoDepthError('CLOSED', 'x') instanceof other.VideoDepthError)
  class Mine extends VideoDepthError {}
  t.ok(new Mine('CLOSED', 'x') instanceof VideoDepthError)
  t.ok(new Mine('CLOSED', 'x') instanceof other.VideoDepthError)
  t.notOk(new VideoDepthError('CLOSED', 'x') instanceof Mine)
  for (const stranger of [new Error('x'), {}, { code: 'CLOSED' }, null, undefined, 'x', 3])
    t.notOk((stranger as unknown) instanceof VideoDepthError)
  t.end()
})
