// Owns: tests of content differences through the addon, against values from OpenCV 5.0.
// Must not know: cuts, videos.

import { spawnSync } from 'node:child_process'
import t from 'tap'
import { loadAddon } from '../../dist/esm/native/addon.js'
import type { NativeContentMeter } from '../../dist/esm/native/types.js'
import { type NativePicture, resolvePicture } from '../../dist/esm/base/pixel-format.js'
import { resizable, waysToLose } from '../support/lost-buffers.js'

const { ContentMeter } = loadAddon()

/** Gradients, textures and checks; test/native/content_test.cpp has the same one. */
function procedural(width: number, height: number, seed: number): NativePicture {
  const data = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const check = (Math.floor(x / 16) + Math.floor(y / 16)) % 2
      const pixel = [x * 3 + y * 5 + seed * 40, x * y + seed * 97, Math.floor((x * 7) / 3) + y * 2 + check * 90 * seed]
      data.set(pixel, (y * width + x) * 3)
    }
  }
  return resolvePicture({ data, width, height }, 'picture')
}

t.test('OpenCV’s HSV differences after PySceneDetect’s downscaling, bit for bit', async (t) => {
  // cv2.resize(INTER_LINEAR) to 256 on the longer side where it has more, cv2.cvtColor(COLOR_BGR2HSV), summed: by hand
  const cases: [width: number, height: number, hue: number, saturation: number, value: number, pixels: number][] = [
    [1, 1, 48, 255, 97, 1],
    [3, 1, 275, 271, 282, 3],
    [101, 67, 393382, 427343, 331451, 6767],
    [256, 256, 3823679, 4329218, 3520105, 65536],
    [300, 200, 2358478, 2600881, 1978766, 43776],
    [512, 384, 2565165, 2828320, 2119171, 49152],
    [640, 360, 1964300, 2155221, 1668255, 36864],
    [77, 333, 835880, 928342, 684357, 15104],
    [1280, 720, 2141463, 2436502, 1975386, 36864],
  ]
  for (const [width, height, hue, saturation, value, pixels] of cases) {
    const meter = new ContentMeter()
    t.equal(await meter.measure(procedural(width, height, 0)), null)
    const wanted = { hue: hue / pixels, saturation: saturation / pixels, value: value / pixels }
    t.same(await meter.measure(procedural(width, height, 1)), wanted, `${width}×${height}`)
  }
})

t.test('calls run in the order made, each against the one before', async (t) => {
  const pictures = Array.from({ length: 6 }, (_, seed) => procedural(400, 300, seed))
  const onebyOne = new ContentMeter()
  const wanted = []
  for (const picture of pictures) wanted.push(await onebyOne.measure(picture))
  const settled: number[] = []
  const meter = new ContentMeter()
  const found = await Promise.all(
    pictures.map(async (picture, i) => {
      const difference = await meter.measure(picture)
      settled.push(i)
      return difference
    }),
  )
  t.same(found, wanted)
  t.same(settled, [0, 1, 2, 3, 4, 5])
  t.equal(found[0], null)
  t.ok(found.slice(1).every((difference) => (difference?.value ?? 0) > 0))
})

t.test('two meters do not see each other’s pictures', async (t) => {
  const [a, b] = [procedural(64, 48, 0), procedural(64, 48, 1)]
  const [first, second] = [new ContentMeter(), new ContentMeter()]
  const results = await Promise.all([first.measure(a), second.measure(b), first.measure(a), second.measure(b)])
  t.same(results, [null, null, { hue: 0, saturation: 0, value: 0 }, { hue: 0, saturation: 0, value: 0 }])
})

t.test('reset: what is measured next has nothing before it, whether it waits already or not', async (t) => {
  const [a, b] = [procedural(64, 48, 0), procedural(64, 48, 1)]
  const meter = new ContentMeter()
  await meter.measure(a)
  meter.reset()
  meter.reset()
  t.equal(await meter.measure(b), null)
  t.not(await meter.measure(a), null)

  const running = meter.measure(b)
  const waiting = meter.measure(a)
  meter.reset()
  t.not(await running, null)
  t.equal(await waiting, null)
  t.not(await meter.measure(b), null)
})

t.test('another size is another beginning', async (t) => {
  const meter = new ContentMeter()
  await meter.measure(procedural(64, 48, 0))
  t.equal(await meter.measure(procedural(48, 64, 0)), null)
  // Both are 256×144 when shrunk.
  t.equal(await meter.measure(procedural(1280, 720, 0)), null)
  t.equal(await meter.measure(procedural(640, 360, 0)), null)
  t.not(await meter.measure(procedural(640, 360, 1)), null)
})

