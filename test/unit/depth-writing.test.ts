// Owns: tests of the addon's functions for writing depth: parked depth comes back bit for bit, and colours are right.
// Must not know: engines, files.

import t from 'tap'
import { leastBytesPerPixel } from '../../dist/esm/io/sinks/depth-spill.js'
import { loadAddon } from '../../dist/esm/native/addon.js'

const addon = loadAddon()
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
    const packed = await addon.packDepth(data, columns)
    const back = await addon.unpackDepth(packed.bytes, columns, data.length / columns)
    t.equal(Buffer.compare(bits(back), bits(data)), 0, name)
    t.ok(packed.bytes.byteLength >= data.length * leastBytesPerPixel, `${name}: at least what is said`)
    const numbers = data.filter((value) => !Number.isNaN(value))
    t.equal(packed.min, Math.min(...numbers.slice(0, 4096), ...numbers.slice(-4096)), `${name}: the least value`)
    t.equal(packed.max, Math.max(...numbers.slice(0, 4096), ...numbers.slice(-4096)), `${name}: the greatest value`)
  }
})

t.test('packed depth of no number has no bounds', async (t) => {
  const { min, max } = await addon.packDepth(Float32Array.of(NaN, NaN), 1)
  t.same([min, max], [Infinity, -Infinity])
})

t.test('other bytes are refused', async (t) => {
  const { bytes } = await addon.packDepth(smooth, width)
  for (const wrong of [bytes.subarray(0, bytes.length - 1), new Uint8Array(0), Uint8Array.of(33, 0, 0)])
    await t.rejects(addon.unpackDepth(wrong, width, 29), { message: /Expected packed depth of 1073 values for packed/ })
})

t.test('depth that was scaled up takes little more than half', async (t) => {
  const [columns, rows] = [320, 180]
  const at = (x: number, y: number): number => 2 + Math.sin(x / 5) * Math.cos(y / 7)
  const data = Float32Array.from({ length: columns * rows }, (_, i) => {
    const [x, y] = [(i % columns) / 2.3, Math.floor(i / columns) / 2.3]
    const [x0, y0] = [Math.floor(x), Math.floor(y)]
    const [u, v] = [x - x0, y - y0]
    const upper = at(x0, y0) * (1 - u) + at(x0 + 1, y0) * u
    return upper * (1 - v) + (at(x0, y0 + 1) * (1 - u) + at(x0 + 1, y0 + 1) * u) * v
  })
  const { bytes } = await addon.packDepth(data, columns)
  t.ok(bytes.length < 0.55 * data.byteLength, `${bytes.length / data.length} bytes a pixel`)
})

function bits(data: Float32Array): Uint8Array {
  return new Uint8Array(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
}

/** floor((depth − min) / (max − min) · 255) in float32, as upstream computes it. */
function levelOf(depth: number, min: number, max: number): number {
  const extent = Math.fround(Math.fround(max) - Math.fround(min))
  const scaled = Math.fround(Math.fround(Math.fround(depth - Math.fround(min)) / extent) * 255)
  return extent > 0 && scaled > 0 ? Math.min(Math.floor(scaled), 255) : 0
}

const grey = Uint8Array.from({ length: 768 }, (_, i) => Math.floor(i / 3))
const luma = (level: number): number => Math.round(16 + (219 * level) / 255)

t.test('depth becomes the levels that upstream gives it', async (t) => {
  const ranges: readonly (readonly [number, number])[] = [
    ...[0, 1, 2, 3].map((turn) => [3 - turn * 0.37, 11 + turn * 1.3] as const),
    ...[
      [0, 0],
      [5, 4],
      [NaN, 1],
      [-Infinity, 8],
      [2, Infinity],
    ].map(([a, b]) => [a ?? 0, b ?? 0] as const),
  ]
  for (const data of [smooth, Float32Array.from({ length: 37 * 29 }, (_, i) => special[i % 12] ?? 0)])
    for (const [min, max] of ranges) {
      const planes = await addon.colourDepth(data, 37, 29, min, max, grey)
      const wanted = Uint8Array.from({ length: 38 * 30 }, (_, i) => {
        const [x, y] = [Math.min(i % 38, 36), Math.min(Math.floor(i / 38), 28)]
        return luma(levelOf(data[y * 37 + x] ?? NaN, min, max))
      })
      t.same(planes.subarray(0, 38 * 30), wanted, `${min} to ${max}`)
      t.ok(
        planes.subarray(38 * 30).every((value) => value === 128),
        'grey has no colour',
      )
      t.equal(planes.length, 38 * 30 * 1.5)
    }
})

t.test('colours are those of BT.709 in limited range, averaged over four pixels', async (t) => {
  const colours = new Uint8Array(768)
  colours.set([255, 0, 0], 0)
  colours.set([0, 0, 255], 765)
  const planes = await addon.colourDepth(Float32Array.of(0, 1, 1, 1, 0, 0, 1, 1), 4, 2, 0, 1, colours)
  t.same([...planes.subarray(0, 8)], [63, 32, 32, 32, 63, 63, 32, 32])
  // Red: Cb 102, Cr 240. Blue: Cb 240, Cr 118. Three of the left four pixels are red; all of the right ones are blue.
  t.same([...planes.subarray(8)], [137, 240, 209, 118])
})

t.test('wrong arguments are named', async (t) => {
  const loose = addon as unknown as Record<'colourDepth' | 'packDepth', (...values: unknown[]) => Promise<unknown>>
  const cases: readonly (readonly [unknown[], RegExp])[] = [
    [[smooth, 37, 28, 0, 1, grey], /^Expected width · height values for data/],
    [[smooth, 37, 29, '0', 1, grey], /^Expected a number for min/],
    [[smooth, 37, 29, 0, 1, grey.subarray(3)], /^Expected 768 bytes for colours/],
    [[[1], 37, 29, 0, 1, grey], /^Expected a Float32Array for data/],
  ]
  for (const [values, message] of cases) await t.rejects(loose.colourDepth(...values), { message })
  await t.rejects(loose.packDepth(smooth, 0), { message: /^Expected an integer from 1 to 32768 for width/ })
})

t.test('a picture in colour becomes planes, its odd sides repeated', async (t) => {
  const rgb = Uint8Array.of(
    ...[255, 255, 255],
    ...[0, 0, 0],
    ...[0, 255, 0],
    ...[255, 0, 0],
    ...[0, 0, 255],
    ...[9, 200, 77],
  )
  const planes = await addon.rgbToYuv420(rgb, 3, 2)
  const y = (r: number, g: number, b: number): number =>
    Math.round(16 + (219 * (0.2126 * r + 0.7152 * g + 0.0722 * b)) / 255)
  t.same([...planes.subarray(0, 8)], [235, 16, 173, 173, 63, 32, y(9, 200, 77), y(9, 200, 77)])
  t.equal(planes.length, 12)
  t.same([...(await addon.rgbToYuv420(Uint8Array.of(255, 0, 0), 1, 1))], [63, 63, 63, 63, 102, 240])
  await t.rejects(addon.rgbToYuv420(rgb, 3, 3), { message: /^Expected 3 · width · height bytes for data/ })
})
