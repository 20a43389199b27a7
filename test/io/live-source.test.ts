// Owns: tests of live sources against servers that break.
// Must not know: engines, sinks, other protocols than HTTP.

import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { LiveEvent, LiveOptions } from '../../dist/esm/io/live/live-options.js'
import { openLive, type LiveFrame, type LiveSource } from '../../dist/esm/io/live/live-source.js'
import { liveServer, type LiveServer, type Turn } from '../support/live-server.js'
import { makeVideo, steady } from '../support/make-video.js'

/** Nothing here takes a tenth of it; what hangs fails. */
t.setTimeout(120_000)

const folder = t.testdir()
const at = (name: string): string => join(folder, name)
const red = [200, 20, 20] as const
const blue = [20, 20, 200] as const

async function clip(name: string, colour: readonly [number, number, number], width = 64, height = 48): Promise<Buffer> {
  const path = at(`${name}.ts`)
  const recipe = { path, width, height, times: steady(40, 25), keyInterval: 10, pixel: () => colour }
  return readFile(await makeVideo(recipe))
}

const redClip = await clip('red', red)
const blueClip = await clip('blue', blue)
const wideClip = await clip('wide', blue, 96, 64)

/** Frames up to the end, an error, or `most`. */
async function take(source: LiveSource, most = Infinity): Promise<{ frames: LiveFrame[]; error: unknown }> {
  const frames: LiveFrame[] = []
  try {
    for await (const frame of source) if (frames.push(frame) >= most) break
  } catch (error) {
    return { frames, error }
  }
  return { frames, error: undefined }
}

interface Watched {
  readonly source: LiveSource
  readonly events: LiveEvent[]
  readonly server: LiveServer
}

const quick = { firstDelayMs: 10, mostDelayMs: 40 } as const

async function opened(t: Test, turns: readonly Turn[], options: LiveOptions = {}): Promise<Watched> {
  const server = await liveServer(turns)
  t.teardown(() => server.close())
  const events: LiveEvent[] = []
  const source = await openLive(server.url, { reconnect: quick, ...options, onEvent: (event) => events.push(event) })
  return { source, events, server }
}

function isColour(frame: LiveFrame | undefined, colour: readonly number[]): boolean {
  return colour.every((value, channel) => Math.abs((frame?.data[channel] ?? 999) - value) <= 12)
}

function isIncreasing(frames: readonly LiveFrame[]): boolean {
  return frames.every(({ timestampMs }, i) => i === 0 || timestampMs > (frames[i - 1]?.timestampMs ?? Infinity))
}

const types = (events: readonly LiveEvent[]): string[] => events.map(({ type }) => type)

t.test('a stream that is cut and comes back', async (t) => {
  const turns: Turn[] = [{ body: redClip, then: 'cut' }, 'refuse', { body: blueClip, then: 'stall' }]
  const { source, events } = await opened(t, turns)
  t.match(source.info, { name: /^127\.0\.0\.1-\d+-live\.ts$/, width: 64, height: 48, frameCount: undefined })
  const { frames, error } = await take(source, 70)
  t.equal(error, undefined)
  t.ok(isIncreasing(frames))
  const comeback = frames.findIndex(({ discontinuity }) => discontinuity)
  t.ok(comeback > 30 && comeback <= 40, `${comeback} frames before the cut`)
  t.equal(frames.filter(({ discontinuity }) => discontinuity).length, 1)
  t.ok(isColour(frames[0], red) && isColour(frames[comeback - 1], red) && isColour(frames[comeback], blue))
  t.equal(
    Math.round((frames[20]?.timestampMs ?? 0) - (frames[10]?.timestampMs ?? 0)),
    400,
    "the stream's own distances",
  )
  t.same(types(events), ['connected', 'lost', 'retrying', 'retrying', 'connected'])
  t.match(events[0], { output: { width: 64, height: 48 } })
  t.match(events[2], { attempt: 1, reason: (events[1] as { reason: string }).reason })
  t.match(events[3], { attempt: 2, reason: /^Cannot read http:/ })
  t.match(source.stats, { framesIn: 70, reconnects: 1, sizeChanges: 0, lastFrameMs: frames[69]?.timestampMs })
})

t.test('a stream that falls silent, and one that ends', async (t) => {
  const turns: Turn[] = [
    { body: redClip, then: 'stall' },
    { body: blueClip, then: 'end' },
    { body: redClip, then: 'stall' },
  ]
  const { source, events } = await opened(t, turns, { stallMs: 1000 })
  const { frames, error } = await take(source, 100)
  t.equal(error, undefined)
  t.same(
    frames.filter(({ discontinuity }) => discontinuity).map((frame) => isColour(frame, blue)),
    [true, false],
  )
  const reasons = events.flatMap((event) => (event.type === 'lost' ? [event.reason] : []))
  t.same(reasons, ['no picture for 1 s', 'the stream ended'])
  t.ok(isIncreasing(frames))
})

