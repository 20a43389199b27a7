// Owns: tests of video files as frame sources: pixels, times, sizes, limits, abort.
// Must not know: damaged files, sinks.

import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { RgbFrame } from '../../dist/esm/base/frame.js'
import { openVideo } from '../../dist/esm/io/sources/video-source.js'
import { collect, worstDifference } from '../support/frames.js'
import { makeVideo, picture, steady } from '../support/make-video.js'

const folder = t.testdir()
const at = (name: string): string => join(folder, name)
/** crf 10 in 4:4:4, and one rounding each way between RGB and YUV. */
const lossyTolerance = 14
const realClip = join(process.cwd(), '../shared/video/davis_rollercoaster.mp4')

t.test('lossless video comes out bit by bit, odd sizes too', async (t) => {
  const recipe = { path: at('odd.mkv'), width: 37, height: 23, times: steady(5, 10), codec: 'ffv1' } as const
  const source = await openVideo(await makeVideo(recipe))
  t.match(source.info, { name: 'odd.mkv', width: 37, height: 23, frameRate: 10, frameCount: 5, frameCountExact: false })
  const { frames, error } = await collect(source)
  t.equal(error, undefined)
  t.same(
    frames.map(({ timestampMs }) => timestampMs),
    [0, 100, 200, 300, 400],
  )
  for (const [index, frame] of frames.entries()) {
    t.same([frame.width, frame.height, frame.data.length], [37, 23, 37 * 23 * 3])
    t.equal(worstDifference(frame.data, picture(recipe, index)), 0, `frame ${index}`)
  }
})

t.test('B-frames come out in display order, to the last one', async (t) => {
  const recipe = { path: at('b.mp4'), width: 64, height: 48, times: steady(23, 24), bFrames: 3 } as const
  const { frames, error } = await collect(await openVideo(await makeVideo(recipe)))
  t.equal(error, undefined)
  t.equal(frames.length, 23)
  for (const [index, frame] of frames.entries())
    t.ok(worstDifference(frame.data, picture(recipe, index)) <= lossyTolerance, `frame ${index}`)
})

t.test('variable frame rate: every frame keeps its time', async (t) => {
  const times = [0, 40, 50, 250, 260, 1000]
  for (const name of ['vfr.mp4', 'vfr.mkv']) {
    const path = await makeVideo({ path: at(name), width: 32, height: 32, times, bFrames: 2, offsetMs: 1000 })
    const { frames, error } = await collect(await openVideo(path))
    t.equal(error, undefined)
    t.same(
      frames.map(({ timestampMs }) => Math.round(timestampMs)),
      times,
      name,
    )
  }
})

t.test('rotation of the container is applied', async (t) => {
  for (const quarterTurns of [0, 1, 2, 3] as const) {
    const recipe = { path: at(`turn${quarterTurns}.mp4`), width: 64, height: 32, times: [0, 40], quarterTurns } as const
    const source = await openVideo(await makeVideo(recipe))
    const [frame] = (await collect(source)).frames
    const sideways = quarterTurns % 2 === 1
    t.same([source.info.width, source.info.height], sideways ? [32, 64] : [64, 32])
    const expected = turned(picture(recipe, 0), 64, 32, quarterTurns)
    t.ok(worstDifference(frame?.data ?? new Uint8Array(), expected) <= lossyTolerance, `${quarterTurns} quarter turns`)
  }
})

t.test('maxRes, maxLen and targetFps', async (t) => {
  const recipe = { path: at('limits.mkv'), width: 80, height: 45, times: steady(11, 10), codec: 'ffv1' } as const
  const path = await makeVideo(recipe)
  const small = await openVideo(path, { maxRes: 40 })
  t.same([small.info.width, small.info.height], [40, 22], '22.5 is rounded to even')
  t.equal((await collect(small)).frames[10]?.data.length, 40 * 22 * 3)
  const few = await openVideo(path, { maxLen: 4 })
  t.equal(few.info.frameCount, 4)
  t.same(await collect(few).then(({ frames, error }) => [frames.length, error]), [4, undefined])
  const slow = await openVideo(path, { targetFps: 3 })
  t.match(slow.info, { frameCount: 4 })
  t.ok(Math.abs((slow.info.frameRate ?? 0) - 10 / 3) < 1e-9)
  const { frames } = await collect(slow)
  t.same(
    frames.map(({ timestampMs }) => timestampMs),
    [0, 300, 600, 900],
  )
  t.equal(worstDifference(frames[2]?.data ?? new Uint8Array(), picture(recipe, 6)), 0)
})

t.test('whole files of every container end without complaint', async (t) => {
  for (const extension of ['mp4', 'mov', 'mkv', 'ts', 'avi']) {
    const bFrames = extension === 'avi' ? 0 : 2
    const path = await makeVideo({
      path: at(`whole.${extension}`),
      width: 32,
      height: 32,
      times: steady(30, 25),
      bFrames,
    })
    const { frames, error } = await collect(await openVideo(path))
    t.same([frames.length, error], [30, undefined], extension)
  }
})

