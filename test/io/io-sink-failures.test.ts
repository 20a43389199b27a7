// Owns: tests of how depth sinks fail: abort, wrong frames, unwritable places, full disks.
// Must not know: file formats, engines.

import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import fs, { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { AtomicFolder } from '../../dist/esm/io/sinks/atomic-output.js'
import type { DepthSpill } from '../../dist/esm/io/sinks/depth-spill.js'
import { png16Output } from '../../dist/esm/io/sinks/png16-sink.js'
import { rgbVideoWriter } from '../../dist/esm/io/sinks/rgb-video-sink.js'
import { openSink, openSinks, type OutputSpec } from '../../dist/esm/io/sinks/sinks.js'
import { depthFrame } from '../support/frames.js'
import { allOutputs, count, fill, height, value, width } from '../support/outputs.js'

t.test('abort leaves nothing behind, an earlier result least of all damaged', async (t) => {
  const folder = t.testdir({ 'd.npz': 'old', png: { '00000.png': 'old' } })
  const sink = await openSinks(allOutputs(folder))
  const writing = sink.write(depthFrame(0, width, height, value))
  const aborted = sink.abort()
  await Promise.allSettled([writing])
  await aborted
  await sink.abort()
  t.same((await readdir(folder)).sort(), ['d.npz', 'png'])
  t.equal(await readFile(join(folder, 'd.npz'), 'utf8'), 'old')
  await t.rejects(sink.write(depthFrame(1, width, height, value)), { code: 'CLOSED' })
  await t.rejects(sink.finish(), { code: 'CLOSED' })
})

t.test('an earlier folder is replaced only if it is one of ours', async (t) => {
  const folder = t.testdir({
    mine: { 'holiday.jpg': 'keep me' },
    ours: { '00000.png': 'old', '99999.png': 'old', 'scale.json': '{}' },
  })
  await t.rejects(openSink({ format: 'png16', path: join(folder, 'mine') }), {
    code: 'OUTPUT_UNWRITABLE',
    message: /holiday\.jpg/,
  })
  await fill(await openSink({ format: 'png16', path: join(folder, 'ours') }))
  t.equal((await readdir(join(folder, 'ours'))).length, count + 1)
  t.same((await readdir(folder)).sort(), ['mine', 'ours'])
})

t.test('an earlier folder gets its name back where the new one cannot take it', async (t) => {
  const folder = t.testdir({ ours: { '00000.png': 'old' } })
  const output = await AtomicFolder.create(join(folder, 'ours'), (name) => name.endsWith('.png'))
  await rm(output.temporary, { recursive: true })
  await t.rejects(output.commit(), { code: 'OUTPUT_UNWRITABLE', message: /ours/ })
  t.same(await readdir(folder), ['ours'])
  t.equal(await readFile(join(folder, 'ours', '00000.png'), 'utf8'), 'old')
})

t.test('raw: both temporary files go where the first cannot be opened', async (t) => {
  const folder = t.testdir()
  const { open } = fs
  fs.open = (path, flags, mode) =>
    flags === 'r+' ? Promise.reject(new Error('too many open files')) : open(path, flags, mode)
  syncBuiltinESMExports()
  t.teardown(restore)
  await t.rejects(openSink({ format: 'raw', path: join(folder, 'd.f32') }), {
    code: 'OUTPUT_UNWRITABLE',
    message: /d\.f32: too many open files/,
  })
  restore()
  t.same(await readdir(folder), [])

  function restore(): void {
    fs.open = open
    syncBuiltinESMExports()
  }
})

t.test('png16: nothing is still being written when a failure is reported', async (t) => {
  const output = await png16Output(join(t.testdir(), 'png'))
  let settled = false
  const spill = {
    facts: { width: 2, height: 1, kind: 'disparity', count: 2, range: { min: 0, max: 1 }, timestampsMs: [0, 40] },
    frame: async (index: number) => {
      if (index === 0) throw new Error('cut short')
      await new Promise((resolve) => setTimeout(resolve, 20))
      settled = true
      return new Float32Array(2)
    },
  }
  await t.rejects(output.render(spill as unknown as DepthSpill), { message: /cut short/ })
  t.ok(settled)
  await output.discard()
})

t.test('a video can be aborted while a frame is being encoded', async (t) => {
  const folder = t.testdir()
  const [width, height] = [640, 360]
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => Math.imul(i, 2_654_435_761) >>> 13)
  for (let turn = 0; turn < 8; turn++) {
    const writer = await rgbVideoWriter(join(folder, 'x.mp4'))
    const frame = (index: number): Promise<void> => writer.write({ data, width, height, timestampMs: index * 40 })
    for (let index = 0; index < turn % 4; index++) await frame(index)
    const running = frame(10)
    const outcome = running.then(
      () => 'written',
      (error: unknown) => (error as { code: string }).code,
    )
    await new Promise((resolve) => setTimeout(resolve, turn % 5))
    const waiting = t.rejects(frame(11), { code: 'CLOSED' })
    const aborted = writer.abort()
    await t.rejects(frame(12), { code: 'CLOSED' })
    await t.rejects(writer.finish(), { code: 'CLOSED' })
    await Promise.all([waiting, aborted, writer.abort()])
    t.match(await outcome, /^(written|CLOSED)$/)
    t.same(await readdir(folder), [])
  }
})

