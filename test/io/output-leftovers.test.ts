// Owns: tests of what killed processes leave beside outputs, and of disks that are too small.
// Must not know: file formats, the network.

import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import t from 'tap'
import { AtomicFolder } from '../../dist/esm/io/sinks/atomic-output.js'
import { pngSequenceSink } from '../../dist/esm/io/sinks/png-sequence-sink.js'
import { isGone, ownProcess, type ProcessMark } from '../../dist/esm/io/sinks/process-mark.js'
import { rgbVideoWriter } from '../../dist/esm/io/sinks/rgb-video-sink.js'
import { openSink, openSinks } from '../../dist/esm/io/sinks/sinks.js'
import { temporaryBeside, type Purpose } from '../../dist/esm/io/sinks/temporary-names.js'
import packageRoot from '../../dist/esm/package-root.cjs'
import { depthFrame } from '../support/frames.js'
import { makeVideo, steady } from '../support/make-video.js'
import { allOutputs, fill, height, width } from '../support/outputs.js'
import { runCli } from '../support/run-cli.js'

/** A process that has ended. */
const ended: ProcessMark = { ...ownProcess(), pid: spawnSync(process.execPath, ['-e', '']).pid, start: '1' }
const otherMachine: ProcessMark = { ...ended, machine: '00000000', system: '00000000' }
const otherContainer: ProcessMark = { ...ended, system: '00000000' }

async function plant(path: string, purpose: Purpose, owner: ProcessMark, isFolder = false): Promise<string> {
  const name = temporaryBeside(path, purpose, owner)
  if (isFolder) await mkdir(name)
  await writeFile(isFolder ? join(name, 'a') : name, 'planted')
  return basename(name)
}

t.test('leftovers of ended processes go with the next output, those of all others stay', async (t) => {
  const folder = t.testdir()
  const at = (name: string): string => join(folder, name)
  await plant(at('x.mp4'), 'partial', ended)
  await plant(at('n'.repeat(250)), 'spill', ended)
  await plant(at('png'), 'partial', ended, true)
  const kept = [
    await plant(at('x.mp4'), 'partial', ownProcess()),
    await plant(at('x.mp4'), 'partial', otherMachine),
    await plant(at('x.mp4'), 'partial', otherContainer),
    '.x.mp4.partial-1-2', // not one of ours
  ]
  await writeFile(at('.x.mp4.partial-1-2'), '')
  await (await openSink({ format: 'npz', path: at('d.npz') })).abort()
  t.same((await readdir(folder)).sort(), [...kept].sort())
})

t.test('a process is gone where its number is free, another one has it, or the machine was started anew', (t) => {
  const own = ownProcess()
  t.equal(isGone(own, 0), false)
  t.equal(isGone(ended, Date.now()), true)
  t.equal(isGone(otherMachine, 0), false)
  t.equal(isGone(otherContainer, Date.now()), false)
  if (process.platform === 'linux') {
    t.equal(isGone({ ...own, start: '1' }, Date.now()), true, 'the number was given out again')
    t.equal(isGone(otherContainer, 0), true, 'before this machine was started')
    t.equal(isGone({ ...own, pid: 1, start: '999999999999' }, Date.now()), true)
  }
  t.end()
})

t.test('an earlier folder that was moved away is never lost', async (t) => {
  const folder = t.testdir()
  const at = (name: string): string => join(folder, name)
  const long = 'ü'.repeat(120)
  await plant(at('short'), 'old', ended, true)
  await plant(at(long), 'old', ended, true)
  const foreign = await plant(at('foreign'), 'old', otherMachine, true)
  await (await openSink({ format: 'npz', path: at('d.npz') })).abort()
  const after = await readdir(folder)
  t.ok(after.includes('short') && after.includes(foreign), 'it has its name again')
  t.equal(after.length, 3, 'a name that was cut waits for its owner')
  const output = await AtomicFolder.create(at(long), () => true)
  t.equal(await readFile(join(folder, long, 'a'), 'utf8'), 'planted')
  await output.discard()
  await plant(at('short'), 'old', ended, true)
  await (await openSink({ format: 'npz', path: at('d.npz') })).abort()
  t.same((await readdir(folder)).sort(), [foreign, 'short', long].sort(), 'one that was replaced goes')
})

