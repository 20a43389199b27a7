// Owns: tests of images and of a caller's own frames as sources, and of how an input is told apart.
// Must not know: FFmpeg, sinks.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp, { type Sharp } from 'sharp'
import t from 'tap'
import { fromFrames, type InputFrame } from '../../dist/esm/io/sources/frames-source.js'
import { openImages } from '../../dist/esm/io/sources/image-source.js'
import { openSource, type SourceInput } from '../../dist/esm/io/sources/open-source.js'
import { openVideo } from '../../dist/esm/io/sources/video-source.js'
import { collect } from '../support/frames.js'
import { makeVideo } from '../support/make-video.js'

const folder = t.testdir()
const at = (...names: string[]): string => join(folder, ...names)

function plain(red: number, width = 6, height = 4): Sharp {
  return sharp({ create: { width, height, channels: 3, background: { r: red, g: 20, b: 30 } } })
}

const frame = (value: number, width = 4, height = 2): InputFrame => ({
  data: new Uint8Array(width * height * 3).fill(value),
  width,
  height,
})

t.test('a folder: natural order, other files passed over, times from the rate', async (t) => {
  await mkdir(at('list', 'nested.png'), { recursive: true })
  await plain(10).png().toFile(at('list', 'f10.png'))
  await plain(2).png().toFile(at('list', 'f2.PNG'))
  await plain(1).jpeg({ quality: 100 }).toFile(at('list', 'f1.jpg'))
  await plain(3).webp({ lossless: true }).toFile(at('list', 'f3.webp'))
  await plain(4).tiff({ compression: 'lzw' }).toFile(at('list', 'f4.tif'))
  await writeFile(at('list', 'notes.txt'), 'no image')
  await plain(99).png().toFile(at('list', '.hidden.png'))
  const source = await openImages(at('list'), { frameRate: 50 })
  t.match(source.info, { name: 'list', width: 6, height: 4, frameRate: 50, frameCount: 5, frameCountExact: true })
  const { frames, error } = await collect(source)
  t.equal(error, undefined)
  t.same(
    frames.map(({ timestampMs }) => timestampMs),
    [0, 20, 40, 60, 80],
  )
  t.same(
    frames.slice(1).map(({ data }) => [...data.subarray(0, 3)]),
    [2, 3, 4, 10].map((red) => [red, 20, 30]),
  )
  t.ok(Math.abs((frames[0]?.data[0] ?? 0) - 1) <= 2, 'JPEG')
})

t.test('orientation, alpha, grey and 16 bits', async (t) => {
  const corner = Buffer.alloc(6 * 4 * 3)
  corner.set([255, 255, 255])
  const oriented = await sharp(corner, { raw: { width: 6, height: 4, channels: 3 } })
    .withMetadata({ orientation: 6 })
    .png()
    .toBuffer()
  await writeFile(at('turned.png'), oriented)
  await sharp({ create: { width: 2, height: 2, channels: 4, background: { r: 200, g: 100, b: 50, alpha: 0.5 } } })
    .png()
    .toFile(at('alpha.png'))
  const grey = sharp(Uint16Array.of(0, 257 * 9, 65535, 32896), { raw: { width: 2, height: 2, channels: 1 } })
  await grey.toColourspace('grey16').png().toFile(at('grey16.png'))
  const read = async (name: string) => (await collect(await openImages([at(name)]))).frames[0]
  const turned = await read('turned.png')
  t.same([turned?.width, turned?.height], [4, 6])
  t.same([...(turned?.data.subarray(9, 12) ?? [])], [255, 255, 255], 'the top left corner went to the top right')
  t.same([...((await read('alpha.png'))?.data.subarray(0, 3) ?? [])], [200, 100, 50], 'alpha is dropped, not blended')
  t.same([...((await read('grey16.png'))?.data ?? [])], [0, 0, 0, 9, 9, 9, 255, 255, 255, 128, 128, 128])
})

t.test('limits for images', async (t) => {
  const paths = await Promise.all(
    [0, 1, 2, 3, 4, 5, 6].map(async (i) => {
      await plain(i * 10, 40, 20)
        .png()
        .toFile(at(`l${i}.png`))
      return at(`l${i}.png`)
    }),
  )
  const source = await openImages(paths, { frameRate: 30, targetFps: 15, maxLen: 3, maxRes: 20 })
  t.match(source.info, { width: 20, height: 10, frameRate: 15, frameCount: 3 })
  const { frames } = await collect(source)
  t.same(
    frames.map(({ data }) => data[0]),
    [0, 20, 40],
  )
  t.same(
    frames.map(({ timestampMs }) => Math.round(timestampMs)),
    [0, 67, 133],
  )
})

