// Owns: tests of depth files that are hostile, damaged, or unusual though intact.
// Must not know: how a format is parsed.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import t from 'tap'
import { readDepthImage, readOpacity } from '../../dist/esm/evaluate/files/depth-image.js'
import { readFlow } from '../../dist/esm/evaluate/files/flow.js'
import { readManifest } from '../../dist/esm/evaluate/files/manifest.js'
import { openDepth } from '../../dist/esm/evaluate/files/open-depth.js'
import { openSink } from '../../dist/esm/io/sinks/sinks.js'
import { exr, npy, npz, pfm, writeDepth } from '../support/depth-files.js'
import { profiled } from '../support/grey-profile.js'
import { fill } from '../support/outputs.js'

t.setTimeout(120_000)

const folder = t.testdir()
const at = (...names: string[]): string => path.join(folder, ...names)
const put = (name: string, bytes: string | Uint8Array): string => {
  mkdirSync(path.dirname(at(name)), { recursive: true })
  writeFileSync(at(name), bytes)
  return at(name)
}
const map = { data: [1, 2, 3.5, 0, 0.25, 80, 9, 7, 5, 5, 5, 5], width: 4, height: 3 }
const ints = (...values: readonly number[]): Buffer => Buffer.from(Int32Array.from(values).buffer)
const refused = (message: RegExp): { code: string; message: RegExp } => ({ code: 'SOURCE_UNREADABLE', message })
const all = async (file: string): Promise<unknown[]> => {
  const depth = await openDepth(file)
  const planes: unknown[] = []
  for await (const plane of depth.frames(0, depth.length)) planes.push(plane)
  return planes
}

t.test('NPY headers that claim more than there is', async (t) => {
  const long = Buffer.concat([Buffer.from('\x93NUMPY\x02\x00', 'latin1'), ints(-16), Buffer.alloc(64)])
  await t.rejects(openDepth(put('long.npy', long)), refused(/a header of at most 16384 bytes, found 4294967292$/))
  await t.rejects(readDepthImage(at('long.npy')), refused(/header of at most/))
  await t.rejects(readFlow(at('long.npy')), refused(/header of at most/))
  for (const shape of [
    [2 ** 40, 1, 1],
    [1, 30_000, 30_000],
    [2 ** 49, 2 ** 49, 1],
    [0, 3, 4],
    [-1, 3, 4],
    [1.5, 2, 2],
  ]) {
    const file = put('claims.npy', npy(Buffer.alloc(48), shape))
    await t.rejects(openDepth(file), refused(/claims\.npy: expected (\d+ bytes|a shape|whole numbers)/), shape.join())
  }
  await t.rejects(
    readDepthImage(put('odd.npy', npy(Buffer.alloc(50), [3, 4]))),
    refused(/expected 176 bytes .* found 178$/),
  )
})

t.test(
  'a frame of more than 2³¹ bytes is read in pieces',
  { skip: process.env['LARGE'] === undefined && 'takes 3 GB: set LARGE=1' },
  async (t) => {
    const shape = [1, 30_000, 20_000] as const
    const file = put('large.npy', npy(Buffer.alloc(0), shape))
    truncateSync(file, readFileSync(file).length + 4 * 6e8)
    t.equal(((await all(file))[0] as { data: Float32Array }).data.length, 6e8)
  },
)

t.test('what is no file is refused at once', { skip: process.platform === 'win32' && 'no FIFOs' }, async (t) => {
  const endless = existsSync('/dev/zero')
  const fifo = (name: string): string => (execFileSync('mkfifo', [at(name)]), at(name))
  for (const extension of ['npz', 'npy', 'f32'])
    await t.rejects(openDepth(fifo(`a.${extension}`)), { code: 'SOURCE_UNREADABLE' })
  for (const extension of ['png', 'npy', 'exr', 'pfm'])
    await t.rejects(readDepthImage(fifo(`b.${extension}`)), refused(/it is a FIFO, not a file$/))
  await t.rejects(readFlow(fifo('f.flo')), refused(/it is a FIFO/))
  await t.rejects(readManifest(fifo('m.json')), refused(/it is a FIFO/))
  put('g.f32', '')
  fifo('g.f32.json')
  await t.rejects(openDepth(at('g.f32')), refused(/g\.f32\.json: it is a FIFO/))
  await writeDepth(at('h', '0.png'), map, 'png')
  fifo('h/scale.json')
  await t.rejects(openDepth(at('h')), refused(/scale\.json: it is a FIFO/))
  await writeDepth(at('i', '0.pfm'), map, 'pfm')
  fifo('i/1.pfm')
  await t.rejects(all(at('i')), refused(/1\.pfm: it is a FIFO/))
  mkdirSync(at('j', '0.png'), { recursive: true })
  await t.rejects(all(at('j')), refused(/0\.png: it is a folder, not a file$/))
  if (endless) await t.rejects(readManifest('/dev/zero'), refused(/it is a device/))
})

