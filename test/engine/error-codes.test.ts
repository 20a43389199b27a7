// Owns: tests that what leaves the package is a VideoDepthError or the caller's own, whatever was short or wrong.
// Must not know: how anything is computed.

import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { owned, shortageOf } from '../../dist/esm/base/errors.js'
import * as evaluate from '../../dist/esm/evaluate/index.js'
import * as api from '../../dist/esm/index.js'
import { fromFrames, openSinks, rgbVideoWriter, VideoDepthError } from '../../dist/esm/index.js'
import { depthFrame } from '../support/frames.js'
import { resizable, waysToLose } from '../support/lost-buffers.js'

t.test('shortages have codes of their own, whatever was being done', (t) => {
  const withCode = (code: string): Error => Object.assign(new Error(code), { code })
  const cases: [Error, string][] = [
    [new RangeError('Array buffer allocation failed'), 'OUT_OF_MEMORY'],
    [new RangeError('Invalid typed array length: 99999999999'), 'OUT_OF_MEMORY'],
    [new Error('std::bad_alloc'), 'OUT_OF_MEMORY'],
    [new Error('Cannot allocate memory'), 'OUT_OF_MEMORY'],
    [new Error('Failed to allocate memory for requested buffer of size 5'), 'OUT_OF_MEMORY'],
    [withCode('ENOMEM'), 'OUT_OF_MEMORY'],
    [withCode('EMFILE'), 'TOO_MANY_OPEN_FILES'],
    [withCode('ENFILE'), 'TOO_MANY_OPEN_FILES'],
    [withCode('ERR_WORKER_INIT_FAILED'), 'OUT_OF_THREADS'],
  ]
  for (const [cause, code] of cases) {
    t.equal(shortageOf(cause), code)
    t.match(owned(cause, 'SOURCE_UNREADABLE', 'Reading'), { code, cause, message: `Reading: ${cause.message}` })
    t.equal(new VideoDepthError('OUTPUT_UNWRITABLE', 'Cannot write', { cause }).code, code)
  }
  t.match(owned(new Error('other'), 'SOURCE_UNREADABLE', 'Reading'), { code: 'SOURCE_UNREADABLE' })
  t.equal(
    new VideoDepthError('GPU_OUT_OF_MEMORY', 'x', { cause: withCode('GPU_OUT_OF_MEMORY') }).code,
    'GPU_OUT_OF_MEMORY',
  )
  t.end()
})

t.test('nonsense in every place of every public function', async (t) => {
  const folder = t.testdir()
  const before = process.cwd()
  process.chdir(folder) // outputs by strange names go there
  t.teardown(() => process.chdir(before))
  const nonsense: readonly unknown[] = [
    ...[undefined, null, true, -1, 2 ** 53, Number.NaN, 10n, '', 'nul\0byte', Symbol('s'), () => 1],
    ...[[] as unknown[], [undefined], {}, new Uint8Array(3), Object.create(null) as unknown],
  ]
  const names = Object.entries({ ...api, ...evaluate })
  const functions = names.filter(([name, value]) => typeof value === 'function' && /^[a-z]/.test(name))
  t.ok(functions.length > 10)
  const load = (options: unknown): unknown => api.VideoDepth.load(options as never)
  for (const [name, call] of [...functions, ['load', load]] as [string, (...values: unknown[]) => unknown][]) {
    for (const first of nonsense) {
      for (const rest of [[], [null], [5], [{ nothing: 1 }]]) {
        try {
          const made = (await call(first, ...rest)) as { close?(): unknown; abort?(): unknown } | undefined
          await made?.close?.()
          await made?.abort?.()
        } catch (error) {
          if (!(error instanceof VideoDepthError)) t.fail(`${name} gave ${String(error)} for ${typeof first}`)
        }
      }
    }
  }
})