t.test('images that cannot be used are named', async (t) => {
  await plain(1).png().toFile(at('ok.png'))
  await plain(1, 8, 4).png().toFile(at('wide.png'))
  await writeFile(at('broken.png'), 'no picture')
  await mkdir(at('nothing'))
  await t.rejects(openImages([at('broken.png')]), { code: 'SOURCE_UNREADABLE', message: /broken\.png/ })
  await t.rejects(openImages([at('absent.png')]), { code: 'SOURCE_UNREADABLE', message: /absent\.png: ENOENT/ })
  await t.rejects(openImages(at('absent')), { code: 'SOURCE_UNREADABLE', message: /absent: ENOENT/ })
  await t.rejects(openImages(at('nothing')), { code: 'SOURCE_EMPTY', message: /nothing/ })
  await t.rejects(openImages([]), { code: 'SOURCE_EMPTY' })
  await t.rejects(openImages([at('ok.png')], { frameRate: 0 }), { code: 'INVALID_OPTION' })
  const wide = await collect(await openImages([at('ok.png'), at('ok.png'), at('wide.png')]))
  t.equal(wide.frames.length, 2)
  t.match(wide.error, { code: 'FRAME_SIZE_CHANGED', message: /Image 2 .*wide\.png.* is 8×4, .* 6×4/ })
  const broken = await collect(await openImages([at('ok.png'), at('broken.png')]))
  t.equal(broken.frames.length, 1)
  t.match(broken.error, { code: 'SOURCE_DAMAGED', message: /Image 1: Cannot read .*broken\.png/ })
  const absent = await collect(await openImages([at('ok.png'), at('ok.png'), at('absent.png')]))
  t.equal(absent.frames.length, 2)
  t.match(absent.error, { code: 'SOURCE_DAMAGED', message: /Image 2: .*absent\.png: ENOENT/ })
})

t.test('a folder is called by its own name, however it is written', async (t) => {
  await mkdir(at('take.v2', 'deeper'), { recursive: true })
  await plain(1).png().toFile(at('take.v2', 'a.png'))
  for (const path of [at('take.v2'), `${at('take.v2')}/`, at('take.v2', '.'), `${at('take.v2', 'deeper')}/..`]) {
    const source = await openImages(path)
    await source.close()
    t.equal(source.info.name, 'take.v2', path)
  }
})

t.test("a caller's frames: lazily, in order, with their times", async (t) => {
  let taken = 0
  let returned = false
  function* frames(): Generator<InputFrame> {
    try {
      for (; taken < 10;) yield frame(taken++)
    } finally {
      returned = true
    }
  }
  const source = await fromFrames(frames(), { frameRate: 10 })
  t.match(source.info, { name: 'frames', width: 4, height: 2, frameRate: 10, frameCount: undefined })
  t.equal(taken, 1, 'only the first frame is taken for the size')
  for await (const { data, timestampMs } of source) {
    t.same([data[0], timestampMs], [taken - 1, (taken - 1) * 100])
    if (taken === 3) break
  }
  t.same([taken, returned], [3, true], 'breaking out of the loop ends the iterable')
  const timed = await fromFrames(
    [
      { ...frame(1), timestampMs: 5 },
      { ...frame(2), timestampMs: 9 },
    ],
    { maxRes: 2 },
  )
  const { frames: small } = await collect(timed)
  t.same(
    small.map(({ width, height, data, timestampMs }) => [width, height, data.length, timestampMs]),
    [
      [2, 2, 12, 5],
      [2, 2, 12, 9],
    ],
  )
})

t.test("a caller's frames in other pixel formats become RGB", async (t) => {
  const bgr = { data: Uint8Array.of(1, 2, 3, 4, 5, 6, 0, 0, 7, 8, 9, 10, 11, 12), width: 2, height: 2 }
  const [padded] = (await collect(await fromFrames([{ ...bgr, pixelFormat: 'bgr24', strideBytes: 8 }]))).frames
  t.same([...(padded?.data ?? [])], [3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10])
  const gray = {
    data: Uint8Array.of(16, 235),
    width: 2,
    height: 1,
    pixelFormat: 'gray8',
    colorRange: 'limited',
  } as const
  const [full] = (await collect(await fromFrames([gray]))).frames
  t.same([...(full?.data ?? [])], [0, 0, 0, 255, 255, 255])
  const white = { data: Uint8Array.of(235, 128, 235, 128), width: 2, height: 1, pixelFormat: 'yuyv422' } as const
  const [camera] = (await collect(await fromFrames([white]))).frames
  t.same([...(camera?.data ?? [])], [255, 255, 255, 255, 255, 255])
})

