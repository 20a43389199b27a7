// Owns: tests that depth is read back from every format that it may be kept in.
// Must not know: measures, the command line.

import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import sharp from 'sharp'
import t, { type Test } from 'tap'
import type { Plane } from '../../dist/esm/evaluate/plane.js'
import { readDepthImage } from '../../dist/esm/evaluate/files/depth-image.js'
import type { DepthSequence } from '../../dist/esm/evaluate/files/depth-sequence.js'
import { readFlow } from '../../dist/esm/evaluate/files/flow.js'
import { readManifest } from '../../dist/esm/evaluate/files/manifest.js'
import { fromHalf } from '../../dist/esm/evaluate/files/npy.js'
import { openDepth } from '../../dist/esm/evaluate/files/open-depth.js'
import { pngSequenceSink } from '../../dist/esm/io/sinks/png-sequence-sink.js'
import { openSink } from '../../dist/esm/io/sinks/sinks.js'
import { fixtures } from '../support/checkpoint-files.js'
import { exr, npy, npz, pfm, toHalf, writeDepth, writeDepthFolder, type ExrOptions } from '../support/depth-files.js'
import { depthFrame } from '../support/frames.js'
import { count, fill, height, value, width } from '../support/outputs.js'

/** Exact in binary16. */
const map = { data: [1, 2, 3.5, 0, 0.25, 80, 9, 7, 5, 5, 5, 5], width: 4, height: 3 }
/** The same as a third program (FFmpeg 5) writes it: channel Y, float, ZIP. */
const byFfmpeg =
  'di8xAQIAAABjaGFubmVscwBjaGxpc3QAEwAAAFkAAgAAAAAAAAABAAAAAQAAAABjb21wcmVzc2lvbgBjb21wcmVzc2lvbgABAAAAA2RhdGFXaW5kb3cAYm94MmkAEAAAAAAAAAAAAAAAAwAAAAIAAABkaXNwbGF5V2luZG93AGJveDJpABAAAAAAAAAAAAAAAAMAAAACAAAAbGluZU9yZGVyAGxpbmVPcmRlcgABAAAAAHNjcmVlbldpbmRvd0NlbnRlcgB2MmYACAAAAAAAAAAAAAAAc2NyZWVuV2luZG93V2lkdGgAZmxvYXQABAAAAAAAgD9mcmFtZXNQZXJTZWNvbmQAcmF0aW9uYWwACAAAABkAAAABAAAAZ2FtbWEAZmxvYXQABAAAAAAAgD93cml0ZXIAc3RyaW5nAAQAAABsYXZjAE0BAAAAAAAAAAAAAC8AAAB4nGNgYGhoeKDQ0MDAoPBgQkHCAoUHELjf8YDDAYeGhn1Oh+wO2oPYYAgA4G8VwQ=='

const folder = t.testdir()
const at = (...names: string[]): string => path.join(folder, ...names)
const put = (name: string, bytes: string | Uint8Array): string => {
  mkdirSync(path.dirname(at(name)), { recursive: true })
  writeFileSync(at(name), bytes)
  return at(name)
}

const isMap = (t: Test, { data, width, height }: Plane, message: string): void => {
  t.same({ data: [...data], width, height }, map, message)
}

async function all(sequence: DepthSequence, from = 0, to = sequence.length): Promise<Plane[]> {
  const planes: Plane[] = []
  for await (const plane of sequence.frames(from, to)) planes.push(plane)
  return planes
}

