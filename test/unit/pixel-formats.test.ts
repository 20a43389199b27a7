// Owns: tests of pixel formats through the addon: against FFmpeg's swscale, and what goes wrong.
// Must not know: engines, sources.

import t from 'tap'
import { loadAddon } from '../../dist/esm/native/addon.js'
import type { ColorMatrix, ColorRange, PixelFormat } from '../../dist/esm/base/frame.js'
import { pixelFormats } from '../../dist/esm/base/frame.js'
import { type NativePicture, resolvePicture, rowBytes } from '../../dist/esm/base/pixel-format.js'
import { resizable, waysToLose } from '../support/lost-buffers.js'
import { swscaleRgb } from '../support/swscale.js'

type Sample = (x: number, y: number) => number

const addon = loadAddon()

/** Three channels; the first one is luma or red. */
const smooth = [17, 23, 29].map(
  (period, i): Sample =>
    (x, y) =>
      Math.round(126 + 90 * Math.sin((x + 20 * i) / period) * Math.cos((y - 9 * i) / (period + 5))),
)

/** Within the limited range: beyond it swscale's sums overflow where a colour is twice as bright as white. */
const random = [1, 2, 3].map(
  (seed): Sample =>
    (x, y) =>
      16 + ((Math.imul(Math.imul(x + 1, 0x9e3779b1) ^ Math.imul(y + 7, 0x85ebca6b * seed), 0xc2b2ae35) >>> 16) % 220),
)

interface Pictured {
  readonly width: number
  readonly height: number
  readonly channels: readonly Sample[]
}

/** Bytes in `format`, rows `gap` bytes longer than they need be; the gaps are filled with 0xEE. */
function pack(format: PixelFormat, picture: Pictured, gap = 0): NativePicture {
  const { width, height, channels } = picture
  const [first = () => 0, second = () => 0, third = () => 0] = channels
  const strideBytes = rowBytes(format, width) + gap
  const rows = format === 'nv12' ? height + Math.ceil(height / 2) : height
  const data = new Uint8Array(strideBytes * (rows - 1) + rowBytes(format, width)).fill(0xee)
  const put = (row: number, byte: number, ...values: number[]): void => data.set(values, row * strideBytes + byte)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [a, b, c] = [first(x, y), second(x, y), third(x, y)]
      if (format === 'rgb24') put(y, 3 * x, a, b, c)
      if (format === 'bgr24') put(y, 3 * x, c, b, a)
      if (format === 'rgba') put(y, 4 * x, a, b, c, x % 256)
      if (format === 'bgra') put(y, 4 * x, c, b, a, y % 256)
      if (format === 'gray8' || format === 'nv12') put(y, x, a)
      if (format === 'nv12' && x % 2 === 0 && y % 2 === 0) put(height + y / 2, x, b, c)
      if (format === 'yuyv422' && x % 2 === 0) put(y, 2 * x, a, b, first(x + 1, y), c)
    }
  }
  return resolvePicture({ data, width, height, pixelFormat: format, strideBytes }, 'picture')
}

const converted = (picture: NativePicture): Promise<Uint8Array> => addon.toRgb(picture)

/** Planes of luma and both chromas, each sample repeated to where its nearest pixels are. */
function as444(format: PixelFormat, { width, height, channels }: Pictured): Uint8Array {
  const column = (x: number): number => x - (x % 2)
  const row = (y: number): number => (format === 'nv12' ? y - (y % 2) : y)
  const planes = channels.map((sample, plane) =>
    Array.from({ length: width * height }, (_, i) => {
      const [x, y] = [i % width, Math.floor(i / width)]
      if (plane === 0) return sample(x, y)
      return format === 'gray8' ? 128 : sample(column(x), row(y))
    }),
  )
  return Uint8Array.from(planes.flat())
}

function distance(a: Uint8Array, b: Uint8Array): { most: number; sum: number } {
  if (a.length !== b.length) return { most: Infinity, sum: Infinity }
  let [most, sum] = [0, 0]
  for (const [i, value] of a.entries()) {
    const difference = Math.abs(value - (b[i] ?? Number.NaN))
    most = Math.max(most, difference)
    sum += difference
  }
  return { most, sum }
}

const colors = (['bt601', 'bt709'] as const).flatMap((colorMatrix) =>
  (['limited', 'full'] as const).map((colorRange): { colorMatrix: ColorMatrix; colorRange: ColorRange } => ({
    colorMatrix,
    colorRange,
  })),
)

