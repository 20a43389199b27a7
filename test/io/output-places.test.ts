// Owns: tests of where outputs may go: long names, links, devices, the same place twice, and how often at once.
// Must not know: file formats, engines.

import { spawnSync } from 'node:child_process'
import fs, { chmod, lstat, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import t from 'tap'
import { AtomicFolder } from '../../dist/esm/io/sinks/atomic-output.js'
import { pngSequenceSink } from '../../dist/esm/io/sinks/png-sequence-sink.js'
import { rgbVideoWriter } from '../../dist/esm/io/sinks/rgb-video-sink.js'
import { openSink, openSinks, type OutputSpec } from '../../dist/esm/io/sinks/sinks.js'
import { fittedName, parseTemporary, temporaryBeside } from '../../dist/esm/io/sinks/temporary-names.js'
import { depthFrame } from '../support/frames.js'
import { allOutputs, fill, height, value, width } from '../support/outputs.js'

t.test('names of up to 255 bytes', async (t) => {
  const folder = t.testdir()
  for (const letter of ['n', 'ü', '深', '🎥']) {
    const bytes = Buffer.byteLength(letter)
    for (const length of [200, 228, 247, 250, 255]) {
      const name = letter.repeat(Math.floor(length / bytes)) + 'x'.repeat(length % bytes)
      for (const format of ['npz', 'png16'] as const) {
        const path = join(folder, name)
        t.same(await fill(await openSink({ format, path })), [path], `${format}: ${length} bytes`)
        t.same(await readdir(folder), [name])
        await fill(await openSink({ format, path })) // replaced, a folder by way of another name
        t.same(await readdir(folder), [name])
        await rm(path, { recursive: true })
      }
    }
  }
  const video = join(folder, `${'v'.repeat(251)}.mp4`)
  t.same(await fill(await openSink({ format: 'video', path: video })), [video])
  const raw = join(folder, 'r'.repeat(250)) // its description takes 5 more
  t.same(await fill(await openSink({ format: 'raw', path: raw })), [raw, `${raw}.json`])
})

t.test('names and paths that are too long fail before the work', async (t) => {
  const folder = t.testdir()
  const deep = join(folder, ...Array.from({ length: 15 }, () => 'd'.repeat(250)))
  for (const format of ['raw', 'npz', 'png16', 'video'] as const) {
    for (const path of [join(folder, 'n'.repeat(256)), join(deep, 'n'.repeat(4000 - deep.length), 'n'.repeat(200))])
      await t.rejects(openSink({ format, path }), { code: 'OUTPUT_UNWRITABLE', message: /ENAMETOOLONG/ }, format)
  }
  await t.rejects(openSink({ format: 'raw', path: join(folder, 'n'.repeat(251)) }), { code: 'OUTPUT_UNWRITABLE' })
  t.same(
    (await readdir(folder)).filter((name) => name.length < 250),
    [],
  )
})

t.test('a name is cut between characters, and two stay two', (t) => {
  for (const letter of ['n', 'é', '深', '🎥']) {
    const [a, b] = ['a', 'b'].map((end) => fittedName(letter.repeat(200) + end, 73)) as [string, string]
    t.not(a, b)
    t.ok(Buffer.byteLength(a) <= 73 && Buffer.byteLength(a) > 64)
    t.match(a, new RegExp(`^(${letter})+~[0-9a-f]{8}$`, 'u'))
  }
  t.equal(fittedName('short', 73), 'short')
  const temporary = temporaryBeside('/x/a.partial-b.mp4', 'old').slice(3)
  t.match(parseTemporary(temporary), { stem: 'a.partial-b.mp4', purpose: 'old', owner: { pid: process.pid } })
  t.equal(parseTemporary('.a.mp4.partial-1-2'), undefined)
  t.end()
})

t.test('a link stays one, and what it names is written', async (t) => {
  const folder = t.testdir({ far: { 'real.npz': 'old', pngs: { '00000.png': 'old' } }, near: {} })
  const near = (name: string): string => join(folder, 'near', name)
  await symlink('../far/real.npz', near('a.npz'))
  await symlink(join(folder, 'far', 'new.npz'), near('b.npz'))
  await symlink('../far/pngs', near('pngs'))
  await symlink('a.npz', near('c.npz'))
  for (const name of ['a.npz', 'b.npz', 'c.npz']) {
    t.same(await fill(await openSink({ format: 'npz', path: near(name) })), [near(name)])
    t.ok((await lstat(near(name))).isSymbolicLink())
    t.ok((await stat(near(name))).size > 100)
  }
  await fill(await openSink({ format: 'png16', path: near('pngs') }))
  t.ok((await lstat(near('pngs'))).isSymbolicLink())
  t.ok((await readdir(join(folder, 'far', 'pngs'))).includes('scale.json'))
  t.same((await readdir(join(folder, 'far'))).sort(), ['new.npz', 'pngs', 'real.npz'])
  await symlink('loop', near('loop'))
  await symlink('/no/such/folder/x', near('lost'))
  for (const [name, message] of [
    ['loop', /circle/],
    ['lost', /\/no\/such\/folder, which is missing/],
  ] as const)
    await t.rejects(openSink({ format: 'npz', path: near(name) }), { code: 'OUTPUT_UNWRITABLE', message })
})

t.test('devices, pipes and sockets are refused and stay what they are', async (t) => {
  const folder = t.testdir()
  const fifo = join(folder, 'fifo')
  const made = process.platform !== 'win32' && spawnSync('mkfifo', [fifo]).status === 0
  for (const path of ['/dev/null', ...(made ? [fifo] : [])]) {
    for (const format of ['raw', 'npz', 'video', 'png16'] as const)
      await t.rejects(openSink({ format, path }), { code: 'OUTPUT_UNWRITABLE' }, `${format} ${path}`)
    await t.rejects(rgbVideoWriter(path), { code: 'OUTPUT_UNWRITABLE', message: /device, a pipe or a socket/ })
  }
  t.ok((await stat('/dev/null')).isCharacterDevice())
  t.same(await readdir(folder), made ? ['fifo'] : [])
})

t.test('two outputs in one place are refused before anything is made', async (t) => {
  const folder = t.testdir({ real: {} })
  await symlink('real', join(folder, 'link'))
  const at = (...names: string[]): string => join(folder, ...names)
  const pairs: readonly (readonly [OutputSpec, OutputSpec])[] = [
    [
      { format: 'npz', path: at('x') },
      { format: 'video', path: at('x') },
    ],
    [
      { format: 'npz', path: at('x') },
      { format: 'video', path: at('a', '..', 'x') },
    ],
    [
      { format: 'raw', path: at('x') },
      { format: 'npz', path: at('x.json') },
    ],
    [
      { format: 'png16', path: at('x') },
      { format: 'raw', path: at('x', 'd.f32') },
    ],
    [
      { format: 'npz', path: at('real', 'x') },
      { format: 'video', path: at('link', 'x') },
    ],
  ]
  for (const pair of pairs) await t.rejects(openSinks(pair), { code: 'INVALID_OPTION', message: /another place/ })
  t.same((await readdir(folder)).sort(), ['link', 'real'])
  const sink = await openSinks([
    { format: 'npz', path: at('x') },
    { format: 'video', path: at('..x') },
  ])
  await sink.abort()
})

t.test('two that write the same output: the later one has it, whole', async (t) => {
  const folder = t.testdir({ png: { '00000.png': 'old' } })
  const specs = allOutputs(folder)
  const [a, b] = [await openSinks(specs), await openSinks(specs)]
  await Promise.all([fill(a), fill(b, 'metric', { width: 20, height: 10 })])
  t.same((await readdir(folder)).sort(), ['d.f32', 'd.f32.json', 'd.mp4', 'd.npz', 'live.mp4', 'png'])
  t.equal((await readdir(join(folder, 'png'))).length, 8)
})

t.test('folders that are made at the same moment: each takes its turn', async (t) => {
  const folder = t.testdir({ out: { a: 'old' } })
  const makers = await Promise.all(
    Array.from({ length: 8 }, async (_, i) => {
      const output = await AtomicFolder.create(join(folder, 'out'), (name) => name === 'a')
      await writeFile(join(output.temporary, 'a'), String(i))
      return output
    }),
  )
  await Promise.all(makers.map((output) => output.commit()))
  t.same(await readdir(folder), ['out'])
  t.match(await readFile(join(folder, 'out', 'a'), 'utf8'), /^[0-7]$/)
})

t.test('png sequence: two cannot write into one folder', async (t) => {
  const folder = join(t.testdir(), 'live')
  const first = await pngSequenceSink(folder)
  await t.rejects(pngSequenceSink(folder), {
    code: 'OUTPUT_UNWRITABLE',
    message: new RegExp(`process ${process.pid} is writing into it`),
  })
  await first.write(depthFrame(0, width, height, value))
  await first.finish()
  t.same((await readdir(folder)).sort(), ['000000.png', 'frames.jsonl'])
  await (await pngSequenceSink(folder)).abort()
})

t.test('what is made has the permissions that the umask leaves', async (t) => {
  if (process.platform === 'win32') {
    t.plan(0, 'Windows has no umask')
    return
  }
  const folder = t.testdir({ 'd.npz': 'old' })
  await chmod(join(folder, 'd.npz'), 0o600)
  const before = process.umask(0o027)
  t.teardown(() => process.umask(before))
  await fill(await openSinks(allOutputs(folder)))
  const live = await pngSequenceSink(join(folder, 'live'))
  await live.write(depthFrame(0, width, height, value))
  await live.finish()
  for (const name of await readdir(folder, { recursive: true })) {
    const found = await stat(join(folder, name))
    t.equal((found.mode & 0o777).toString(8), found.isDirectory() ? '750' : '640', name)
  }
})

t.test('a folder that may not be written to fails before the work', async (t) => {
  if (process.getuid?.() === 0) {
    t.plan(0, 'the superuser may write everywhere')
    return
  }
  const folder = t.testdir({ locked: {} })
  await chmod(join(folder, 'locked'), 0o555)
  t.teardown(() => chmod(join(folder, 'locked'), 0o755))
  for (const spec of allOutputs(join(folder, 'locked')))
    await t.rejects(openSink(spec), { code: 'OUTPUT_UNWRITABLE', message: /EACCES/ }, spec.path)
})

t.test('a folder that vanishes meanwhile is an error, and nothing comes back', async (t) => {
  const folder = t.testdir()
  const gone = join(folder, 'gone')
  for (const spec of allOutputs(gone)) {
    await mkdir(gone, { recursive: true })
    const sink = await openSink(spec)
    await sink.write(depthFrame(0, width, height, value))
    await rm(gone, { recursive: true })
    const rest = async (): Promise<void> => {
      await sink.write(depthFrame(1, width, height, value))
      await sink.finish()
    }
    await t.rejects(rest(), { code: 'OUTPUT_UNWRITABLE' }, spec.path)
    await sink.abort()
  }
  t.same(await readdir(folder), [])
})

t.test('what cannot be flushed does not get its name', async (t) => {
  const folder = t.testdir({ 'd.npz': 'old', png: { '00000.png': 'old' } })
  const { open } = fs
  t.teardown(restore)
  for (const spec of allOutputs(folder)) {
    const sink = await openSink(spec)
    failSync('EIO')
    await t.rejects(fill(sink), { code: 'OUTPUT_UNWRITABLE', message: /EIO/ }, spec.path)
    restore()
    await sink.abort()
  }
  t.same((await readdir(folder)).sort(), ['d.npz', 'png'])
  t.equal(await readFile(join(folder, 'd.npz'), 'utf8'), 'old')
  failSync('EINVAL') // of a file system that cannot
  for (const spec of allOutputs(folder)) await fill(await openSink(spec))
  restore()
  t.equal((await readdir(folder)).length, 6)

  function failSync(code: string): void {
    fs.open = async (...args) => {
      const file = await open(...args)
      file.sync = () => Promise.reject(Object.assign(new Error(`${code}: fsync`), { code }))
      return file
    }
    syncBuiltinESMExports()
  }

  function restore(): void {
    fs.open = open
    syncBuiltinESMExports()
  }
})
