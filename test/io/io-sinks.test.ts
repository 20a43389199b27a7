// Owns: tests of what depth sinks write, read back.
// Must not know: engines, the pipeline.

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import t from 'tap'
import { palette } from '../../dist/esm/io/sinks/palettes.js'
import { rgbVideoWriter } from '../../dist/esm/io/sinks/rgb-video-sink.js'
import { openSink, openSinks } from '../../dist/esm/io/sinks/sinks.js'
import { openVideo } from '../../dist/esm/io/sources/video-source.js'
import { collect, depthFrame } from '../support/frames.js'
import { readNpz } from '../support/npz.js'
import { allOutputs, count, fill, height, value, width } from '../support/outputs.js'

const least = value(0, 0, 0)
const greatest = value(count - 1, width - 1, height - 1)

function expectedDepths(): Float32Array {
  const all = new Float32Array(count * width * height)
  for (let index = 0; index < count; index++)
    all.set(depthFrame(index, width, height, value).data, index * width * height)
  return all
}

const times = Array.from({ length: count }, (_, index) => index * 40)

t.test('raw: values and description', async (t) => {
  const path = join(t.testdir(), 'new', 'depth.f32')
  t.same(await fill(await openSink({ format: 'raw', path })), [path, `${path}.json`])
  const bytes = await readFile(path)
  t.same(new Float32Array(new Uint8Array(bytes).buffer), expectedDepths())
  t.same(JSON.parse(await readFile(`${path}.json`, 'utf8')), {
    file: 'depth.f32',
    dtype: '<f4',
    order: 'C',
    shape: [count, height, width],
    kind: 'disparity',
    unit: null,
    timestampsMs: times,
  })
})

t.test('npz: one compressed array', async (t) => {
  const path = join(t.testdir(), 'depth.npz')
  await fill(await openSink({ format: 'npz', path }))
  const depths = (await readNpz(path)).get('depths')
  t.match(depths, { dtype: '<f4', shape: [count, height, width] })
  t.same(depths?.data, expectedDepths())
  t.ok((await readFile(path)).length < count * height * width * 4, 'it is compressed')
})

t.test('png16: disparity over the range of the video, and back', async (t) => {
  const path = join(t.testdir(), 'png')
  await fill(await openSink({ format: 'png16', path }))
  t.same((await readdir(path)).sort(), [...Array.from({ length: count }, (_, i) => `0000${i}.png`), 'scale.json'])
  const scale = JSON.parse(await readFile(join(path, 'scale.json'), 'utf8')) as { offset: number; step: number }
  t.match(scale, { kind: 'disparity', unit: null, width, height, frames: count, timestampsMs: times })
  for (const index of [0, count - 1]) {
    const file = join(path, `0000${index}.png`)
    t.match(await sharp(file).metadata(), { depth: 'ushort', channels: 1, width, height, bitsPerSample: 16 })
    const pixels = await readGrey16(file)
    const { data } = depthFrame(index, width, height, value)
    const worst = pixels.reduce(
      (worst, pixel, i) => Math.max(worst, Math.abs(scale.offset + pixel * scale.step - (data[i] ?? NaN))),
      0,
    )
    t.ok(worst <= scale.step * 0.501, `within half a step: ${worst}`)
  }
  t.equal((await readGrey16(join(path, '00000.png')))[0], 0)
  t.equal((await readGrey16(join(path, '00006.png'))).at(-1), 65535)
})

t.test('png16: metric depth in millimetres', async (t) => {
  const path = join(t.testdir(), 'mm')
  const sink = await openSink({ format: 'png16', path })
  await sink.write(depthFrame(0, 3, 1, (_, x) => [1.2344, 65.535, 80][x] ?? 0, 'metric'))
  await sink.finish()
  t.same([...(await readGrey16(join(path, '00000.png')))], [1234, 65535, 65535])
  t.match(JSON.parse(await readFile(join(path, 'scale.json'), 'utf8')), {
    offset: 0,
    step: 0.001,
    kind: 'metric',
    unit: 'm',
  })
  const wrong = await openSink({ format: 'png16', path, range: 'millimetres' })
  await wrong.write(depthFrame(0, 3, 1, () => 1))
  await t.rejects(wrong.finish(), { code: 'INVALID_OPTION' })
  t.equal((await readdir(path)).length, 2, 'the earlier folder is untouched')
})

t.test('video: colours, times, odd sizes', async (t) => {
  const folder = t.testdir()
  for (const [name, options] of [
    ['global.mp4', {}],
    ['fixed.mp4', { range: { min: least, max: greatest } }],
    ['gray.mp4', { palette: 'gray' }],
  ] as const) {
    const path = join(folder, name)
    t.same(await fill(await openSink({ format: 'video', path, ...options }), 'disparity', { width: 33, height: 17 }), [
      path,
    ])
    const source = await openVideo(path)
    t.same([source.info.width, source.info.height], [34, 18], 'odd sides get one more pixel')
    const { frames, error } = await collect(source)
    t.equal(error, undefined)
    t.same(
      frames.map(({ timestampMs }) => Math.round(timestampMs)),
      times,
      name,
    )
    const colours = palette(name === 'gray.mp4' ? 'gray' : 'inferno')
    const max = value(count - 1, 32, 16)
    const range = name === 'fixed.mp4' ? greatest - least : max - least
    const level = Math.floor(((value(3, 16, 8) - least) / range) * 255)
    const pixel = frames[3]?.data.subarray((8 * 34 + 16) * 3, (8 * 34 + 16) * 3 + 3) ?? []
    for (const channel of [0, 1, 2])
      t.ok(
        Math.abs((pixel[channel] ?? 999) - (colours[level * 3 + channel] ?? 0)) <= 12,
        `${name} channel ${channel}: ${pixel[channel]}`,
      )
  }
})