t.test('one map a file', async (t) => {
  for (const format of ['npy', 'exr', 'pfm'] as const) {
    await writeDepth(at(`a.${format}`), map, format)
    isMap(t, await readDepthImage(at(`a.${format}`)), format)
  }
  await writeDepth(at('a.png'), map, 'png', 256)
  const png = await readDepthImage(at('a.png'))
  t.same(
    [...png.data],
    map.data.map((v) => v * 256),
    'PNG gives its levels',
  )
  await sharp(Uint8Array.of(0, 7, 255, 128), { raw: { width: 2, height: 2, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toFile(at('8bit.png'))
  t.same([...(await readDepthImage(at('8bit.png'))).data], [0, 7, 255, 128])
  isMap(t, await readDepthImage(put('big.pfm', pfm(map, true))), 'big-endian PFM')
})

t.test('OpenEXR: compressions, halves, channels, windows', async (t) => {
  isMap(t, await readDepthImage(put('f.exr', Buffer.from(byFfmpeg, 'base64'))), 'of FFmpeg')
  const tall = { width: 5, height: 37, data: Array.from({ length: 185 }, (_, i) => Math.floor(i / 9) / 4) }
  for (const compression of ['none', 'rle', 'zips', 'zip'] as const) {
    for (const half of [false, true]) {
      const read = await readDepthImage(put('c.exr', exr(tall, { compression, half, left: 2, top: -3 })))
      t.same([...read.data], tall.data, `${compression}, ${half ? 'half' : 'float'}`)
      t.same([read.width, read.height], [5, 37])
    }
  }
  const plus = async (options: ExrOptions): Promise<number> =>
    ((await readDepthImage(put('n.exr', exr(map, options)))).data[0] as number) - 1
  t.equal(await plus({ channels: ['A', 'B', 'G', 'R', 'Z'] }), 4, 'depth beside colours')
  t.equal(await plus({ channels: ['B', 'G', 'R'], half: true }), 2, 'of colours alone the red one')
  t.equal(await plus({ channels: ['View.Combined.R', 'View.Depth.V'] }), 1, 'a layer’s')
  t.equal(await plus({ channels: ['whatever'] }), 0, 'the only one')
})

t.test('OpenEXR: files of its own library, PIZ and PXR24', async (t) => {
  const files = JSON.parse(readFileSync(path.join(fixtures, 'openexr.json'), 'utf8')) as Record<string, string>
  const tall = Array.from({ length: 185 }, (_, i) => Math.floor(i / 9) / 4 + (i % 7 === 3 ? i / 8 : 0))
  const ramp = Array.from({ length: 640 * 33 }, (_, i) => i)
  for (const [name, packed] of Object.entries(files)) {
    const bytes = gunzipSync(Buffer.from(packed, 'base64'))
    const read = await readDepthImage(put(`${name}.exr`, bytes))
    t.same([read.width, read.height], name.endsWith('uint') ? [640, 33] : [5, 37], name)
    t.same([...read.data], name.endsWith('uint') ? ramp : tall, name)
    for (let at = bytes.length - 1; at > 330; at -= 1 + (bytes.length >> 6)) {
      const damaged = Buffer.from(bytes)
      damaged[at] = (damaged[at] as number) ^ 0x5a
      try {
        await readDepthImage(put('damaged.exr', damaged))
      } catch (error) {
        t.match(error, { code: 'SOURCE_UNREADABLE' }, `${name}, byte ${at}`)
      }
    }
  }
})

t.test('types of NumPy arrays', async (t) => {
  const types: [string, Buffer][] = [
    ['<f8', Buffer.from(Float64Array.from(map.data).buffer)],
    ['<f2', Buffer.from(Uint16Array.from(map.data, toHalf).buffer)],
    ['>f4', Buffer.concat(map.data.map((v) => ((b) => (b.writeFloatBE(v), b))(Buffer.alloc(4))))],
  ]
  for (const [descr, bytes] of types) isMap(t, await readDepthImage(put('t.npy', npy(bytes, [3, 4], descr))), descr)
  const whole: [string, Buffer][] = [
    ['|u1', Buffer.of(1, 2, 250)],
    ['|i1', Buffer.of(1, 2, 250)],
    ['|b1', Buffer.of(1, 0, 1)],
    ['<u2', Buffer.from(Uint16Array.of(1, 2, 65535).buffer)],
    ['<i2', Buffer.from(Int16Array.of(1, 2, -3).buffer)],
    ['<i4', Buffer.from(Int32Array.of(1, 2, -70000).buffer)],
    ['<u4', Buffer.from(Uint32Array.of(1, 2, 4e9).buffer)],
    ['<i8', Buffer.from(BigInt64Array.of(1n, 2n, -5n).buffer)],
    ['<u8', Buffer.from(BigUint64Array.of(1n, 2n, 5n).buffer)],
  ]
  const last = [250, -6, 1, 65535, -3, -70000, 4e9, -5, 5]
  for (const [i, [descr, bytes]] of whole.entries())
    t.equal((await readDepthImage(put('w.npy', npy(bytes, [1, 1, 3], descr)))).data[2], last[i], descr)
  t.same([0x3c00, 0x7c00, 0xfc00, 1, 0x8000].map(fromHalf), [1, Infinity, -Infinity, 2 ** -24, -0])
  t.ok(Number.isNaN(fromHalf(0x7e00)))
})

t.test('our own outputs give back what went in', async (t) => {
  const raw = await openSink({ format: 'raw', path: at('d.f32') })
  await fill(raw, 'metric')
  await fill(await openSink({ format: 'npz', path: at('d.npz') }))
  await fill(await openSink({ format: 'png16', path: at('png') }))
  await fill(await pngSequenceSink(at('live')))
  for (const [name, kind, tolerance] of [
    ['d.f32', 'metric', 0],
    ['d.npz', 'disparity', 0],
    ['png', 'disparity', 1e-4],
    ['live', 'disparity', 1e-4],
  ] as const) {
    const sequence = await openDepth(at(name))
    t.match({ length: sequence.length, kind: sequence.kind }, { length: count, kind }, name)
    const planes = await all(sequence)
    t.equal(planes.length, count)
    for (const [i, plane] of planes.entries()) {
      const expected = depthFrame(i, width, height, value).data
      const worst = [...plane.data].reduce((most, v, p) => Math.max(most, Math.abs(v - expected[p]!)), 0)
      t.ok(worst <= tolerance, `${name} ${i}: ${worst}`)
    }
    const [third] = await all(sequence, 3, 4)
    t.same([...third!.data], [...planes[3]!.data], 'any part, again')
  }
})

t.test('folders in natural order, stacks of NumPy', async (t) => {
  const maps = Array.from({ length: 11 }, (_, i) => ({ ...map, data: map.data.map((v) => v + i) }))
  const sequence = await openDepth(await writeDepthFolder(at('eleven'), maps, 'pfm'))
  put('eleven/.hidden.png', '')
  put('eleven/notes.txt', '')
  t.same(
    (await all(sequence)).map(({ data }) => data[0]),
    maps.map(({ data }) => data[0]),
  )
  const bytes = Buffer.from(Float32Array.from(maps.flatMap(({ data }) => data)).buffer)
  const stack = await openDepth(put('stack.npy', npy(bytes, [11, 1, 3, 4])))
  t.same(
    (await all(stack, 4, 6)).map(({ data }) => data[0]),
    [5, 6],
  )
})

const refused: [name: string, make: () => string | Promise<string>, reason: RegExp][] = [
  ['nothing there', () => at('nope.npz'), /nope\.npz: ENOENT/],
  ['another ending', () => put('a.txt', ''), /a\.txt: expected a folder, or a file that ends in \.npz, \.npy, \.f32$/],
  [
    'an empty folder',
    () => (mkdirSync(at('none')), at('none')),
    /none: expected files that end in \.png, \.npy, \.exr, \.pfm, found none$/,
  ],
  ['not a ZIP', () => put('bad.npz', 'text'), /bad\.npz: /],
  ['raw without a description', () => put('alone.f32', ''), /alone\.f32\.json: ENOENT/],
  [
    'not an array',
    () => put('bad.npy', 'this is no array'),
    /bad\.npy: expected an NPY array, found one that begins with "this i"$/,
  ],
  [
    'one map for many',
    () => put('flat.npy', npy(Buffer.alloc(48), [3, 4])),
    /expected an array \[frames, height, width\], found one of 3×4$/,
  ],
  [
    'complex numbers',
    () => put('c.npy', npy(Buffer.alloc(96), [1, 3, 4], '<c8')),
    /expected floating point numbers or integers, found type "<c8"$/,
  ],
  [
    'Fortran order',
    () => put('o.npy', npy(Buffer.alloc(48), [1, 3, 4], '<f4', 'True')),
    /expected values in C order, found Fortran order/,
  ],
  ['cut short', () => put('s.npy', npy(Buffer.alloc(47), [1, 3, 4])), /expected 176 bytes of 1×3×4 values, found 175$/],
  [
    'a scale without a step',
    () => (put('sc/0.png', ''), put('sc/scale.json', '{}'), at('sc')),
    /scale\.json: expected an offset and a step for the frames, found none$/,
  ],
]

t.test('what cannot be opened says why', async (t) => {
  for (const [name, make, message] of refused)
    await t.rejects(openDepth(await make()), { code: 'SOURCE_UNREADABLE', message }, name)
})

t.test('maps that cannot be read say why', async (t) => {
  await sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } })
    .png()
    .toFile(at('rgb.png'))
  const b44 = exr(map)
  b44[b44.indexOf('compression\0compression\0') + 28] = 6
  const cases: [string, RegExp][] = [
    [put('x.jpg', ''), /x\.jpg: expected a file that ends in \.png, \.npy, \.exr, \.pfm$/],
    [at('rgb.png'), /rgb\.png: expected one grey channel, found 3 channels$/],
    [put('x.png', 'no'), /x\.png: /],
    [put('x.npy', npy(Buffer.alloc(4), [1])), /expected an array \[height, width\], found one of 1$/],
    [put('y.npy', npy(Buffer.alloc(8), [1, 3])), /expected 140 bytes of 1×3 values, found 136$/],
    [put('x.pfm', 'PF\n1 1\n1\n'), /expected one channel \(Pf\), found colour \(PF\)$/],
    [put('y.pfm', 'P5 1 1'), /expected a PFM header \(Pf, width, height, scale\), found "P5 1 1"$/],
    [put('z.pfm', 'Pf\n2 1\n-1\n1234'), /expected 18 bytes of 2×1 values, found 14$/],
    [put('x.exr', 'plain text'), /expected an OpenEXR file, found another$/],
    [put('y.exr', b44), /expected compression none, RLE, ZIPS, ZIP, PIZ, PXR24, found B44$/],
    [put('z.exr', exr(map, { channels: ['a', 'b'] })), /expected a channel Z, depth, V, Y or R, found a, b$/],
    [put('w.exr', exr(map).subarray(0, 60)), /w\.exr: /],
  ]
  for (const [file, message] of cases) await t.rejects(readDepthImage(file), { code: 'SOURCE_UNREADABLE', message })
  truncateSync(put('cut.exr', exr(map, { compression: 'none' })), 200)
  await t.rejects(readDepthImage(at('cut.exr')), { code: 'SOURCE_UNREADABLE' })
})

