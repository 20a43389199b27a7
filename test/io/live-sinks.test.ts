// Owns: tests of outputs that are used while they grow: a pipe, a PNG sequence, a video that Ctrl-C ends.
// Must not know: engines, sources other than for reading back.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import t from 'tap'
import { pngSequenceSink, type PngSequenceOptions } from '../../dist/esm/io/sinks/png-sequence-sink.js'
import { rawStreamSink } from '../../dist/esm/io/sinks/raw-stream-sink.js'
import { openVideo } from '../../dist/esm/io/sources/video-source.js'
import { collect, depthFrame } from '../support/frames.js'

t.setTimeout(60_000)

const [width, height] = [34, 18]
const value = (index: number, x: number, y: number): number => 0.5 + index + x / 10 + y / 100
const frame = (index: number) => depthFrame(index, width, height, value)

interface Line {
  readonly file: string
  readonly index: number
  readonly timestampMs: number
  readonly offset: number
  readonly step: number
}

async function lines(folder: string): Promise<Line[]> {
  const text = await readFile(join(folder, 'frames.jsonl'), 'utf8')
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
}

async function pixels(file: string): Promise<Uint16Array> {
  const { data } = await sharp(file)
    .toColourspace('grey16')
    .raw({ depth: 'ushort' })
    .toBuffer({ resolveWithObject: true })
  return new Uint16Array(new Uint8Array(data).buffer)
}

t.test('raw: what the reader gets', async (t) => {
  const pipe = new PassThrough()
  const received: Buffer[] = []
  pipe.on('data', (data: Buffer) => received.push(Buffer.from(data)))
  const sink = rawStreamSink(pipe)
  for (const index of [0, 1, 2]) {
    const { data, ...rest } = frame(index)
    await sink.write({ ...rest, data })
    data.fill(NaN)
  }
  t.same(await sink.finish(), [])
  t.notOk(pipe.writableEnded, "the stream is the caller's")
  const floats = new Float32Array(new Uint8Array(Buffer.concat(received)).buffer)
  t.same(floats, Float32Array.from([0, 1, 2].flatMap((index) => [...frame(index).data])))
})

t.test('raw: a slow reader slows the writer down, an abort does not wait for it', async (t) => {
  const taken: (() => void)[] = []
  const slow = new Writable({ write: (_chunk, _encoding, done) => taken.push(done) })
  const sink = rawStreamSink(slow, 'the pipe')
  let written = 0
  const writing = sink.write(frame(0)).then(() => written++)
  const next = sink.write(frame(1))
  await setTimeout(20)
  t.same([written, taken.length], [0, 1])
  taken[0]?.()
  await writing
  const refused = t.rejects(next, { code: 'CLOSED', message: 'the pipe was aborted' })
  await setTimeout(20)
  await sink.abort()
  await refused
  await t.rejects(sink.finish(), { code: 'CLOSED' })
})