t.test("a caller's frames are checked", async (t) => {
  const invalid: [Partial<Record<keyof InputFrame, unknown>>, RegExp][] = [
    [{ ...frame(0), width: 4.5 }, /Expected a whole number from 1 to 32768 for width, received 4\.5/],
    [{ ...frame(0), height: 0 }, /for height, received 0/],
    [
      { ...frame(0), data: new Uint8Array(23) },
      /Expected 24 bytes \(4×2 rgb24\) for data, received Uint8Array of 23 bytes/,
    ],
    [{ ...frame(0), data: [1, 2] }, /Expected a Uint8Array of 24 bytes for data, received an array of 2/],
    [{ ...frame(0), timestampMs: NaN }, /for timestampMs, received NaN/],
    [{ ...frame(0), pixelFormat: 'rgb565' }, /Expected one of rgb24, .* for pixelFormat, received "rgb565"/],
    [{ ...frame(0), strideBytes: 11 }, /Expected a whole number from 12 to 2147483647 for strideBytes, received 11/],
    [{ ...frame(0), strideBytes: 13 }, /Expected at least 25 bytes \(4×2 rgb24\) for data/],
    [{ ...frame(0), colorMatrix: 'bt2020' }, /for colorMatrix/],
  ]
  for (const [wrong, message] of invalid)
    await t.rejects(fromFrames([wrong as unknown as InputFrame]), { code: 'FRAME_INVALID', message })
  await t.rejects(fromFrames([]), { code: 'SOURCE_EMPTY' })
  let closed = 0
  function* oneBad(): Generator<InputFrame> {
    try {
      yield { ...frame(0), width: 3 }
    } finally {
      closed++
    }
  }
  async function* oneBadLater(): AsyncGenerator<InputFrame> {
    await Promise.resolve()
    yield* oneBad()
  }
  await t.rejects(fromFrames(oneBad()), { code: 'FRAME_INVALID' })
  await t.rejects(fromFrames(oneBadLater()), { code: 'FRAME_INVALID' })
  t.equal(closed, 2, 'the iterators were told')
  await t.rejects(fromFrames([frame(0)], { targetFps: 5 }), { code: 'INVALID_OPTION' })
  const changed = await collect(await fromFrames([frame(0), frame(0), frame(0, 5, 2)]))
  t.match([changed.frames.length, changed.error], [2, { code: 'FRAME_SIZE_CHANGED', message: /Frame 2 / }])
})

t.test('an iterable that never answers can be aborted and closed', async (t) => {
  const silent: AsyncIterable<InputFrame> = {
    [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }),
  }
  const controller = new AbortController()
  const opening = fromFrames(silent, { signal: controller.signal })
  controller.abort(new Error('enough'))
  await t.rejects(opening, { message: 'enough' })
  let first = true
  const stalls: AsyncIterable<InputFrame> = {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        if (!first) return new Promise(() => undefined)
        first = false
        return Promise.resolve({ done: false, value: frame(1) })
      },
    }),
  }
  const source = await fromFrames(stalls)
  const collected = collect(source)
  await new Promise((resolve) => setTimeout(resolve, 20))
  await source.close()
  t.match(await collected, { error: { code: 'CLOSED' } })
})

t.test('inputs are told apart', async (t) => {
  await mkdir(at('kind'))
  await plain(7).png().toFile(at('kind', 'a.png'))
  const video = await makeVideo({ path: at('kind.mp4'), width: 32, height: 32, times: [0, 40] })
  const names = async (input: SourceInput): Promise<string> => {
    const source = await openSource(input)
    await source.close()
    return `${source.info.name} ${source.info.frameCount}`
  }
  t.equal(await names(at('kind')), 'kind 1')
  t.equal(await names(at('kind', 'a.png')), 'a.png 1')
  t.equal(await names([at('kind', 'a.png'), at('kind', 'a.png')]), 'a.png 2')
  t.equal(await names(video), 'kind.mp4 2')
  t.equal(await names([frame(1)]), 'frames undefined')
  await t.rejects(openSource(7 as unknown as string), { code: 'INVALID_OPTION' })
  await t.rejects(openSource(video, { frameRate: 5 }), { code: 'INVALID_OPTION' })
  const strange = (options: object): object => options
  const sourceOptions = 'maxRes, maxLen, targetFps, playlists, signal'
  const message = (names: string, stranger: string): string =>
    `Expected only ${names} for options, received "${stranger}"`
  for (const input of [at('kind'), video, [frame(1)]]) {
    await t.rejects(openSource(input, strange({ maxres: 3 })), {
      code: 'INVALID_OPTION',
      message: message(`${sourceOptions}, frameRate, name`, 'maxres'),
    })
  }
  await t.rejects(openVideo(video, strange({ frameRate: 3 })), { message: message(sourceOptions, 'frameRate') })
  await t.rejects(openSource(video, { name: 'mine' }), { message: message(sourceOptions, 'name') })
  await t.rejects(openImages(at('kind'), strange({ name: 'mine' })), {
    message: message(`${sourceOptions}, frameRate`, 'name'),
  })
  await t.rejects(fromFrames([frame(1)], strange({ fps: 3 })), {
    message: message(`${sourceOptions}, frameRate, name`, 'fps'),
  })
  await t.rejects(openSource(video, null as unknown as object), {
    message: 'Expected an object for options, received null',
  })
  await t.rejects(openSource(at('gone.png')), { code: 'SOURCE_UNREADABLE', message: /gone\.png/ })
})