t.test('wrong pictures reject, and the meter goes on as if they had not been', async (t) => {
  const [a, b] = [procedural(64, 48, 0), procedural(64, 48, 1)]
  const reference = new ContentMeter()
  await reference.measure(a)
  const wanted = await reference.measure(b)
  const meter = new ContentMeter()
  const measure = (picture: unknown): Promise<unknown> => meter.measure(picture as NativePicture)
  const short = { ...a, data: a.data.subarray(1) }
  const results = await Promise.allSettled([a, short, { ...a, pixelFormat: 'yuv420p' }, null, b].map(measure))
  const settled = results.map((result): unknown =>
    result.status === 'fulfilled' ? result.value : String(result.reason),
  )
  t.same(settled, [
    null,
    'RangeError: Expected at least 9216 bytes for picture.data, received 9215',
    'TypeError: Expected one of rgb24, bgr24, rgba, bgra, gray8, nv12, yuyv422 for picture.pixelFormat, received "yuv420p"',
    'TypeError: Expected an object for picture, received null',
    wanted,
  ])
})

t.test('pictures may be written, transferred and resized as soon as the call has returned', async (t) => {
  const pictures = [0, 1, 2, 3].map((seed) => procedural(1280, 720, seed))
  const meter = new ContentMeter()
  const wanted: unknown[] = []
  for (const picture of pictures) wanted.push(await meter.measure(picture))
  meter.reset()
  const given = pictures.map((picture) => {
    const { data } = resizable(picture.data.length)
    data.set(picture.data)
    return { ...picture, data }
  })
  const jobs = given.map((picture) => meter.measure(picture))
  for (const [i, lose] of Object.values(waysToLose).entries()) lose(given[i]?.data.buffer ?? new ArrayBuffer(0))
  t.same(await Promise.all(jobs), wanted)
})

t.test('the JavaScript thread goes on while pictures are measured', async (t) => {
  const meter = new ContentMeter()
  const picture = procedural(640, 360, 0)
  let ticks = 0
  const ticking = setInterval(() => ticks++, 1)
  // Pictures until the timer has come, however fast the machine.
  for (let rounds = 0; ticks < 3 && rounds < 20_000; rounds++) await meter.measure(picture)
  clearInterval(ticking)
  t.ok(ticks >= 3)
})

t.test('receivers are checked', (t) => {
  const prototype = ContentMeter.prototype as NativeContentMeter
  for (const name of ['measure', 'reset'] as const) {
    const method = Reflect.get(prototype, name) as (...args: unknown[]) => unknown
    for (const receiver of [{}, Object.create(prototype) as object, loadAddon()]) {
      t.throws(() => Reflect.apply(method, receiver, []) as undefined)
    }
  }
  t.end()
})

/** Runs `script` as a process of its own with `work(count)`: so many jobs of one meter that nobody holds. */
function inChild(script: string): { status: number | null; signal: string | null; stdout: string; stderr: string } {
  const common = `
    import { loadAddon } from ${JSON.stringify(new URL('../../dist/esm/native/addon.js', import.meta.url).href)}
    const { ContentMeter } = loadAddon()
    const work = (count) => {
      const meter = new ContentMeter()
      const layout = { pixelFormat: 'nv12', strideBytes: 3840, colorMatrix: 'bt601', colorRange: 'limited' }
      return Promise.all(Array.from({ length: count }, () =>
        meter.measure({ data: new Uint8Array(3840 * 3240), width: 3840, height: 2160, ...layout })))
    }`
  const source = `
    import { Worker, isMainThread, parentPort } from 'node:worker_threads'
    const common = ${JSON.stringify(common)}
    ${common}
    ${script}`
  return spawnSync(process.execPath, ['--expose-gc', '--input-type=module', '-e', source], { encoding: 'utf8' })
}

t.test('workers that are terminated in mid-queue leave the process whole', (t) => {
  const { status, signal, stdout, stderr } = inChild(`
    const source = 'data:text/javascript,' + encodeURIComponent(common + \`
      import { parentPort } from 'node:worker_threads'
      work(8)
      parentPort.postMessage('started')\`)
    for (let i = 0; i < 8; i++) {
      const worker = new Worker(new URL(source))
      await new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject))
      if (i % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 10))
      await worker.terminate()
    }
    await work(2)
    console.log('whole')`)
  t.same({ status, signal, stdout: stdout.trim() }, { status: 0, signal: null, stdout: 'whole' }, stderr)
  t.end()
})

t.test('process.exit in mid-queue exits', (t) => {
  const { status, signal, stderr } = inChild('work(4); work(4); process.exit(7)')
  t.same({ status, signal }, { status: 7, signal: null }, stderr)
  t.end()
})

t.test('a meter and pictures that nobody holds live until their jobs have ended', (t) => {
  const { status, signal, stdout, stderr } = inChild(`
    const jobs = Array.from({ length: 4 }, () => work(3))
    for (let i = 0; i < 20; i++) { gc(); await new Promise(setImmediate) }
    const results = (await Promise.all(jobs)).flat()
    for (let i = 0; i < 3; i++) { gc(); await new Promise(setImmediate) }
    console.log(results.length, results.filter((difference) => difference?.value === 0).length)`)
  t.same({ status, signal, stdout: stdout.trim() }, { status: 0, signal: null, stdout: '12 8' }, stderr)
  t.end()
})