t.test('OpenEXR: what is damaged gives no values', async (t) => {
  const plain = exr(map, { compression: 'none' })
  const rows = plain.length - 3 * 24
  const read = (name: string, change: (bytes: Buffer) => unknown, from = plain): Promise<unknown> => {
    const bytes = Buffer.from(from)
    change(bytes)
    return readDepthImage(put(`${name}.exr`, bytes))
  }
  const backwards = Buffer.concat([ints(20000630, 2), Buffer.from('a\0b\0'), ints(-8), Buffer.alloc(64)])
  await t.rejects(
    readDepthImage(put('back.exr', backwards)),
    refused(/expected an attribute within the file, found one of -8 bytes$/),
  )
  await t.rejects(
    read('strange', (bytes) => bytes.writeInt32LE(77, rows + 24)),
    refused(/expected every line once, found line 77 too$/),
  )
  await t.rejects(
    read('twice', (bytes) => bytes.writeInt32LE(0, rows + 24)),
    refused(/found line 0 twice$/),
  )
  await t.rejects(
    read('same', (bytes) => bytes.copy(bytes, rows - 16, rows - 24, rows - 16)),
    refused(/found line 0 twice$/),
  )
  await t.rejects(
    read('size', (bytes) => bytes.writeInt32LE(-1, rows + 4)),
    refused(/block 0 ends outside the file/),
  )
  await t.rejects(
    read('place', (bytes) => bytes.writeBigUInt64LE(2n ** 63n, rows - 24)),
    refused(/block 0 lies outside/),
  )
  const window = plain.indexOf('box2i\0') + 10
  await t.rejects(
    read('negative', (bytes) => bytes.writeInt32LE(-5, window + 8)),
    refused(/expected a dataWindow with pixels/),
  )
  await t.rejects(
    read('vast', (bytes) => bytes.writeInt32LE(2 ** 31 - 1, window + 8)),
    refused(/expected at most 134217728 bytes packed/),
  )
  await t.rejects(
    read('tall', (bytes) => bytes.writeInt32LE(1e6, window + 12)),
    refused(/cut short in its table/),
  )
  await t.rejects(
    read('display', (bytes) => bytes, exr(map, { display: [0, 0, 1e5, 1e5] })),
    refused(/expected at most 134217728 bytes packed/),
  )
})

t.test('OpenEXR: a block unpacks to no more than its lines', async (t) => {
  const bomb = (compression: 'zip' | 'rle', packed: Buffer): string => {
    const head = exr(map, { compression })
    const start = head.indexOf('box2i\0') + 27
    const blocks = compression === 'zip' ? 1 : 3
    const offsets = Buffer.alloc(8 * blocks)
    for (let i = 0; i < blocks; i++) offsets.writeBigUInt64LE(BigInt(start + offsets.length), 8 * i)
    return put('bomb.exr', Buffer.concat([head.subarray(0, start), offsets, ints(0, packed.length), packed]))
  }
  await t.rejects(
    readDepthImage(bomb('zip', deflateSync(Buffer.alloc(2 ** 26)))),
    refused(/expected 48 bytes in a block, found more$/),
  )
  await t.rejects(
    readDepthImage(bomb('rle', Buffer.alloc(2 ** 20, 127))),
    refused(/expected 16 bytes in a block, found more$/),
  )
})

t.test('OpenEXR: the display window is the picture', async (t) => {
  const { data, width, height } = await readDepthImage(
    put('d.exr', exr(map, { left: 1, top: -1, display: [0, 0, 5, 2] })),
  )
  t.same([width, height], [6, 3])
  const none = NaN
  t.same([...data], [none, 0.25, 80, 9, 7, none, none, 5, 5, 5, 5, none, ...Array.from({ length: 6 }, () => none)])
})