t.test('raw: a reader that goes away', async (t) => {
  const child = spawn(process.execPath, ['-e', 'process.stdin.once("data", () => process.exit())'], {
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  const sink = rawStreamSink(child.stdin)
  const large = depthFrame(0, 640, 360, value)
  const failed = (async () => {
    for (let i = 0; i < 1000; i++) await sink.write(large)
  })()
  const gone = { code: 'OUTPUT_UNWRITABLE', message: 'Cannot write standard output: its reader has closed it (EPIPE)' }
  await t.rejects(failed, gone)
  await t.rejects(sink.write(large), gone)
  await t.rejects(sink.finish(), gone)
  await sink.abort()
})

t.test('png sequence: each frame by its own range, and back', async (t) => {
  const folder = join(t.testdir(), 'new', 'depth')
  const sink = await pngSequenceSink(folder)
  for (const index of [0, 1, 7]) {
    await sink.write(frame(index))
    const last = (await lines(folder)).at(-1)
    t.match(last, { file: `00000${index}.png`, index, timestampMs: index * 40 }, 'there at once')
    const { data } = frame(index)
    const stored = await pixels(join(folder, last?.file ?? ''))
    const { offset = NaN, step = NaN } = last ?? {}
    const worst = stored.reduce(
      (worst, pixel, i) => Math.max(worst, Math.abs(offset + pixel * step - (data[i] ?? NaN))),
      0,
    )
    t.ok(worst <= step * 0.501, `within half a step: ${worst}`)
    t.same([Math.min(...stored), Math.max(...stored)], [0, 65535])
  }
  t.same(await sink.finish(), [folder])
  t.same((await readdir(folder)).sort(), ['000000.png', '000001.png', '000007.png', 'frames.jsonl'])
})

t.test('png sequence: millimetres, fixed bounds, flat frames', async (t) => {
  const folder = t.testdir()
  const write = async (name: string, options: PngSequenceOptions, values: number[], kind: 'metric' | 'disparity') => {
    const sink = await pngSequenceSink(join(folder, name), options)
    await sink.write(depthFrame(1_234_567, values.length, 1, (_, x) => values[x] ?? 0, kind))
    await sink.finish()
    const [line] = await lines(join(folder, name))
    return { line, pixels: [...(await pixels(join(folder, name, '1234567.png')))] }
  }
  const metric = await write('mm', {}, [1.2344, 65.535, 80], 'metric')
  t.match(metric, { line: { offset: 0, step: 0.001 }, pixels: [1234, 65535, 65535] })
  const fixed = await write('fixed', { range: { min: 1, max: 2 } }, [0, 1, 2, 3], 'disparity')
  t.match(fixed, { line: { offset: 1, step: 1 / 65535 }, pixels: [0, 0, 65535, 65535] })
  t.match(await write('flat', {}, [3, 3], 'disparity'), { line: { offset: 3, step: 0 }, pixels: [0, 0] })
  await t.rejects(write('wrong', { range: 'millimetres' }, [1], 'disparity'), { code: 'INVALID_OPTION' })
  await t.rejects(pngSequenceSink(folder, { range: 'global' } as unknown as PngSequenceOptions), {
    code: 'INVALID_OPTION',
    message: /'millimetres', 'frame' or/,
  })
})

t.test("png sequence: an earlier run's files are replaced, others are not", async (t) => {
  const folder = t.testdir({
    mine: { 'holiday.jpg': 'keep me' },
    ours: { '000000.png': 'old', '1000000.png': 'old', 'frames.jsonl': 'old', '.000001.png.partial-1-aa': 'old' },
  })
  await t.rejects(pngSequenceSink(join(folder, 'mine')), { code: 'OUTPUT_UNWRITABLE', message: /holiday\.jpg/ })
  const untouched = await pngSequenceSink(join(folder, 'ours'))
  await untouched.abort()
  t.equal((await readdir(join(folder, 'ours'))).length, 4, 'nothing goes before there is a frame')
  const sink = await pngSequenceSink(join(folder, 'ours'))
  await sink.write(frame(3))
  await sink.abort()
  t.same((await readdir(join(folder, 'ours'))).sort(), ['000003.png', 'frames.jsonl'], 'what was written stays')
  await t.rejects(sink.write(frame(4)), { code: 'CLOSED' })
  await writeFile(join(folder, 'file'), '')
  await t.rejects(pngSequenceSink(join(folder, 'file')), { code: 'OUTPUT_UNWRITABLE' })
})

t.test('video: Ctrl-C ends it playable', { skip: process.platform === 'win32' && 'no POSIX signals' }, async (t) => {
  const path = join(t.testdir(), 'live.mp4')
  const script = fileURLToPath(new URL('../support/live-video-child.js', import.meta.url))
  const child: ChildProcess = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  child.stdout?.once('data', () => child.kill('SIGINT'))
  const [code] = (await once(child, 'exit')) as [number | null]
  t.equal(code, 0)
  const { frames, error } = await collect(await openVideo(path))
  t.equal(error, undefined)
  t.ok(frames.length >= 10, `${frames.length} frames`)
})