t.test('another size: frames keep the first one', async (t) => {
  const turns: Turn[] = [
    { body: Buffer.concat([redClip, wideClip]), then: 'cut' },
    { body: redClip, then: 'stall' },
  ]
  const { source, events } = await opened(t, turns, { maxRes: 32 })
  t.match(source.info, { width: 32, height: 24 })
  const { frames, error } = await take(source, 100)
  t.equal(error, undefined)
  t.ok(frames.every(({ width, height, data }) => width === 32 && height === 24 && data.length === 32 * 24 * 3))
  t.equal(frames.filter(({ discontinuity }) => discontinuity).length, 2)
  t.ok(
    isColour(
      frames.find(({ discontinuity }) => discontinuity),
      blue,
    ),
  )
  t.match(events[0], { type: 'connected', width: 64, height: 48, output: { width: 32, height: 24 } })
  const [small, wide] = [
    { width: 64, height: 48 },
    { width: 96, height: 64 },
  ]
  t.same(
    events.filter(({ type }) => type === 'size-changed'),
    [
      { type: 'size-changed', from: small, to: wide },
      { type: 'size-changed', from: wide, to: small },
    ],
  )
  t.equal(source.stats.sizeChanges, 2)
  t.ok(isIncreasing(frames))
})

t.test('another size as an error', async (t) => {
  const { source } = await opened(t, [{ body: Buffer.concat([redClip, wideClip]), then: 'stall' }], {
    onSizeChange: 'error',
  })
  const { frames, error } = await take(source)
  t.ok(frames.length > 30 && frames.length <= 40)
  t.match(error, { code: 'FRAME_SIZE_CHANGED', message: /are 96×64 from \d+\.\d+ s on, before they were 64×48/ })
})

t.test('garbage in between is counted and passed over', async (t) => {
  const noise = Buffer.from(redClip)
  for (let i = 0; i < 40; i++) noise[188 * (40 + i * 2) + 60] = 0xff & ~(noise[188 * (40 + i * 2) + 60] ?? 0)
  const { source, events } = await opened(t, [{ body: Buffer.concat([noise, blueClip]), then: 'stall' }], {
    stallMs: 1000,
    reconnect: false,
  })
  const { frames, error } = await take(source)
  t.match(error, { code: 'SOURCE_LOST', message: /was lost: no picture for 1 s$/ })
  t.ok(isColour(frames.at(-1), blue), 'pictures behind it come out')
  t.ok(isIncreasing(frames))
  const { damagedPackets, damagedFrames } = source.stats
  t.ok(damagedPackets + damagedFrames > 0, `${damagedPackets} packets, ${damagedFrames} frames`)
  const told = events.reduce((sum, event) => sum + (event.type === 'damaged' ? event.packets : 0), 0)
  t.equal(told, damagedPackets)
})

t.test('nothing but garbage: lost, and found again', async (t) => {
  const noise = Buffer.from(Uint8Array.from({ length: 200_000 }, (_, i) => Math.imul(i, 2_654_435_761) >>> 21))
  const turns: Turn[] = [
    { body: Buffer.concat([redClip, noise, noise]), then: 'stall' },
    { body: noise, then: 'end' },
    { body: blueClip, then: 'stall' },
  ]
  const { source, events } = await opened(t, turns, { stallMs: 1000 })
  const { frames, error } = await take(source, 60)
  t.equal(error, undefined)
  t.ok(isColour(frames.at(-1), blue))
  t.same(
    types(events).filter((type) => type !== 'damaged'),
    ['connected', 'lost', 'retrying', 'retrying', 'connected'],
  )
})

t.test('a source that does not come back', async (t) => {
  const { source, events } = await opened(t, [{ body: redClip, then: 'cut' }, 'refuse'], {
    reconnect: { attempts: 3, ...quick },
  })
  const { frames, error } = await take(source)
  t.ok(frames.length > 30)
  t.match(error, {
    code: 'SOURCE_LOST',
    message:
      /^http:\/\/127\.0\.0\.1:\d+\/live\.ts was lost: .+; 3 attempts to reconnect failed, the last with: Cannot read http/,
  })
  t.same(
    events.flatMap((event) => (event.type === 'retrying' ? [event.attempt] : [])),
    [1, 2, 3],
  )
})