t.test('OpenEXR: depth among other channels', async (t) => {
  const first = async (...channels: readonly string[]): Promise<string | undefined> => {
    const { data } = await readDepthImage(put('n.exr', exr(map, { channels })))
    return channels[(data[0] as number) - 1]
  }
  for (const [wanted, ...others] of [
    ['depth', 'B', 'G', 'R'],
    ['Depth', 'R', 'V', 'Y'],
    ['z', 'R'],
    ['Z', 'R', 'V', 'depth'],
    ['beauty.Z', 'R', 'Y'],
    ['depth.R', 'R', 'beauty.R'],
    ['View.Depth.V', 'R', 'View.Other.V'],
    ['R', 'G', 'beauty.R'],
  ] as const)
    t.equal(await first(...[wanted, ...others].sort()), wanted)
  await t.rejects(first('left.Z', 'right.Z'), refused(/expected one channel of depth, found left\.Z, right\.Z$/))
})

t.test('archives: checksums, claims, kinds', async (t) => {
  const floats = Buffer.from(Float32Array.from({ length: 32 }, (_, i) => i + 1).buffer)
  const stored = Buffer.from(await npz({ depths: npy(floats, [2, 4, 4]) }, false))
  const damaged = Buffer.from(stored)
  damaged[damaged.indexOf(floats.subarray(64)) + 2]! ^= 0x40
  await t.rejects(all(put('sum.npz', damaged)), refused(/sum\.npz: expected checksum [0-9a-f]+, found [0-9a-f]+$/))
  t.equal((await all(put('whole.npz', stored))).length, 2)
  const claims = async (shape: readonly number[], bytes: Buffer, message: RegExp): Promise<void> => {
    await t.rejects(
      openDepth(put('claims.npz', await npz({ depths: npy(bytes, shape) }))),
      refused(message),
      shape.join(),
    )
  }
  await claims([1, 2 ** 20, 2 ** 20], floats, /expected \d+ bytes of 1×1048576×1048576 values, found 256$/)
  await claims(
    [1, 6000, 6000],
    Buffer.alloc(4 * 36e6),
    /expected at most 134217728 bytes packed in a file of \d+, found 144000000$/,
  )
  await claims(
    [2 ** 20, 1, 1],
    Buffer.alloc(2 ** 22),
    /expected at most 65536 frames in a file of \d+ bytes, found 1048576$/,
  )
  const long = Buffer.concat([Buffer.from('\x93NUMPY\x02\x00', 'latin1'), ints(2 ** 26), Buffer.alloc(2 ** 26, 32)])
  await t.rejects(openDepth(put('long.npz', await npz({ depths: long }))), refused(/header of at most 16384 bytes/))
  const kind = async (text: string, descr = `<U${text.length}`): Promise<unknown> => {
    const bytes = Buffer.from(Uint32Array.from(text, (letter) => letter.charCodeAt(0)).buffer)
    return (
      await openDepth(put('kind.npz', await npz({ depths: npy(floats, [2, 4, 4]), kind: npy(bytes, [], descr) })))
    ).kind
  }
  t.equal(await kind('metric'), 'metric')
  t.equal(await kind('disparity'), 'disparity')
  await t.rejects(kind('inches'), refused(/expected "disparity" or "metric" for kind, found "inches"$/))
  await t.rejects(kind('me', '<f8'), refused(/expected one text for kind/))
})

