// Owns: mutated files for every reader of depth: no crash, hang, hoarding, strange error, nor values of a damaged archive.
// Must not know: how the harness watches.

import { readFileSync } from 'node:fs'
import path from 'node:path'
import { crc32, gunzipSync } from 'node:zlib'
import t from 'tap'
import { openSink, type OutputSpec } from '../../dist/esm/io/sinks/sinks.js'
import { pngSequenceSink } from '../../dist/esm/io/sinks/png-sequence-sink.js'
import { fixtures } from '../support/checkpoint-files.js'
import { exr, npy, npz, pfm, writeDepth } from '../support/depth-files.js'
import { mutationRun, mutationTimeoutMs, oneFile, type MutatedReader, type Seed } from '../support/mutation.js'
import { fill } from '../support/outputs.js'

t.setTimeout(mutationTimeoutMs)

const folder = t.testdir()
const at = (...names: string[]): string => path.join(folder, ...names)
const map = { data: [1, 2, 3.5, 0, 0.25, 80, 9, 7, 5, 5, 5, 5], width: 4, height: 3 }
const wide = { data: Array.from({ length: 40 * 40 }, (_, i) => Math.floor(i / 9) / 4), width: 40, height: 40 }
const floats = (count: number): Buffer => Buffer.from(Float32Array.from({ length: count }, (_, i) => i / 8).buffer)
const files = (names: readonly string[]): Seed['files'] =>
  Object.fromEntries(names.map((name) => [name, readFileSync(at(name))]))

const ours = async (spec: OutputSpec, size = { width: 6, height: 4 }): Promise<void> => {
  await fill(await openSink(spec), 'metric', size)
}
await ours({ format: 'npz', path: at('d.npz') })
await ours({ format: 'raw', path: at('d.f32') })
await ours({ format: 'png16', path: at('p') })
await fill(await pngSequenceSink(at('live')), 'metric', { width: 6, height: 4 })
await writeDepth(at('a.png'), map, 'png', 256)
await writeDepth(at('wide.png'), wide, 'png', 100)

const openExr = JSON.parse(readFileSync(path.join(fixtures, 'openexr.json'), 'utf8')) as Record<string, string>
const exrSeeds = [
  ...(['none', 'rle', 'zips', 'zip'] as const).map((compression) =>
    exr(wide, { compression, channels: ['A', 'Z'], top: -3 }),
  ),
  ...Object.values(openExr).map((packed) => gunzipSync(Buffer.from(packed, 'base64'))),
]
const pngs = [readFileSync(at('a.png')), readFileSync(at('wide.png'))]
const K = [
  [100, 0, 50],
  [0, 110, 40],
  [0, 0, 1],
]
const pose = [0, 1, 2, 3].map((row) => [0, 1, 2, 3].map((column) => (row === column ? 1 : 0)))
const frame = { image: 'v/rgb/0.png', gt_depth: 'v/depth/0.png', factor: 256, K, pose, valid: 'v/0.png' }
const flo = Buffer.concat([Buffer.from('PIEH'), Buffer.from(Int32Array.of(4, 3).buffer), floats(24)])
const floating = floats(36)

/** Every chunk's. */
function pngChecksums(bytes: Uint8Array): Uint8Array {
  const png = Buffer.from(bytes)
  for (let start = 8; start + 12 <= png.length;) {
    const end = start + 8 + png.readUInt32BE(start)
    if (end + 4 > png.length) break
    png.writeUInt32BE(crc32(png.subarray(start + 4, end)), end)
    start = end + 4
  }
  return png
}

const readers: readonly MutatedReader[] = [
  {
    name: 'npz',
    seeds: [
      oneFile('d.npz', readFileSync(at('d.npz'))),
      oneFile('one.npz', await npz({ arr_0: npy(floating, [3, 3, 4]) })),
    ],
    guarded: true,
  },
  // The array is mutated before it is archived: the archive is right, and what it holds is not.
  {
    name: 'npz',
    seeds: [oneFile('in.npz', npy(floating, [3, 3, 4]))],
    pack: (bytes) => npz({ depths: Buffer.from(bytes) }),
  },
  { name: 'npy stack', seeds: [oneFile('s.npy', npy(floating, [3, 3, 4]))] },
  { name: 'raw', seeds: [{ files: files(['d.f32', 'd.f32.json']), open: 'd.f32' }] },
  {
    name: 'folder',
    seeds: [
      { files: files(['p/scale.json', ...[0, 1, 2, 3, 4, 5, 6].map((i) => `p/0000${i}.png`)]), open: 'p' },
      { files: files(['live/frames.jsonl', ...[0, 1, 2, 3, 4, 5, 6].map((i) => `live/00000${i}.png`)]), open: 'live' },
    ],
  },
  { name: 'png map', seeds: pngs.map((bytes) => oneFile('a.png', bytes)), guarded: true, repair: pngChecksums },
  {
    name: 'npy map',
    seeds: [oneFile('a.npy', npy(floats(12), [3, 4])), oneFile('a.npy', npy(Buffer.alloc(96, 3), [3, 4], '<f8'))],
  },
  { name: 'pfm', seeds: [oneFile('a.pfm', pfm(map)), oneFile('a.pfm', pfm(map, true))] },
  { name: 'exr', seeds: exrSeeds.map((bytes) => oneFile('a.exr', bytes)) },
  { name: 'opacity', seeds: [oneFile('a.png', pngs[0]!), oneFile('a.exr', exrSeeds[3]!)], repair: pngChecksums },
  { name: 'flow', seeds: [oneFile('f.flo', flo), oneFile('f.npy', npy(floats(24), [3, 4, 2]))] },
  { name: 'manifest', seeds: [oneFile('m.json', Buffer.from(JSON.stringify({ kitti: [{ v: [frame, frame] }] })))] },
]

t.test('mutated depth files', (t) =>
  mutationRun(t, new URL('../support/mutation-depth-readers.js', import.meta.url), readers),
)