t.test('video: the running range needs no second pass', async (t) => {
  const folder = t.testdir()
  const path = join(folder, 'live.mp4')
  const sink = await openSink({ format: 'video', path, range: 'running', palette: 'turbo' })
  await sink.write(depthFrame(0, width, height, value))
  t.notOk((await readdir(folder)).some((name) => name.includes('spill')))
  await sink.finish()
  t.equal((await collect(await openVideo(path))).frames.length, 1)
})

t.test('the frames themselves as a video, variable times kept', async (t) => {
  const path = join(t.testdir(), 'x_src.mp4')
  const writer = await rgbVideoWriter(path)
  const given = [0, 10, 500, 541]
  for (const timestampMs of given)
    await writer.write({ data: new Uint8Array(16 * 16 * 3).fill(90), width: 16, height: 16, timestampMs })
  t.equal(await writer.finish(), path)
  await writer.abort()
  const { frames } = await collect(await openVideo(path))
  t.same(
    frames.map(({ timestampMs }) => Math.round(timestampMs)),
    given,
  )
  t.ok(Math.abs((frames[2]?.data[0] ?? 0) - 90) <= 2)
})

t.test('a frame may be reused as soon as write returned', async (t) => {
  const path = join(t.testdir(), 'x_src.mp4')
  const writer = await rgbVideoWriter(path, { crf: 0 })
  const data = new Uint8Array(16 * 16 * 3)
  const writes = [200, 100, 50].map((level, index) => {
    const writing = writer.write({ data: data.fill(level), width: 16, height: 16, timestampMs: index * 40 })
    data.fill(0)
    return writing
  })
  const finished = writer.finish() // what overlaps waits for its turn
  await Promise.all(writes)
  t.equal(await finished, path)
  await t.rejects(writer.write({ data, width: 16, height: 16, timestampMs: 400 }), { code: 'CLOSED' })
  const { frames } = await collect(await openVideo(path))
  t.same(
    frames.map((frame) => Math.round((frame.data[0] ?? 0) / 10) * 10),
    [200, 100, 50],
  )
})

t.test('several outputs end together', async (t) => {
  const folder = t.testdir()
  const outputs = allOutputs(folder)
  const sink = await openSinks(outputs)
  await sink.write(depthFrame(0, width, height, value))
  const spills = (await readdir(folder)).filter((name) => name.includes('spill'))
  t.equal(spills.length, process.platform === 'win32' ? 1 : 0, 'the spill has no name where that can be')
  t.same(visible(await readdir(folder)), [], 'nothing is there before the end')
  await sink.finish()
  t.same(
    (await readdir(folder)).sort(),
    ['d.f32', 'd.f32.json', 'd.mp4', 'd.npz', 'live.mp4', 'png'],
    'and no temporary file after it',
  )
})

function visible(names: readonly string[]): readonly string[] {
  return names.filter((name) => !name.startsWith('.'))
}

t.test('missing folders are made', async (t) => {
  const path = join(t.testdir(), 'a', 'b', 'png')
  await fill(await openSink({ format: 'png16', path }))
  t.equal((await readdir(path)).length, count + 1)
})

async function readGrey16(path: string): Promise<Uint16Array> {
  const { data, info } = await sharp(path)
    .toColourspace('grey16')
    .raw({ depth: 'ushort' })
    .toBuffer({ resolveWithObject: true })
  if (info.channels !== 1) throw new Error(`${path} has ${info.channels} channels`)
  return new Uint16Array(new Uint8Array(data).buffer)
}

t.test('video: what is bright, of disparity and of metric depth', async (t) => {
  const folder = t.testdir()
  const firstPixel = async (kind: 'disparity' | 'metric', bright?: 'near' | 'far'): Promise<number> => {
    const path = join(folder, `${kind}-${bright}.mp4`)
    const sink = await openSink({ format: 'video', path, palette: 'gray', bright })
    await sink.write(depthFrame(0, 64, 32, (_, x) => (x < 32 ? 9 : 1), kind))
    await sink.finish()
    const { frames } = await collect(await openVideo(path))
    return frames[0]?.data[0] ?? -1
  }
  t.ok((await firstPixel('disparity')) > 200)
  t.ok((await firstPixel('disparity', 'near')) > 200)
  t.ok((await firstPixel('disparity', 'far')) < 50)
  t.ok((await firstPixel('metric')) > 200, "upstream's rule")
  t.ok((await firstPixel('metric', 'far')) > 200)
  t.ok((await firstPixel('metric', 'near')) < 50)
  await t.rejects(openSink({ format: 'video', path: join(folder, 'x.mp4'), bright: 'up' as never }), {
    message: 'Expected one of near, far for bright, received "up"',
  })
})