t.test('what a killed process leaves goes with the next one', { timeout: 120_000 }, async (t) => {
  const folder = t.testdir()
  const child = spawn(process.execPath, [
    join(packageRoot, 'dist-test', 'support', 'write-outputs-child.js'),
    folder,
    'wait',
  ])
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
  t.ok((await readdir(folder)).some((name) => name.includes('.partial-')))
  const outputs = await openSinks(allOutputs(folder))
  await fill(outputs)
  t.same((await readdir(folder)).sort(), ['d.f32', 'd.f32.json', 'd.mp4', 'd.npz', 'live.mp4', 'png'])
})

t.test('an input with a long name, and one that an output would replace', { timeout: 120_000 }, async (t) => {
  const folder = t.testdir()
  const name = `${'ü'.repeat(125)}.mp4`
  await makeVideo({ path: join(folder, name), width: 64, height: 48, times: steady(2, 25) })
  const checkpoint = ['--checkpoint', join(packageRoot, 'test', 'fixtures', 'tiny.pth'), '--input-size', '56']
  const run = await runCli(['run', name, ...checkpoint, '--save-raw', '-o', 'out'], { cwd: folder })
  t.equal(run.code, 0, run.stderr)
  t.equal((await readdir(join(folder, 'out'))).length, 4)
  const live = await runCli(['live', name, ...checkpoint, '--video', name], { cwd: folder })
  t.equal(live.code, 2)
  t.match(live.stderr, /another file than the input/)
  const source = join(folder, 'clip.mp4')
  await makeVideo({ path: source, width: 64, height: 48, times: steady(2, 25) })
  await symlink(source, join(folder, 'out', 'clip_src.mp4'))
  const onto = await runCli(['run', source, ...checkpoint, '-o', 'out'], { cwd: folder })
  t.equal(onto.code, 2, onto.stderr)
  t.match(onto.stderr, /another place than the input for the output/)
})

t.test('a disk that is too small', async (t) => {
  const disk = smallDisk(`${t.testdirName}-disk`)
  if (disk === undefined) {
    t.plan(0, 'a small tmpfs cannot be mounted here')
    return
  }
  t.teardown(() => execFileSync('umount', [disk]))
  const expected = { width: 1280, height: 720, frames: 900 }
  for (const spec of allOutputs(disk).filter(({ path }) => !path.endsWith('live.mp4')))
    await t.rejects(
      openSink(spec, expected),
      {
        code: 'OUTPUT_FULL',
        message: /at least [\d.]+ (MB|GB) are needed for 900 frames of 1280×720, [\d.]+ MB are free/,
      },
      spec.path,
    )
  t.same(await readdir(disk), [], 'nothing is left behind')

  const grows = await openSinks([{ format: 'video', path: join(disk, 'd.mp4') }])
  const noisy = (index: number, x: number, y: number): number => Math.imul(index * 31 + x * 17 + y, 2_654_435_761) / 7
  const writeAll = async (): Promise<void> => {
    for (let index = 0; index < 60; index++) await grows.write(depthFrame(index, 200, 150, noisy))
  }
  await t.rejects(writeAll(), { code: 'OUTPUT_FULL', message: /needed to park the depth of the next frame/ })
  await grows.abort()

  const enough = await openSinks(allOutputs(disk), { width, height, frames: 7 })
  t.equal((await fill(enough)).length, 6)
  await fillDisk(disk)
  const rgb = (frame: number): Uint8Array =>
    new Uint8Array(200 * 150 * 3).map((_, i) => Math.imul(i + frame * 7919, 2_654_435_761) >>> 24)
  await t.rejects(
    async () => {
      const writer = await rgbVideoWriter(join(disk, 's.mp4'), { crf: 0 })
      try {
        for (let i = 0; i < 40; i++) await writer.write({ data: rgb(i), width: 200, height: 150, timestampMs: i * 40 })
        await writer.finish()
      } finally {
        await writer.abort()
      }
    },
    { code: 'OUTPUT_FULL' },
    'the frames themselves',
  )
  await t.rejects(
    async () => {
      const live = await pngSequenceSink(join(disk, 'live'))
      try {
        for (let i = 0; i < 40; i++) await live.write(depthFrame(i, 200, 150, noisy))
      } finally {
        await live.abort()
      }
    },
    { code: 'OUTPUT_FULL' },
    'png sequence',
  )
  const hidden = (await readdir(disk, { recursive: true })).filter((name) => basename(name).startsWith('.'))
  t.same(hidden, [], 'nothing half written is left behind')
})

async function fillDisk(disk: string): Promise<void> {
  await writeFile(join(disk, 'ballast'), Buffer.alloc(1 << 20)).catch(() => undefined)
  await writeFile(join(disk, 'ballast2'), Buffer.alloc(1 << 19)).catch(() => undefined)
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
