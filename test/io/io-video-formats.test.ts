// Owns: tests of which files are read as videos, and of how odd tags and rates are taken.
// Must not know: sound files, the pipeline.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as av from 'node-av'
import t from 'tap'
import { rgbVideoWriter } from '../../dist/esm/io/sinks/rgb-video-sink.js'
import { Timeline } from '../../dist/esm/io/sources/timeline.js'
import { openVideo } from '../../dist/esm/io/sources/video-source.js'
import { collect } from '../support/frames.js'
import { makeVideo, steady } from '../support/make-video.js'

const folder = t.testdir()
const at = (name: string): string => join(folder, name)

t.test('playlists, manifests and text are no videos, whatever they are called', async (t) => {
  const path = await makeVideo({ path: at('other.ts'), width: 64, height: 48, times: steady(10, 25) })
  await writeFile(at('hls.mp4'), '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:0.4,\nother.ts\n#EXT-X-ENDLIST\n')
  await writeFile(at('concat.mp4'), "ffconcat version 1.0\nfile 'other.ts'\n")
  await writeFile(
    at('dash.mp4'),
    `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT1S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>${path}</BaseURL></Representation></AdaptationSet></Period></MPD>`,
  )
  await writeFile(
    at('session.mp4'),
    'v=0\no=- 0 0 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n',
  )
  await writeFile(at('notes.txt'), 'Any text would be drawn as a terminal does.\n'.repeat(50))
  await writeFile(at('words.srt'), '1\n00:00:00,000 --> 00:00:01,000\nwords\n')
  for (const name of ['hls.mp4', 'concat.mp4', 'dash.mp4', 'session.mp4', 'notes.txt', 'words.srt'])
    await t.rejects(openVideo(at(name)), { code: 'SOURCE_UNREADABLE', message: /is no container or stream/ }, name)
})

t.test('a playlist where the caller says so: its own folder alone', async (t) => {
  await mkdir(at('lists'))
  await makeVideo({ path: at('lists/own.ts'), width: 64, height: 48, times: steady(10, 25) })
  await makeVideo({ path: at('outside.ts'), width: 64, height: 48, times: steady(10, 25) })
  const list = async (name: string, segment: string): Promise<string> => {
    const head = '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:0.4,\n'
    await writeFile(at(`lists/${name}`), `${head}${segment}\n#EXT-X-ENDLIST\n`)
    return at(`lists/${name}`)
  }
  const good = await collect(await openVideo(await list('good.m3u8', 'own.ts'), { playlists: true }))
  t.same([good.frames.length, good.error], [10, undefined])
  for (const segment of ['../outside.ts', at('outside.ts'), `file:${at('outside.ts')}`, 'http://127.0.0.1:1/x.ts']) {
    const path = await list('bad.m3u8', segment)
    await t.rejects(openVideo(path, { playlists: true }), { code: 'SOURCE_UNREADABLE', message: /outside its folder/ })
  }
})

t.test('colour matrices that cannot be converted count as untagged', async (t) => {
  const recipe = { width: 64, height: 48, times: steady(2, 25) }
  const untagged = await collect(await openVideo(await makeVideo({ ...recipe, path: at('untagged.mp4') })))
  for (const colorSpace of [av.AVCOL_SPC_YCGCO, av.AVCOL_SPC_BT2020_CL, av.AVCOL_SPC_SMPTE2085, av.AVCOL_SPC_ICTCP]) {
    const tagged = await makeVideo({ ...recipe, path: at(`matrix-${String(colorSpace)}.mp4`), colorSpace })
    const { frames, error } = await collect(await openVideo(tagged))
    t.equal(error, undefined)
    t.ok(Buffer.from(frames[1]?.data ?? []).equals(Buffer.from(untagged.frames[1]?.data ?? [])), String(colorSpace))
  }
})

t.test("Matroska's cropping", async (t) => {
  const recipe = { width: 64, height: 48, times: steady(2, 25), codec: 'ffv1' } as const
  const whole = await collect(await openVideo(await makeVideo({ ...recipe, path: at('whole.mkv') })))
  const { frames } = await collect(
    await openVideo(await makeVideo({ ...recipe, path: at('cut.mkv'), crop: [3, 5, 7, 9] })),
  )
  const [frame] = frames
  t.match(frame, { width: 48, height: 40 })
  t.same(frame?.data.slice(0, 3), whole.frames[0]?.data.slice((3 * 64 + 7) * 3, (3 * 64 + 7) * 3 + 3))
})

t.test('a rate of 24000/1001 stays one, also from times in milliseconds', async (t) => {
  const times = steady(24, 24000 / 1001)
  for (const name of ['film.mp4', 'film.mkv', 'film.ts']) {
    const source = await openVideo(await makeVideo({ path: at(name), width: 64, height: 48, times }))
    const path = at(`out-${name}.mp4`)
    const writer = await rgbVideoWriter(path, { frameRate: 24000 / 1001 })
    const timeline = new Timeline({ intervalMs: 1001 / 24, tickMs: name === 'film.mkv' ? 1 : 1 / 90 })
    for await (const frame of source) await writer.write({ ...frame, timestampMs: timeline.next(frame.timestampMs) })
    await writer.finish()
    const format = new av.FormatContext()
    t.ok((await format.openInput(path, null, null)) >= 0)
    t.ok((await format.findStreamInfo()) >= 0)
    const [stream] = format.streams
    t.match(stream?.avgFrameRate, { num: 24000, den: 1001 }, name)
    t.match(stream?.timeBase, { num: 1, den: 24000 }, name)
    await format.closeInput()
  }
})

t.test('a clock that jumps forward is another recording where containers are joined, and a gap elsewhere', (t) => {
  const next = (mayJump: boolean): readonly number[] => {
    const timeline = new Timeline({ intervalMs: 40, mayJump })
    return [0, 40, 500_000, 500_040].map((ms) => timeline.next(ms))
  }
  t.same(next(true), [0, 40, 80, 120])
  t.same(next(false), [0, 40, 500_000, 500_040])
  t.end()
})