t.test('what the caller’s frames throw reaches the caller as it is', async (t) => {
  for (const thrown of [new TypeError('mine'), 'a string' as unknown as Error]) {
    const frames = async function* (): AsyncGenerator<never> {
      await Promise.resolve()
      if (String(thrown) !== '') throw thrown
      yield* []
    }
    const error: unknown = await fromFrames(frames()).catch((reason: unknown) => reason)
    t.equal(error, thrown)
  }
})

t.test('frames may be lost as soon as the next one is asked for', async (t) => {
  const [width, height] = [640, 480]
  for (const pixelFormat of ['rgb24', 'bgr24'] as const) {
    for (const [way, lose] of Object.entries(waysToLose)) {
      const frames = function* () {
        const { buffer, data } = resizable(width * height * 3, 7)
        setImmediate(() => lose(buffer)) // while it is converted and scaled
        yield { data, width, height, pixelFormat }
      }
      for await (const frame of await fromFrames(frames(), { maxRes: 64 }))
        t.ok(
          frame.data.every((value) => value === 7),
          `${pixelFormat}, ${way}`,
        )
    }
  }
})

t.test('depth may be lost as soon as write has returned', async (t) => {
  for (const [way, lose] of Object.entries(waysToLose)) {
    const file = path.join(t.testdir(), 'depth.f32')
    const sink = await openSinks([{ format: 'raw', path: file }])
    const frame = depthFrame(0, 64, 48, () => 3)
    const data = new Float32Array(resizable(64 * 48 * 4).buffer).fill(3)
    const writing = sink.write({ ...frame, data })
    lose(data.buffer)
    await writing
    await sink.finish()
    const { readFile } = await import('node:fs/promises')
    const bytes = await readFile(file)
    t.ok(
      new Float32Array(new Uint8Array(bytes).buffer).every((value) => value === 3),
      way,
    )
  }
})

t.test('frames too large for a video are refused before anything is computed or parked', async (t) => {
  const folder = t.testdir()
  const refused = {
    code: 'FRAME_INVALID',
    message: /^Frames of 16385×2 are too large for an H\.264 video.*16384.*maxRes/,
  }
  const writer = await rgbVideoWriter(path.join(folder, 'a.mp4'))
  const frame = { data: new Uint8Array(16_385 * 2 * 3), width: 16_385, height: 2, timestampMs: 0 }
  await t.rejects(writer.write(frame), refused)
  await writer.abort()
  for (const range of ['global', 'running'] as const) {
    const sink = await openSinks([{ format: 'video', path: path.join(folder, 'b.mp4'), range }])
    await t.rejects(sink.write(depthFrame(0, 16_385, 2, () => 1)), refused)
    await sink.abort()
  }
  t.same(readdirSync(folder), [])
})

t.test(
  'little address space: a code, no signal and no bare error',
  { skip: process.platform !== 'linux' && 'ulimit -v is Linux’s' },
  (t) => {
    const script = `
    const { fromFrames, VideoDepthError } = await import(${JSON.stringify(new URL('../../dist/esm/index.js', import.meta.url).href)})
    const side = 16_000 // 768 MB a frame
    const data = new Uint8Array(side * side * 4)
    try {
      for await (const frame of await fromFrames([{ data, width: side, height: side, pixelFormat: 'bgra' }], { maxRes: -1 })) frame.width
      console.log('enough')
    } catch (error) {
      console.log(error instanceof VideoDepthError ? error.code : 'bare ' + error)
    }`
    const outcomes = [2_400_000, 3_000_000, 40_000_000].map((limit) => {
      const shell = `ulimit -v ${limit} && exec "$0" --input-type=module -e "$1"`
      const { stdout, stderr } = spawnSync('bash', ['-c', shell, process.execPath, script], { encoding: 'utf8' })
      // Below some limit V8 itself or our script's own array does not come up.
      return /Fatal process|Fatal JavaScript|allocation failed/.test(stderr) ? 'not ours' : stdout.trim()
    })
    t.ok(
      outcomes.every((outcome) => ['not ours', 'OUT_OF_MEMORY', 'enough'].includes(outcome)),
      outcomes.join(),
    )
    t.equal(outcomes.at(-1), 'enough')
    t.end()
  },
)