t.test('archives: the array depths or the only one, whole', async (t) => {
  const stack = (value: number): Buffer => npy(Buffer.from(Float32Array.of(value, value).buffer), [2, 1, 1])
  const first = async (name: string, arrays: Record<string, Buffer>): Promise<unknown> =>
    (await all(await openDepth(put(name, await npz(arrays)))))[0]!.data[0]
  t.equal(await first('one.npz', { arr_0: stack(3) }), 3)
  t.equal(await first('two.npz', { fps: stack(1), depths: stack(2) }), 2)
  const refuse = async (arrays: Record<string, Buffer>, message: RegExp): Promise<void> => {
    await t.rejects(first('bad.npz', arrays), { code: 'SOURCE_UNREADABLE', message })
  }
  await refuse(
    { a: stack(1), b: stack(2) },
    /bad\.npz: expected an array named depths, or only one, found a\.npy, b\.npy$/,
  )
  await refuse({}, /found none$/)
  await refuse({ depths: stack(1).subarray(0, -3) }, /expected 136 bytes of 2×1×1 values, found 133$/)
  await fill(await openSink({ format: 'npz', path: at('whole.npz') }))
  const bytes = readFileSync(at('whole.npz'))
  bytes.fill(0xff, 400, 900)
  await t.rejects(
    openDepth(put('broken.npz', bytes)).then((sequence) => all(sequence)),
    { code: 'SOURCE_UNREADABLE', message: /broken\.npz/ },
  )
})