t.test('a video of one frame', async (t) => {
  const path = await makeVideo({ path: at('one.mp4'), width: 32, height: 32, times: [0] })
  t.same(await collect(await openVideo(path)).then(({ frames, error }) => [frames.length, error]), [1, undefined])
})

t.test('what is no video is refused with its name', async (t) => {
  await writeFile(at('text.mp4'), 'This is not a video, whatever its name says.\n'.repeat(20))
  await writeFile(at('empty.mp4'), '')
  await writeFile(at('sound.wav'), wav())
  const cases: [string, RegExp][] = [
    ['text.mp4', /text\.mp4/],
    ['empty.mp4', /empty\.mp4 is empty/],
    ['missing.mp4', /missing\.mp4: ENOENT/],
    ['sound.wav', /sound\.wav has no video stream/],
    ['', /is a folder/],
  ]
  for (const [name, message] of cases) await t.rejects(openVideo(at(name)), { code: 'SOURCE_UNREADABLE', message })
})

t.test('a video without a frame is empty', async (t) => {
  const path = await makeVideo({ path: at('none.mp4'), width: 32, height: 32, times: [] })
  await t.rejects(openVideo(path), { code: /SOURCE_EMPTY|SOURCE_UNREADABLE/ })
})

t.test('a source is read once, and closes when the loop ends early', async (t) => {
  const path = await makeVideo({ path: at('once.mp4'), width: 32, height: 32, times: steady(20, 25) })
  const source = await openVideo(path)
  for await (const frame of source) if (frame.timestampMs > 0) break
  t.throws(() => source[Symbol.asyncIterator](), { code: 'CLOSED' })
  await source.close()
  await source.close()
  const unread = await openVideo(path)
  await unread.close()
  t.match(await collect(unread), { frames: [], error: { code: 'CLOSED' } })
})

t.test('close in mid-decode ends the loop with CLOSED', async (t) => {
  const source = await openVideo(
    await makeVideo({ path: at('mid.mp4'), width: 320, height: 240, times: steady(30, 25) }),
  )
  const iterator = source[Symbol.asyncIterator]()
  await iterator.next()
  const pending = Promise.all([
    t.rejects(
      iterator.next().then(() => iterator.next()),
      { code: 'CLOSED' },
    ),
    source.close(),
  ])
  await pending
})

t.test('abort rejects with the reason: before, while opening, while reading', async (t) => {
  const path = await makeVideo({ path: at('abort.mp4'), width: 320, height: 240, times: steady(30, 25) })
  const reason = new Error('stop')
  await t.rejects(openVideo(path, { signal: AbortSignal.abort(reason) }), reason)
  const opening = new AbortController()
  const opened = openVideo(path, { signal: opening.signal })
  opening.abort(reason)
  await t.rejects(opened, reason)
  const reading = new AbortController()
  const source = await openVideo(path, { signal: reading.signal })
  const seen: RgbFrame[] = []
  const loop = async (): Promise<void> => {
    for await (const frame of source) if (seen.push(frame) === 3) reading.abort(reason)
  }
  await t.rejects(loop(), reason)
  t.equal(seen.length, 3)
  await source.close()
})

t.test('the real clip', { skip: existsSync(realClip) ? false : 'the clip is not on this machine' }, async (t) => {
  const source = await openVideo(realClip)
  t.match(source.info, { width: 960, height: 540, frameRate: 24, frameCount: 70 })
  let count = 0
  for await (const frame of source) {
    if (Math.abs(frame.timestampMs - (count * 1000) / 24) > 0.1) t.fail(`frame ${count} is at ${frame.timestampMs} ms`)
    count++
  }
  t.equal(count, 70)
})

t.test('the event loop turns while a video is decoded', async (t) => {
  const path = await makeVideo({ path: at('loop.mp4'), width: 640, height: 360, times: steady(20, 25) })
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  const { frames } = await collect(await openVideo(path))
  clearInterval(timer)
  t.equal(frames.length, 20)
  t.ok(turns > 0, `${turns} turns`)
  t.ok((await readFile(path)).length > 0)
})

function turned(rgb: Uint8Array, width: number, height: number, quarterTurns: number): Uint8Array {
  if (quarterTurns === 0) return rgb
  const out = new Uint8Array(rgb.length)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      // One quarter turn clockwise: the pixel at (x, y) goes to (height − 1 − y, x) of a picture `height` wide.
      const to = (x * height + (height - 1 - y)) * 3
      out.set(rgb.subarray((y * width + x) * 3, (y * width + x) * 3 + 3), to)
    }
  return turned(out, height, width, quarterTurns - 1)
}

/** A tenth of a second of silence. */
function wav(): Buffer {
  const header = Buffer.alloc(44)
  header.write('RIFF', 0)
  header.writeUInt32LE(36 + 1600, 4)
  header.write('WAVEfmt ', 8)
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(8000, 24)
  header.writeUInt32LE(16000, 28)
  header.writeUInt16LE(2, 32)
  header.writeUInt16LE(16, 34)
  header.write('data', 36)
  header.writeUInt32LE(1600, 40)
  return Buffer.concat([header, Buffer.alloc(1600)])
}