t.test('shapes and side files that cannot be', async (t) => {
  const values = Buffer.alloc(48)
  const flo = (width: number, height: number): string =>
    put('s.flo', Buffer.concat([Buffer.from('PIEH'), ints(width, height), values]))
  await t.rejects(readFlow(flo(-2, -3)), refused(/expected a shape of whole numbers from 1, found \[-3,-2,2\]$/))
  await t.rejects(readFlow(flo(0, 5)), refused(/expected a shape/))
  await t.rejects(readFlow(flo(2 ** 31 - 1, 2 ** 31 - 1)), refused(/expected a shape|bytes of/))
  const raw = (description: unknown): Promise<unknown> => {
    put('r.f32.json', typeof description === 'string' ? description : JSON.stringify(description))
    return openDepth(put('r.f32', values))
  }
  const right = { dtype: '<f4', order: 'C', shape: [1, 3, 4], kind: 'metric' }
  t.match(await raw(right), { kind: 'metric', length: 1 })
  for (const wrong of [
    { shape: [-1, -3, 4] },
    { shape: [1e300, 3, 4] },
    { shape: 'x' },
    { dtype: 4 },
    { kind: 'depth' },
    { order: 'F' },
  ])
    await t.rejects(raw({ ...right, ...wrong }), refused(/r\.f32\.json: expected/), JSON.stringify(wrong))
  for (const text of ['null', '[]', '7', '[[[[[[']) await t.rejects(raw(text), { code: 'SOURCE_UNREADABLE' }, text)
  for (const header of ['Pf 0 3 -1\n', 'Pf 4 3 0\n', 'Pf 4 3 -1e999\n', 'Pf 4 3 -\n', 'Pf -4 -3 -1\n'])
    await t.rejects(
      readDepthImage(put('w.pfm', Buffer.concat([Buffer.from(header), values]))),
      { code: 'SOURCE_UNREADABLE' },
      header,
    )
  const frame = { image: 'a', gt_depth: 'b' }
  for (const wrong of [
    '"factor": 1e999',
    '"pose": [[1e999,0,0,0],[0,1,0,0],[0,0,1,0],[0,0,0,1]]',
    `"K": ${'['.repeat(1e5)}${']'.repeat(1e5)}`,
  ]) {
    const text = `{"k": [{"v": [${JSON.stringify(frame).slice(0, -1)}, ${wrong}}]}]}`
    await t.rejects(readManifest(put('w.json', text)), refused(/w\.json: expected .{20,160}$/), wrong.slice(0, 40))
  }
})

t.test('a folder of which the files say different kinds', async (t) => {
  await writeDepth(at('k', '0.png'), map, 'png')
  await writeDepth(at('k', '1.png'), map, 'png')
  const lines = (...kinds: readonly (string | undefined)[]): Promise<{ kind: unknown }> => {
    put(
      'k/frames.jsonl',
      kinds.map((kind, i) => JSON.stringify({ file: `${i}.png`, kind, offset: 0, step: 1 })).join('\n'),
    )
    return openDepth(at('k'))
  }
  t.equal((await lines('metric', 'metric')).kind, 'metric')
  t.equal((await lines(undefined, undefined)).kind, undefined, 'an earlier version')
  await t.rejects(
    lines('metric', 'disparity'),
    refused(/frames\.jsonl: expected frames of one kind, found metric and disparity$/),
  )
})

t.test('PFM values are multiplied by the scale', async (t) => {
  const bytes = pfm(map)
  const scaled = Buffer.concat([Buffer.from('Pf\n4 3\n-0.5\n'), bytes.subarray(bytes.length - 48)])
  t.same(
    [...(await readDepthImage(put('half.pfm', scaled))).data],
    map.data.map((value) => value / 2),
  )
})

t.test('PNG levels are as they are stored, whatever profile is with them', async (t) => {
  const levels = Uint8Array.from({ length: 256 }, (_, i) => i)
  const plain = await sharp(levels, { raw: { width: 16, height: 16, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer()
  const file = put('profile.png', profiled(plain))
  t.same([...(await readDepthImage(file)).data], [...levels])
  t.same([...(await readOpacity(file)).data], [...Float32Array.from(levels, (level) => level / 255)])
  const wide = Uint16Array.from({ length: 256 }, (_, i) => 257 * i - (i & 7))
  await writeDepth(at('wide.png'), { data: wide, width: 16, height: 16 }, 'png')
  t.same(
    [...(await readDepthImage(put('wide.png', profiled(readFileSync(at('wide.png')))))).data],
    [...wide.map((each) => Math.max(each, 0))],
  )
  await sharp(plain).jpeg().toFile(at('lossy.png'))
  await t.rejects(readDepthImage(at('lossy.png')), refused(/expected a PNG file, found another$/))
})

t.test('our own archives and live PNGs say what they hold', async (t) => {
  for (const kind of ['metric', 'disparity'] as const) {
    await fill(await openSink({ format: 'npz', path: at(`${kind}.npz`) }), kind)
    t.equal((await openDepth(at(`${kind}.npz`))).kind, kind)
  }
})
