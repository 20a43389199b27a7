// Owns: tests of raw frames out of a pipe.
// Must not know: pixel conversion, files.

import { spawn } from 'node:child_process'
import { PassThrough, Readable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import type { PixelFormat } from '../../dist/esm/base/frame.js'
import {
  openRawFrames,
  type RawFrame,
  type RawFrameSource,
  type RawFramesOptions,
} from '../../dist/esm/io/live/raw-frames.js'

t.setTimeout(60_000)

const rgb = { width: 4, height: 2, pixelFormat: 'rgb24', frameRate: 25 } as const
const numbered = (bytes: number): Buffer => Buffer.from(Uint8Array.from({ length: bytes }, (_, i) => i % 251))

async function collect(source: RawFrameSource): Promise<{ frames: RawFrame[]; error: unknown }> {
  const frames: RawFrame[] = []
  try {
    for await (const frame of source) frames.push(frame)
  } catch (error) {
    return { frames, error }
  }
  return { frames, error: undefined }
}

/** The bytes in chunks of the given lengths, over and over. */
function chunked(bytes: Buffer, ...lengths: number[]): Readable {
  const chunks: Buffer[] = []
  for (let at = 0; at < bytes.length; at += chunks.at(-1)?.length ?? 1)
    chunks.push(bytes.subarray(at, at + (lengths[chunks.length % lengths.length] ?? 1)))
  return Readable.from(chunks, { objectMode: false })
}

t.test('frames are put together over the borders of chunks', async (t) => {
  const bytes = numbered(24 * 7)
  for (const lengths of [[24], [1], [23], [25], [1, 60, 3], [24 * 7]]) {
    const source = openRawFrames(chunked(bytes, ...lengths), rgb)
    t.same(source.info, { name: 'frames', width: 4, height: 2, frameRate: 25 })
    const { frames, error } = await collect(source)
    t.equal(error, undefined)
    t.same(Buffer.concat(frames.map(({ data }) => data)), bytes, `chunks of ${lengths.join(', ')}`)
    t.same(
      frames.map(({ timestampMs }) => timestampMs),
      [0, 40, 80, 120, 160, 200, 240],
    )
    t.match(frames[0], { width: 4, height: 2, pixelFormat: 'rgb24' })
  }
})

t.test('every pixel format has its length', async (t) => {
  const lengths: Record<PixelFormat, number> = {
    ...{ rgb24: 6 * 3 * 3, bgr24: 6 * 3 * 3, rgba: 6 * 3 * 4, bgra: 6 * 3 * 4 },
    ...{ gray8: 6 * 3, nv12: 6 * 3 + 6 * 2, yuyv422: 6 * 3 * 2 },
  }
  for (const [pixelFormat, bytes] of Object.entries(lengths) as [PixelFormat, number][]) {
    const options = { width: 6, height: 3, pixelFormat, colorMatrix: 'bt709', colorRange: 'full' } as const
    const { frames, error } = await collect(openRawFrames(chunked(numbered(bytes * 2), 7), options))
    t.equal(error, undefined, pixelFormat)
    t.match(frames, [{ ...options, data: numbered(bytes) }, options])
    t.ok((frames[1]?.timestampMs ?? 0) > (frames[0]?.timestampMs ?? 0), 'times of arrival increase')
  }
})

t.test('a frame that is cut short comes after the whole ones', async (t) => {
  const { frames, error } = await collect(openRawFrames(chunked(numbered(24 * 2 + 5), 10), { ...rgb, name: 'cam' }))
  t.equal(frames.length, 2)
  t.match(error, {
    code: 'SOURCE_DAMAGED',
    message: 'cam ended inside frame 2: 19 of its 24 bytes (4×2 rgb24) are missing',
  })
  const empty = await collect(openRawFrames(chunked(Buffer.alloc(0), 1), rgb))
  t.match(empty, { frames: [], error: { code: 'SOURCE_EMPTY' } })
})

t.test('a stream that fails', async (t) => {
  const input = new PassThrough()
  input.write(numbered(30))
  const collected = collect(openRawFrames(input, rgb))
  await setTimeout(20)
  input.destroy(new Error('cable pulled'))
  const { frames, error } = await collected
  t.equal(frames.length, 1)
  t.match(error, { code: 'SOURCE_UNREADABLE', message: 'Cannot read frames after 1 frame: cable pulled' })
  const early = new PassThrough()
  const source = openRawFrames(early, rgb)
  early.destroy(new Error('cable pulled'))
  await setTimeout(20)
  t.match(await collect(source), { error: { code: 'SOURCE_UNREADABLE' } }, 'before anybody listens')
})

t.test('bytes are taken only when a frame is asked for', async (t) => {
  let given = 0
  const input = new Readable({
    highWaterMark: 24,
    read() {
      given++
      this.push(numbered(24))
    },
  })
  const source = openRawFrames(input, rgb)
  await setTimeout(20)
  t.equal(given, 0)
  let taken = 0
  for await (const _ of source) {
    await setTimeout(5)
    taken++
    t.ok(given <= taken + 2, `${given} given when ${taken} were taken`)
    if (taken === 5) break
  }
  t.ok(input.destroyed, 'leaving the loop closes it')
})

t.test('closing and aborting end a wait', async (t) => {
  const silent = openRawFrames(new PassThrough(), rgb)
  const waiting = collect(silent)
  await setTimeout(20)
  await silent.close()
  t.match(await waiting, { error: { code: 'CLOSED' } })
  const abort = new AbortController()
  const aborted = collect(openRawFrames(new PassThrough(), { ...rgb, signal: abort.signal }))
  await setTimeout(20)
  abort.abort(new Error('enough'))
  t.match(await aborted, { error: { message: 'enough' } })
  const late = collect(openRawFrames(new PassThrough(), { ...rgb, signal: abort.signal }))
  t.match(await late, { error: { message: 'enough' } })
})

t.test("another program's output", async (t) => {
  const script = `
    const frame = Buffer.alloc(640 * 360 * 3)
    let left = 12
    const next = () => { if (left-- > 0) process.stdout.write(frame.fill(left), next); else process.stdout.write(frame.subarray(0, 100)) }
    next()`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const { frames, error } = await collect(
    openRawFrames(child.stdout, { width: 640, height: 360, pixelFormat: 'bgr24' }),
  )
  t.same(
    frames.map(({ data }) => data[data.length - 1]),
    [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
  )
  t.match(error, { code: 'SOURCE_DAMAGED', message: /691100 of its 691200 bytes/ })
})

t.test('options are checked', (t) => {
  const cases: [Partial<Record<keyof RawFramesOptions, unknown>>, RegExp][] = [
    [{ width: 0 }, /for width, received 0/],
    [{ height: 2.5 }, /for height, received 2\.5/],
    [{ pixelFormat: 'yuv420p' }, /Expected one of rgb24, .* for pixelFormat, received "yuv420p"/],
    [{ pixelFormat: 'nv12', width: 5 }, /Expected an even number, for nv12, for width, received 5/],
    [{ colorMatrix: 'bt2020' }, /for colorMatrix/],
    [{ colorRange: 'tv' }, /for colorRange/],
    [{ frameRate: 0 }, /for frameRate/],
    [{ fps: 3 } as object, /received "fps"/],
  ]
  for (const [wrong, message] of cases)
    t.throws(() => openRawFrames(new PassThrough(), { ...rgb, ...wrong } as RawFramesOptions), {
      code: 'INVALID_OPTION',
      message,
    })
  t.throws(() => openRawFrames(new PassThrough({ objectMode: true }), rgb), { code: 'INVALID_OPTION' })
  t.end()
})