t.test('flow', async (t) => {
  const values = Float32Array.of(1, 2, -3, 4)
  const bytes = Buffer.from(values.buffer)
  const flow = await readFlow(put('f.npy', npy(bytes, [1, 2, 2])))
  t.same({ ...flow, data: [...flow.data] }, { data: [1, 2, -3, 4], width: 2, height: 1 })
  const size = Buffer.from(Int32Array.of(2, 1).buffer)
  const unknown = Buffer.from(Float32Array.of(1e10, 0, 1, 2).buffer)
  const flo = await readFlow(put('f.flo', Buffer.concat([Buffer.from('PIEH'), size, unknown])))
  t.same([...flo.data], [NaN, 0, 1, 2])
  const cases: [string, RegExp][] = [
    [put('g.npy', npy(bytes, [4])), /expected an array \[height, width, 2\], found one of 4$/],
    [put('h.npy', npy(bytes, [3, 1, 2])), /expected 152 bytes of 3×1×2 values, found 144$/],
    [put('g.flo', 'none'), /expected a \.flo file, found another$/],
  ]
  for (const [file, message] of cases) await t.rejects(readFlow(file), { code: 'SOURCE_UNREADABLE', message })
})

t.test('manifests', async (t) => {
  const K = [
    [100, 0, 50, 0],
    [0, 110, 40, 0],
    [0, 0, 1, 0],
    [0, 0, 0, 1],
  ]
  const pose = [
    [1, 0, 0, 2],
    [0, 1, 0, 3],
    [0, 0, 1, 4],
    [0, 0, 0, 1],
  ]
  const frame = { image: 'v/rgb/0.png', gt_depth: 'v/depth/0.png', factor: 256, K, pose }
  const write = (name: string, root: unknown): string => put(`m/${name}.json`, JSON.stringify(root))
  const { dataset, videos } = await readManifest(
    write('ok', { kitti: [{ v: [frame] }, { w: [{ image: 'a', gt_depth: 'b' }] }] }),
  )
  t.equal(dataset, 'kitti')
  t.same(
    videos.map(({ name }) => name),
    ['v', 'w'],
  )
  t.match(videos[0]!.frames[0], { image: 'v/rgb/0.png', truth: at('m', 'v/depth/0.png'), factor: 256, pose })
  t.match(videos[0]!.frames[0]!.intrinsics, { fx: 100, fy: 110, cx: 50, cy: 40 })
  t.match(videos[1]!.frames[0], { factor: 1, intrinsics: undefined, pose: undefined, mask: undefined })
  const two = write('two', { kitti: [], bonn: [] })
  t.match(await readManifest(two, 'bonn'), { dataset: 'bonn', videos: [] })
  const cases: [string, string | undefined, RegExp][] = [
    [two, undefined, /expected one data set, found kitti, bonn$/],
    [two, 'nyuv2', /expected nyuv2, found kitti, bonn$/],
    [put('m/text.json', '{'), undefined, /text\.json: .*JSON/],
    [write('list', []), undefined, /expected an object of data sets, found a list of 0$/],
    [write('flat', { kitti: { v: [] } }), undefined, /expected a list for kitti, found an object$/],
    [
      write('none', { kitti: [{ v: [{ image: 'a' }] }] }),
      undefined,
      /expected image and gt_depth for v, frame 0, found image$/,
    ],
    [
      write('factor', { k: [{ v: [{ ...frame, factor: 0 }] }] }),
      undefined,
      /expected a positive number for factor of v, frame 0, found 0$/,
    ],
    [
      write('K', { k: [{ v: [{ ...frame, K: [[1]] }] }] }),
      undefined,
      /expected 3 rows of 3 numbers for K of v, frame 0, found a list of 1$/,
    ],
    [
      write('mask', { k: [{ v: [{ ...frame, mask: 1 }] }] }),
      undefined,
      /expected a path for mask of v, frame 0, found 1$/,
    ],
  ]
  for (const [file, name, message] of cases)
    await t.rejects(readManifest(file, name), { code: 'SOURCE_UNREADABLE', message })
})
