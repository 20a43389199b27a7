// Owns: tests that equal depth gives equal bytes in every output, and that parked depth comes back bit for bit.
// Must not know: engines, the pipeline.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import path, { join } from 'node:path'
import t from 'tap'
import { leastBytesPerPixel, packDepth, unpackDepth } from '../../dist/esm/io/sinks/depth-packing.js'
import { toBytes } from '../../dist/esm/io/sinks/depth-range.js'
import packageRoot from '../../dist/esm/package-root.cjs'

const child = path.join(packageRoot, 'dist-test', 'support', 'write-outputs-child.js')

/** SHA-256 of every file that a process of its own writes, by name. */
async function written(
  folder: string,
  env: NodeJS.ProcessEnv,
  before: readonly string[] = [],
): Promise<Record<string, string>> {
  const words = [...before, process.execPath, child, folder]
  const { status, stderr } = spawnSync(words[0] ?? '', words.slice(1), {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  const names = (await readdir(folder, { recursive: true })).filter((name) => /\.[a-z0-9]+$/.test(name)).sort()
  const hash = async (name: string): Promise<string> =>
    createHash('sha256')
      .update(await readFile(join(folder, name)))
      .digest('hex')
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await hash(name)] as const)))
}

t.test('equal depth gives equal bytes, whatever memory held before', { timeout: 300_000 }, async (t) => {
  const folder = t.testdir({ a: {}, b: {} })
  const dirty = (byte: string): NodeJS.ProcessEnv => ({ MALLOC_PERTURB_: byte, MALLOC_MMAP_THRESHOLD_: '1000000000' })
  const first = await written(join(folder, 'a'), dirty('1'))
  t.match(Object.keys(first), ['d.f32', 'd.f32.json', 'd.mp4', 'd.npz', 'live.mp4', 'png/00000.png'])
  t.same(await written(join(folder, 'b'), { ...dirty('77'), TZ: 'Asia/Tokyo' }), first)
})

t.test('equal depth gives equal bytes, whatever the number of processors', { timeout: 300_000 }, async (t) => {
  if (!existsSync('/usr/bin/taskset')) {
    t.plan(0, 'taskset is missing, so a process cannot be kept to one processor')
    return
  }
  const folder = t.testdir({ all: {}, one: {} })
  const all = await written(join(folder, 'all'), {})
  t.same(await written(join(folder, 'one'), {}, ['taskset', '-c', '0']), all)
})

const width = 37
const smooth = Float32Array.from({ length: width * 29 }, (_, i) => 3 + Math.sin(i / 50) + (i % width) / 7)
const special = Float32Array.of(0, -0, 1, -1, Infinity, -Infinity, NaN, 1e-45, -1e-45, 3.4e38, -3.4e38, 1)
const seeded = Uint32Array.from({ length: 64 * 64 }, (_, i) => Math.imul(i + 1, 2_654_435_761) ^ (i << 7))
const anyBits = new Float32Array(seeded.buffer)

t.test('packed depth comes back bit for bit', async (t) => {
  const cases: readonly (readonly [string, Float32Array, number])[] = [
    ['smooth', smooth, width],
    ['special values', special, 4],
    ['one value', Float32Array.of(7), 1],
    ['one row', smooth.subarray(0, width), width],
    ['one column', smooth.subarray(0, 29), 1],
    ['any bits', anyBits, 64],
    ['many slices', Float32Array.from({ length: 600 * 500 }, (_, i) => Math.sqrt(i)), 600],
  ]
  for (const [name, data, columns] of cases) {
    const packed = await packDepth(data, columns)
    const back = await unpackDepth(packed, data.length, columns)
    t.equal(Buffer.compare(bits(back), bits(data)), 0, name)
    const bytes = packed.reduce((sum, plane) => sum + plane.byteLength, 0)
    t.ok(bytes >= data.length * leastBytesPerPixel, `${name}: at least what is said`)
  }
})

t.test('packed depth has the same 256 levels, whatever range the whole video turns out to have', async (t) => {
  const back = await unpackDepth(await packDepth(smooth, width), smooth.length, width)
  const [least, greatest] = [Math.min(...smooth), Math.max(...smooth)]
  for (let turn = 0; turn < 500; turn++) {
    const range = { min: least - (turn % 25) * 0.37, max: greatest + Math.floor(turn / 25) * 1.3 }
    const [given, got] = [new Uint8Array(smooth.length), new Uint8Array(smooth.length)]
    await toBytes(smooth, range, given)
    await toBytes(back, range, got)
    if (Buffer.compare(given, got) !== 0) t.fail(`${range.min} to ${range.max}`)
  }
  t.pass()
})

t.test('depth that was scaled up takes less than half', async (t) => {
  const [columns, rows] = [320, 180]
  const at = (x: number, y: number): number => 2 + Math.sin(x / 5) * Math.cos(y / 7)
  const data = Float32Array.from({ length: columns * rows }, (_, i) => {
    const [x, y] = [(i % columns) / 2.3, Math.floor(i / columns) / 2.3]
    const [x0, y0] = [Math.floor(x), Math.floor(y)]
    const [u, v] = [x - x0, y - y0]
    const upper = at(x0, y0) * (1 - u) + at(x0 + 1, y0) * u
    return upper * (1 - v) + (at(x0, y0 + 1) * (1 - u) + at(x0 + 1, y0 + 1) * u) * v
  })
  const packed = await packDepth(data, columns)
  const bytes = packed.reduce((sum, plane) => sum + plane.byteLength, 0)
  t.ok(bytes < data.byteLength / 2, `${bytes / data.length} bytes a pixel`)
})

function bits(data: Float32Array): Uint8Array {
  return new Uint8Array(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
}