for (const format of ['nv12', 'yuyv422', 'gray8'] as const) {
  t.test(`${format}: swscale’s colours, each sample at its nearest pixels`, async (t) => {
    for (const color of colors) {
      for (const [name, channels] of Object.entries({ smooth, random })) {
        for (const [width, height] of [
          [64, 48],
          [63, 47],
          [3, 1],
          [1, 1],
        ] as const) {
          const picture = { width, height, channels }
          const found = await converted({ ...pack(format, picture, 5), ...color })
          const data = as444(format, picture)
          // Without interpolation of chroma, and in swscale's most exact arithmetic, which has 13-bit factors.
          const flags = 'full_chroma_int+accurate_rnd'
          const wanted = await swscaleRgb({ data, width, height, format: 'yuv444p', ...color }, flags)
          const { most, sum } = distance(found, wanted)
          const label = `${name} ${width}×${height} ${color.colorMatrix} ${color.colorRange}: ${most}, in all ${sum}`
          t.ok(most <= 1 && sum <= 1 + 0.02 * found.length, label)
        }
      }
    }
  })
}

for (const format of ['nv12', 'yuyv422'] as const) {
  t.test(`${format}: swscale’s nearest chroma from the same bytes`, async (t) => {
    for (const color of colors) {
      for (const channels of [smooth, random]) {
        const picture = { ...pack(format, { width: 64, height: 48, channels }), ...color }
        const wanted = await swscaleRgb({ ...picture, format }, 'neighbor')
        const { most, sum } = distance(await converted(picture), wanted)
        // swscale's tables for this path round down and have 8 bits; a misplaced sample costs 100 in `random`.
        t.ok(
          most <= 3 && sum <= 1.6 * wanted.length,
          `${color.colorMatrix} ${color.colorRange}: ${most}, in all ${sum}`,
        )
      }
    }
  })
}

t.test('orders of red, green and blue: exactly, whatever the stride', async (t) => {
  for (const [width, height] of [
    [1, 1],
    [3, 1],
    [37, 21],
  ] as const) {
    const picture = { width, height, channels: random }
    const wanted = pack('rgb24', picture).data
    for (const format of ['rgb24', 'bgr24', 'rgba', 'bgra'] as const) {
      for (const gap of [0, 1, 32]) t.strictSame([...(await converted(pack(format, picture, gap)))], [...wanted])
    }
  }
})

t.test('preprocess: every format as if it had been converted first', async (t) => {
  const [width, height] = [45, 31]
  for (const format of pixelFormats) {
    const picture = pack(format, { width, height, channels: smooth }, 3)
    const direct = new Float32Array(3 * 28 * 42)
    const wanted = new Float32Array(3 * 28 * 42)
    addon.preprocess(picture, direct, 42, 28, 2)
    addon.preprocess(resolvePicture({ data: await converted(picture), width, height }, 'picture'), wanted, 42, 28, 2)
    t.strictSame([...direct], [...wanted], format)
  }
})

t.test('toRgb: wrong input rejects', async (t) => {
  const picture = pack('nv12', { width: 5, height: 3, channels: smooth })
  const cases: [unknown, string][] = [
    [undefined, 'Expected an object for picture, received undefined'],
    [{ ...picture, pixelFormat: undefined }, 'received undefined'],
    [{ ...picture, height: 0 }, 'Expected an integer from 1 to 32768 for picture.height, received 0'],
    [{ ...picture, strideBytes: 5 }, 'Expected 6 to 2147483647 bytes a row for picture.strideBytes, received 5'],
    [{ ...picture, data: picture.data.subarray(1) }, 'Expected at least 30 bytes for picture.data, received 29'],
    [{ ...picture, data: [...picture.data] }, 'Expected a Uint8Array for picture.data, received an array of 30'],
  ]
  for (const [first, message] of cases) {
    const call = addon.toRgb(first as NativePicture)
    await t.rejects(call, { message: new RegExp(`${message.replace(/[.]/g, '\\.')}$`) })
  }
})

t.test('toRgb: the picture may be written, transferred and resized as soon as the call has returned', async (t) => {
  const bytes = 2048 * 2048 * 4
  for (const [way, lose] of Object.entries(waysToLose)) {
    const { buffer, data } = resizable(bytes, 9)
    const picture = resolvePicture({ data, width: 2048, height: 2048, pixelFormat: 'bgra' }, 'picture')
    const job = addon.toRgb(picture)
    lose(buffer)
    const rgb = await job
    t.ok(rgb.length === 2048 * 2048 * 3 && rgb.every((value) => value === 9), way)
  }
})

t.test('toRgb: many at once, from arrays that nobody else holds', async (t) => {
  const jobs = Array.from({ length: 20 }, async (_, i) => {
    const data = new Uint8Array(640 * 480).fill(i)
    const picture = resolvePicture({ data, width: 640, height: 480, pixelFormat: 'gray8' }, 'picture')
    return (await addon.toRgb(picture)).every((value) => value === i)
  })
  t.ok((await Promise.all(jobs)).every(Boolean))
})
