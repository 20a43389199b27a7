// Owns: tests of video files that are cut short, corrupted or change in mid-stream.
// Must not know: sound files, sinks.

import { open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { openVideo } from '../../dist/esm/io/sources/video-source.js'
import { collect, worstDifference } from '../support/frames.js'
import { makeVideo, picture, steady } from '../support/make-video.js'

const folder = t.testdir()
const at = (name: string): string => join(folder, name)
const lossyTolerance = 14

const noise = (frame: number, x: number, y: number): [number, number, number] => {
  const value = (Math.imul(frame * 7919 + y * 104_729 + x * 1_299_709, 2_654_435_761) >>> 24) & 0x7f
  return [value, value, 200 - value]
}

t.test('a size that changes in mid-stream is reported after all frames before it', async (t) => {
  const first = await makeVideo({ path: at('a.ts'), width: 64, height: 48, times: steady(8, 25) })
  const second = await makeVideo({ path: at('b.ts'), width: 96, height: 64, times: steady(8, 25), offsetMs: 320 })
  await writeFile(at('joined.ts'), Buffer.concat([await readFile(first), await readFile(second)]))
  const { frames, error } = await collect(await openVideo(at('joined.ts')))
  t.equal(frames.length, 8)
  t.match(error, { code: 'FRAME_SIZE_CHANGED', message: /Frame 8 of .*joined\.ts .* is 96×64, .* 64×48/ })
})

t.test('an MP4 that ends early: what is there comes out, then the damage', async (t) => {
  const recipe = {
    path: at('whole.mp4'),
    width: 64,
    height: 48,
    times: steady(40, 20),
    pixel: noise,
    muxer: { movflags: '+faststart' },
  }
  const whole = await readFile(await makeVideo(recipe))
  for (const share of [0.55, 0.8]) {
    const path = at(`cut${share}.mp4`)
    await writeFile(path, whole.subarray(0, Math.round(whole.length * share)))
    const { frames, error } = await collect(await openVideo(path))
    t.ok(frames.length > 10 && frames.length < 40, `${frames.length} frames`)
    t.match(error, { code: 'SOURCE_DAMAGED', message: /promises 2\.000 s and ends after/ })
    t.match((error as Error).message, `All ${frames.length} frames`)
  }
})

t.test('a long video that lacks less than a hundredth is incomplete too', async (t) => {
  const recipe = {
    path: at('long.mp4'),
    width: 16,
    height: 16,
    times: steady(1600, 4),
    pixel: noise,
    keyInterval: 1,
    muxer: { movflags: '+faststart' },
  }
  const whole = await readFile(await makeVideo(recipe))
  t.equal((await collect(await openVideo(recipe.path))).error, undefined, 'the whole of it is not called damaged')
  const index = whole.indexOf('mdat')
  await writeFile(at('long-cut.mp4'), whole.subarray(0, index + Math.round((whole.length - index) * 0.995)))
  const { frames, error } = await collect(await openVideo(at('long-cut.mp4')))
  t.ok(frames.length > 1584 && frames.length < 1596, `${frames.length} frames`)
  t.match(error, { code: 'SOURCE_DAMAGED', message: /promises 400\.000 s and ends after 39\d\.\d+ s/ })
})

t.test('a fragmented MP4 and a Matroska file that end early', async (t) => {
  const fragmented = { movflags: '+frag_keyframe+empty_moov+default_base_moof' }
  for (const [name, muxer] of [
    ['frag.mp4', fragmented],
    ['cut.mkv', {}],
  ] as const) {
    const whole = await readFile(
      await makeVideo({ path: at(name), width: 64, height: 48, times: steady(40, 20), pixel: noise, muxer }),
    )
    await writeFile(at(name), whole.subarray(0, Math.round(whole.length * 0.6)))
    const { frames, error } = await collect(await openVideo(at(name)))
    t.ok(frames.length > 10 && frames.length < 40, `${name}: ${frames.length} frames`)
    t.match(error, { code: 'SOURCE_DAMAGED' }, name)
  }
})

t.test('corrupted bytes: decoding goes on behind them', async (t) => {
  const recipe = {
    path: at('good.mp4'),
    width: 64,
    height: 48,
    times: steady(40, 20),
    pixel: noise,
    keyInterval: 5,
    muxer: { movflags: '+faststart' },
  }
  const path = await makeVideo(recipe)
  const file = await open(path, 'r+')
  const { size } = await file.stat()
  await file.write(Buffer.alloc(600, 0xff), 0, 600, Math.round(size * 0.5))
  await file.close()
  const { frames, error } = await collect(await openVideo(path))
  t.match(error, {
    code: 'SOURCE_DAMAGED',
    message: /is damaged: \d+ (packets?|frames?) (could not be read or decoded|came out with errors)/,
  })
  t.ok(frames.length >= 30, `${frames.length} frames`)
  const last = frames.at(-1)
  t.equal(Math.round(last?.timestampMs ?? 0), 1950)
  t.ok(worstDifference(last?.data ?? new Uint8Array(), picture(recipe, 39)) <= 40, 'the last frame is intact')
})

t.test('nothing but noise behind the index: empty', async (t) => {
  const path = await makeVideo({
    path: at('noise.mp4'),
    width: 64,
    height: 48,
    times: steady(10, 20),
    muxer: { movflags: '+faststart' },
  })
  const bytes = await readFile(path)
  bytes.fill(0xa5, bytes.indexOf('mdat') + 4)
  await writeFile(path, bytes)
  await t.rejects(openVideo(path), { code: 'SOURCE_EMPTY', message: /no frame that can be decoded: it is damaged/ })
})

t.test('an undamaged stream cut by maxLen is not called damaged', async (t) => {
  const recipe = { path: at('fine.mp4'), width: 64, height: 48, times: steady(40, 20), bFrames: 2 }
  const { frames, error } = await collect(await openVideo(await makeVideo(recipe), { maxLen: 7 }))
  t.same([frames.length, error], [7, undefined])
  t.ok(worstDifference(frames[6]?.data ?? new Uint8Array(), picture(recipe, 6)) <= lossyTolerance)
})
