// Owns: tests that no picture of a video is lost without a word, and that intact videos are not called damaged.
// Must not know: sound files, sinks.

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { PacketContent } from '../../dist/esm/io/sources/packet-content.js'
import { PictureLedger, type PacketFacts } from '../../dist/esm/io/sources/picture-ledger.js'
import { openVideo } from '../../dist/esm/io/sources/video-source.js'
import { fieldVideo } from '../support/field-video.js'
import { collect } from '../support/frames.js'
import { makeVideo, steady } from '../support/make-video.js'

const folder = t.testdir()
const at = (name: string): string => join(folder, name)

t.test('HEVC: a picture whose header is damaged is missed, and those that refer to it come out', async (t) => {
  const recipe = { path: at('hevc.mp4'), codec: 'hevc', width: 64, height: 48, times: steady(20, 25) } as const
  const whole = await readFile(await makeVideo({ ...recipe, keyInterval: 20 }))
  const { frames, error } = await collect(await openVideo(recipe.path))
  t.same([frames.length, error], [20, undefined], 'the intact file')
  // The second picture: behind the first one in `mdat`, its unit's header and the first bytes of its slice's.
  let offset = whole.indexOf('mdat') + 4
  const type = (): number => ((whole[offset + 4] ?? 0) >> 1) & 0x3f
  while (type() >= 16) offset += 4 + whole.readUInt32BE(offset)
  for (let i = 0; i < 6; i++) whole[offset + 6 + i] = (whole[offset + 6 + i] ?? 0) ^ 0xff
  await writeFile(at('hevc-damaged.mp4'), whole)
  const damaged = await collect(await openVideo(at('hevc-damaged.mp4')))
  t.match(damaged.error, { code: 'SOURCE_DAMAGED', message: /1 frame is missing, \d+ frames? came out with errors/ })
  t.equal(damaged.frames.length, 19)
})

t.test('pictures of two fields are one picture each', async (t) => {
  const path = at('fields.h264')
  await writeFile(path, fieldVideo(30))
  const { frames, error } = await collect(await openVideo(path))
  t.same([frames.length, error], [30, undefined])
})

t.test('a transport stream that begins in the middle of a group', async (t) => {
  const path = await makeVideo({ path: at('whole.ts'), width: 64, height: 48, times: steady(30, 25), keyInterval: 10 })
  const whole = await readFile(path)
  await writeFile(at('begun.ts'), whole.subarray(188 * Math.ceil((whole.length / 188) * 0.15)))
  const { frames, error } = await collect(await openVideo(at('begun.ts')))
  t.equal(error, undefined)
  t.equal(frames.length, 20)
})

t.test('three damaged packets of a transport stream', async (t) => {
  const path = await makeVideo({ path: at('good.ts'), width: 64, height: 48, times: steady(30, 25), keyInterval: 10 })
  const bytes = await readFile(path)
  const packets = bytes.length / 188
  for (const share of [0.3, 0.5, 0.7])
    bytes.fill(0, Math.floor(packets * share) * 188, Math.floor(packets * share) * 188 + 188)
  await writeFile(at('bad.ts'), bytes)
  const { frames, error } = await collect(await openVideo(at('bad.ts')))
  t.match(error, { code: 'SOURCE_DAMAGED' })
  t.ok(frames.length >= 27, `${frames.length} frames`)
})

t.test('what a packet holds', (t) => {
  const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
  const vp8 = new PacketContent('vp8', null)
  t.equal(vp8.picture(bytes(0x10, 0)), 'one')
  t.equal(vp8.picture(bytes(0x01, 0)), 'none', 'a frame to refer to')
  const vp9 = new PacketContent('vp9', null)
  t.equal(vp9.picture(bytes(0b10_00_0_0_1_0, 0)), 'one')
  t.equal(vp9.picture(bytes(0b10_00_0_0_0_0, 0)), 'none', 'not shown')
  t.equal(vp9.picture(bytes(0b10_00_1_000, 0)), 'one', 'one from before is shown')
  t.equal(vp9.picture(bytes(0b10_00_0_0_0_0, 0, 0xc0)), 'one', 'a superframe')
  const mpeg4 = new PacketContent('mpeg4', null)
  t.equal(mpeg4.picture(new Uint8Array(7)), 'maybe', 'a placeholder')
  t.equal(mpeg4.picture(new Uint8Array(20)), 'one')
  const h264 = new PacketContent('h264', null)
  t.equal(h264.picture(bytes(0, 0, 0, 1, 9, 0x10, 0, 0, 1, 10)), 'none', 'the end of a sequence')
  t.equal(h264.picture(bytes(0, 0, 0, 1, 9, 0x10, 0, 0, 1, 0x65, 0x88)), 'one')
  const lengths = new PacketContent('hevc', bytes(1, ...Array<number>(20).fill(0), 3, 0))
  t.equal(lengths.picture(bytes(0, 0, 0, 3, 0x4e, 1, 5)), 'none', 'information alone')
  t.equal(lengths.picture(bytes(0, 0, 0, 3, 0x02, 1, 5)), 'one')
  t.equal(lengths.picture(bytes(0, 0, 9, 3, 0x4e, 1, 5)), 'one', 'damaged: it may have been a picture')
  t.end()
})

t.test('what counts as lost', (t) => {
  const packet = (facts: Partial<PacketFacts>): PacketFacts => ({
    ...{ isKey: false, picture: 'one', ptsMs: undefined, dtsMs: undefined },
    ...facts,
  })
  const lost = (packets: readonly Partial<PacketFacts>[], out: readonly number[], dropsLeading = false): number => {
    const ledger = new PictureLedger(dropsLeading)
    for (const facts of packets) ledger.enter(packet(facts))
    for (const number of out) ledger.settle(number, number === 0, true)
    ledger.close()
    return ledger.lost
  }
  const group = [{ isKey: true, ptsMs: 0 }, { ptsMs: 40 }, { ptsMs: 80 }]
  t.equal(lost(group, [0, 1, 2]), 0)
  t.equal(lost(group, [0, 2]), 1)
  t.equal(
    lost([{ ptsMs: 0 }, ...group.map((facts, i) => ({ ...facts, ptsMs: 40 + 40 * i }))], [1, 2, 3]),
    0,
    'begun late',
  )
  t.equal(lost([{ isKey: true, ptsMs: 80 }, { ptsMs: 0 }, { ptsMs: 40 }, { ptsMs: 120 }], [0, 3]), 0, 'an open group')
  t.equal(lost([{ isKey: true }, {}, {}, {}], [0, 3], true), 0, 'an open group without times')
  t.equal(lost([{ isKey: true }, {}, {}, {}], [0, 1, 3], true), 1)
  t.equal(lost([{ isKey: true }, { picture: 'none' }, { picture: 'maybe' }], [0]), 0)
  const jumped = [...group, { isKey: true, ptsMs: 60_080, dtsMs: 60_000 }, { ptsMs: 60_040, dtsMs: 60_040 }]
  t.equal(lost(jumped, [0, 1, 2, 3]), 0, 'an open group of a second recording')
  t.end()
})