t.test('strange names in an output are refused before anything is made', async (t) => {
  const folder = t.testdir()
  const good = { format: 'raw', path: join(folder, 'a') } as const
  const strange = (spec: object): OutputSpec => ({ path: join(folder, 'b'), ...spec }) as OutputSpec
  const cases: [OutputSpec, string][] = [
    [strange({ format: 'npz', crf: 3 }), 'Expected only format, path for output 1 (npz), received "crf"'],
    [
      strange({ format: 'png16', palette: 'gray' }),
      'Expected only format, path, range for output 1 (png16), received "palette"',
    ],
    [
      strange({ format: 'video', colour: 'gray' }),
      'Expected only format, path, palette, range, bright, frameRate, crf for output 1 (video), received "colour"',
    ],
    [strange({ format: 'exr' }), "Expected 'raw', 'npz', 'png16' or 'video' for format, received \"exr\""],
  ]
  for (const [spec, message] of cases) await t.rejects(openSinks([good, spec]), { code: 'INVALID_OPTION', message })
  t.same(await readdir(folder), [])
})

t.test('frames that do not fit are refused, and the failure sticks', async (t) => {
  const folder = t.testdir()
  const sink = await openSink({ format: 'raw', path: join(folder, 'd.f32') })
  await sink.write(depthFrame(0, 4, 4, value))
  await t.rejects(sink.write(depthFrame(1, 4, 5, value)), { code: 'FRAME_SIZE_CHANGED' })
  await t.rejects(sink.finish(), { code: 'FRAME_SIZE_CHANGED' })
  t.same(await readdir(folder), [])
  const empty = await openSink({ format: 'npz', path: join(folder, 'd.npz') })
  await t.rejects(empty.finish(), { code: 'SOURCE_EMPTY' })
  t.same(await readdir(folder), [])
})

t.test('unwritable outputs fail before the work, with the path', async (t) => {
  const folder = t.testdir({ file: 'x', dir: {} })
  for (const format of ['raw', 'npz', 'png16', 'video'] as const) {
    const path = join(folder, 'file', 'below')
    await t.rejects(openSink({ format, path }), { code: 'OUTPUT_UNWRITABLE', message: path }, format)
  }
  await t.rejects(openSink({ format: 'npz', path: join(folder, 'dir') }), {
    code: 'OUTPUT_UNWRITABLE',
    message: /it is a folder/,
  })
  await t.rejects(openSink({ format: 'png16', path: join(folder, 'file') }), { code: 'OUTPUT_UNWRITABLE' })
  await t.rejects(
    openSinks([
      { format: 'raw', path: join(folder, 'a') },
      { format: 'video', path: join(folder, 'v.mp4'), crf: 99 },
    ]),
    {
      code: 'INVALID_OPTION',
    },
  )
  await t.rejects(openSinks([]), { code: 'INVALID_OPTION' })
  t.same((await readdir(folder)).sort(), ['dir', 'file'], 'nothing is left')
})

t.test('a full disk', async (t) => {
  const disk = smallDisk(`${t.testdirName}-disk`)
  if (disk === undefined) {
    t.plan(0, 'a small tmpfs cannot be mounted here')
    return
  }
  t.teardown(() => execFileSync('umount', [disk]))
  const noisy = (index: number, x: number, y: number): number =>
    ((Math.imul(index * 31 + x * 17 + y, 2_654_435_761) >>> 8) & 0xffff) / 7
  for (const spec of allOutputs(disk)) await t.test(spec.path, (t) => fillsUp(t, spec, disk, noisy))
})

async function fillsUp(t: Test, spec: OutputSpec, mounted: string, noisy: typeof value): Promise<void> {
  // The spill of a second pass fits; the last filling up is what is left for the output.
  const sink = await openSink(spec)
  const failing = async (): Promise<void> => {
    for (let index = 0; index < 12; index++) await sink.write(depthFrame(index, 200, 150, noisy))
    await writeFile(join(mounted, 'ballast'), Buffer.alloc(1 << 21)).catch(() => undefined)
    await sink.finish()
    for (let index = 12; index < 40; index++) await sink.write(depthFrame(index, 200, 150, noisy))
  }
  await t.rejects(failing(), { code: 'OUTPUT_FULL' })
  await sink.abort()
  t.same(
    (await readdir(mounted)).filter((name) => name !== 'ballast'),
    [],
    'nothing is left behind',
  )
  await writeFile(join(mounted, 'ballast'), '')
}

/** 2 MiB of it; undefined where mounting is not allowed. */
function smallDisk(path: string): string | undefined {
  try {
    mkdirSync(path, { recursive: true })
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', path], { stdio: 'ignore' })
    return path
  } catch {
    return undefined
  }
}

t.test('an abort ends the second pass early', async (t) => {
  const folder = t.testdir()
  const sink = await openSinks(allOutputs(folder))
  for (let i = 0; i < 40; i++) await sink.write(depthFrame(i, width, height, value))
  const finishing = t.rejects(sink.finish(), { code: 'CLOSED' })
  await sink.abort()
  await finishing
  t.same(await readdir(folder), [])
})