t.test('a source that is not there at the start', async (t) => {
  const server = await liveServer([{ body: redClip, then: 'stall' }])
  await server.close()
  const address = `http://me:secret@127.0.0.1:${server.port}/live.ts?key=secret`
  const shown = `http://127.0.0.1:${server.port}/live.ts`
  await t.rejects(openLive(address), {
    code: 'SOURCE_UNREADABLE',
    message: `Cannot read ${shown} (HTTP): Connection refused`,
  })
  const events: LiveEvent[] = []
  const waiting = openLive(address, {
    reconnect: { first: true, firstDelayMs: 50, mostDelayMs: 50 },
    onEvent: (event) => events.push(event),
  })
  await setTimeout(200)
  const again = await liveServer([{ body: redClip, then: 'stall' }], server.port)
  t.teardown(() => again.close())
  const source = await waiting
  t.equal((await take(source, 5)).frames[0]?.discontinuity, false)
  t.equal(types(events).at(-1), 'connected')
  t.ok(events.length > 1)
  const tries = openLive('/dev/null/none', { reconnect: { first: true } })
  await t.rejects(tries, { code: 'SOURCE_UNREADABLE' }, 'a file is not waited for')
})

t.test('closing and aborting end a wait in native code', async (t) => {
  const silent = createServer()
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  t.teardown(() => silent.close())
  const { port } = silent.address() as { port: number }
  const abort = new AbortController()
  const connecting = openLive(`http://127.0.0.1:${port}/`, { signal: abort.signal })
  await setTimeout(100)
  abort.abort(new Error('enough'))
  await t.rejects(connecting, { message: 'enough' })
  await t.rejects(openLive(`http://127.0.0.1:${port}/`, { signal: abort.signal }), { message: 'enough' })
  await t.rejects(openLive(`http://127.0.0.1:${port}/`, { stallMs: 300 }), { message: /no picture for 0\.3 s/ })

  const { source } = await opened(t, [{ body: redClip, then: 'stall' }], { stallMs: 100_000 })
  const reading = take(source)
  await setTimeout(500)
  await source.close()
  t.match((await reading).error, { code: 'CLOSED' })

  const again = new AbortController()
  const aborted = await opened(t, [{ body: redClip, then: 'stall' }], { stallMs: 100_000, signal: again.signal })
  const taking = take(aborted.source)
  await setTimeout(500)
  again.abort(new Error('enough'))
  t.match((await taking).error, { message: 'enough' })

  const waits = await opened(t, [{ body: redClip, then: 'cut' }, 'refuse'], {
    reconnect: { firstDelayMs: 100_000, mostDelayMs: 100_000 },
  })
  const retrying = take(waits.source)
  while (!types(waits.events).includes('retrying')) await setTimeout(10)
  await waits.source.close()
  t.match((await retrying).error, { code: 'CLOSED' }, 'in the middle of a delay')
})

t.test('a playlist reaches no local file', async (t) => {
  await writeFile(at('secret.ts'), redClip)
  const list = (segment: string): Buffer =>
    Buffer.from(`#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1.6,\n${segment}\n#EXT-X-ENDLIST\n`)
  const server = await liveServer((path) => {
    if (path === '/segment.ts') return { body: redClip, then: 'end' }
    const segment = path === '/good.m3u8' ? 'segment.ts' : `file://${at('secret.ts')}`
    return { body: list(segment), then: 'end', type: 'application/vnd.apple.mpegurl' }
  })
  t.teardown(() => server.close())
  const base = server.url.replace('live.ts', '')
  const good = await openLive(`${base}good.m3u8`, { playlists: true })
  const { frames, error } = await take(good)
  t.same([frames.length, error], [40, undefined], 'a recording of a stated length ends')
  await t.rejects(openLive(`${base}good.m3u8`), { code: 'SOURCE_UNREADABLE', message: /no container or stream/ })
  await t.rejects(openLive(`${base}bad.m3u8`, { stallMs: 2000, playlists: true }), { code: 'SOURCE_UNREADABLE' })
})

t.test('a file ends', async (t) => {
  const path = await makeVideo({ path: at('file.mp4'), width: 64, height: 48, times: [0, 50, 100, 600] })
  const source = await openLive(path)
  t.match(source.info, { name: 'file.mp4', width: 64, height: 48 })
  const { frames } = await take(source)
  t.same(
    frames.map(({ timestampMs }) => Math.round(timestampMs)),
    [0, 50, 100, 600],
  )
  await t.rejects(openLive(at('gone.mp4')), { code: 'SOURCE_UNREADABLE', message: /gone\.mp4: ENOENT/ })
  await t.rejects(openLive(folder), { code: 'SOURCE_UNREADABLE', message: /is a folder/ })
})
