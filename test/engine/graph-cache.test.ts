// Owns: tests of the cache: hits without reading, damage, leftovers, concurrency, refusal to write, cancelling.
// Must not know: engines, graphs' content.

import { execFile } from 'node:child_process'
import {
  chmod,
  copyFile,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { defaultCacheDir } from '../../dist/esm/cache/cache-folder.js'
import { prepareGraphs } from '../../dist/esm/prepare/graph/prepare-graphs.js'
import { prepareWeights, type PrepareProgress } from '../../dist/esm/prepare/graph/prepare-weights.js'
import { pthRecords, tinyPth, tinyTensors, writeZip } from '../support/checkpoint-files.js'

const execute = promisify(execFile)
const shape = { rows: 5, cols: 9, windowLength: 32, encoderBatch: 1, decoderBatch: 1 }
const graphFolder = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../dist/esm/prepare/graph')

async function allFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name)
}

t.test('a second time nothing is converted, and the checkpoint is not read', async (t) => {
  const folder = t.testdir()
  const checkpoint = path.join(folder, 'a.pth')
  const cacheDir = path.join(folder, 'cache')
  await copyFile(tinyPth, checkpoint)
  await utimes(checkpoint, 1_700_000_000, 1_700_000_000)
  const phases = new Set<string>()
  const onProgress = ({ phase, fraction }: PrepareProgress): void => {
    phases.add(phase)
    t.ok(fraction > 0 && fraction <= 1)
  }
  const first = await prepareWeights({ checkpoint, cacheDir, precision: 'fp32', onProgress })
  const firstGraphs = await prepareGraphs(first, shape)
  t.same([first.cacheHit, firstGraphs.cacheHit], [false, false])
  t.same([...phases], ['hash', 'convert'])

  // The same identity over other content: whoever read it would notice.
  await writeFile(checkpoint, new Uint8Array((await stat(checkpoint)).size), { flag: 'r+' })
  await utimes(checkpoint, 1_700_000_000, 1_700_000_000)
  const second = await prepareWeights({ checkpoint, cacheDir, precision: 'fp32' })
  const secondGraphs = await prepareGraphs(second, shape)
  t.same(second, { ...first, cacheHit: true })
  t.same(secondGraphs, { ...firstGraphs, cacheHit: true })

  await utimes(checkpoint, 1_700_000_001, 1_700_000_001)
  await t.rejects(prepareWeights({ checkpoint, cacheDir, precision: 'fp32' }), { code: 'CHECKPOINT_UNREADABLE' })
})

t.test('a copy elsewhere is recognised by its content', async (t) => {
  const folder = t.testdir()
  const cacheDir = path.join(folder, 'cache')
  await copyFile(tinyPth, path.join(folder, 'copy.pth'))
  const first = await prepareWeights({ checkpoint: tinyPth, cacheDir, precision: 'fp32' })
  const second = await prepareWeights({ checkpoint: path.join(folder, 'copy.pth'), cacheDir, precision: 'fp32' })
  t.same([second.cacheHit, second.folder], [true, first.folder])
})

t.test('files that were cut, altered or removed are made again', async (t) => {
  const cacheDir = t.testdir()
  const prepare = async () => {
    const weights = await prepareWeights({ checkpoint: tinyPth, cacheDir, precision: 'fp32' })
    return { weights, graphs: await prepareGraphs(weights, shape) }
  }
  const { weights, graphs } = await prepare()
  const file = path.join(weights.folder, 'weights.fp32.bin')
  const whole = await readFile(file)
  const graph = await readFile(graphs.encoder)
  for (const harm of [
    () => truncate(file, whole.length - 1),
    () => writeFile(file, ''),
    () => rm(file),
    () => writeFile(path.join(weights.folder, 'weights.fp32.json'), '{"dimensions"'),
  ]) {
    await harm()
    t.equal((await prepare()).weights.cacheHit, false)
    t.ok((await readFile(file)).equals(whole))
  }
  const altered = Buffer.from(graph)
  altered[100] = (altered[100] ?? 0) ^ 1
  for (const harm of [
    () => truncate(graphs.encoder, 10),
    () => writeFile(graphs.encoder, altered),
    () => rm(graphs.encoder),
    () => writeFile(`${graphs.encoder}.json`, 'null'),
  ]) {
    await harm()
    const again = await prepare()
    t.same([again.weights.cacheHit, again.graphs.cacheHit], [true, false])
    t.ok((await readFile(graphs.encoder)).equals(graph))
  }
  t.equal((await prepare()).graphs.cacheHit, true)
})

t.test('weights that were overwritten at the same size are made again, untouched ones not read again', async (t) => {
  const cacheDir = t.testdir()
  const prepare = async () => {
    const phases: string[] = []
    const onProgress = ({ phase }: PrepareProgress): void => {
      if (phases.at(-1) !== phase) phases.push(phase)
    }
    const { folder, cacheHit } = await prepareWeights({ checkpoint: tinyPth, cacheDir, precision: 'fp32', onProgress })
    return { file: path.join(folder, 'weights.fp32.bin'), cacheHit, phases }
  }
  const first = await prepare()
  t.same(first.phases, ['hash', 'convert'])
  t.match(await prepare(), { cacheHit: true, phases: [] }, 'known from when it was written')
  const whole = await readFile(first.file)
  const { mtimeMs } = await stat(first.file)

  const handle = await open(first.file, 'r+')
  await handle.write(new Uint8Array(160_000).fill(63), 0, 160_000, Math.floor(whole.length / 2))
  await handle.close()
  t.equal((await stat(first.file)).size, whole.length)
  t.match(await prepare(), { cacheHit: false, phases: ['hash', 'convert'] })
  t.ok((await readFile(first.file)).equals(whole))
  t.match(await prepare(), { cacheHit: true, phases: [] })

  await utimes(first.file, mtimeMs / 1000 + 5, mtimeMs / 1000 + 5)
  t.match(await prepare(), { cacheHit: true, phases: ['hash'] }, 'another time: read, found intact')
  t.match(await prepare(), { cacheHit: true, phases: [] }, 'and that is remembered')

  const copy = `${first.file}.copy`
  await copyFile(first.file, copy)
  await rename(copy, first.file)
  t.match(await prepare(), { cacheHit: true, phases: ['hash'] }, 'another inode')

  const manifest = path.join(path.dirname(first.file), 'weights.fp32.json')
  const { weightsSha256: _, ...old } = JSON.parse(await readFile(manifest, 'utf8')) as Record<string, unknown>
  await writeFile(manifest, JSON.stringify(old))
  t.match(await prepare(), { cacheHit: false, phases: ['convert'] }, 'a manifest without a hash')
})

t.test('a cache that cannot remember hashes serves hits', async (t) => {
  const cacheDir = t.testdir()
  const prepare = () => prepareWeights({ checkpoint: tinyPth, cacheDir, precision: 'fp32' })
  const weights = await prepare()
  const graphs = await prepareGraphs(weights, shape)
  // Files and folders in each other's place: permissions would not stop root.
  await rm(path.join(cacheDir, 'checkpoints'), { recursive: true })
  await writeFile(path.join(cacheDir, 'checkpoints'), 'in the way')
  await rm(path.join(weights.folder, 'weights.fp32.verified.json'))
  await mkdir(path.join(weights.folder, 'weights.fp32.verified.json'))
  for (const _ of [1, 2]) {
    const again = await prepare()
    t.same(again, { ...weights, cacheHit: true })
    t.same(await prepareGraphs(again, shape), { ...graphs, cacheHit: true })
  }
})

t.test(
  'a read-only cache serves hits',
  {
    skip:
      process.platform === 'win32'
        ? 'folder permissions are a POSIX matter'
        : process.getuid?.() === 0 && 'permissions do not stop root',
  },
  async (t) => {
    const folder = t.testdir()
    const cacheDir = path.join(folder, 'cache')
    const checkpoint = path.join(folder, 'a.pth') // its hash is not remembered
    await copyFile(tinyPth, checkpoint)
    const weights = await prepareWeights({ checkpoint: tinyPth, cacheDir, precision: 'fp32' })
    await prepareGraphs(weights, shape)
    const folders = [path.join(cacheDir, 'checkpoints'), weights.folder, path.join(cacheDir, 'models'), cacheDir]
    for (const each of folders) await chmod(each, 0o555)
    try {
      const again = await prepareWeights({ checkpoint, cacheDir, precision: 'fp32' })
      t.same([again.cacheHit, (await prepareGraphs(again, shape)).cacheHit], [true, true])
    } finally {
      for (const each of folders) await chmod(each, 0o755) // or the folder cannot be removed
    }
  },
)

t.test('leftovers of killed writers are removed once they are old, a running writer is left alone', async (t) => {
  const cacheDir = t.testdir()
  const { folder } = await prepareWeights({ checkpoint: tinyPth, cacheDir, precision: 'fp32' })
  await writeFile(path.join(folder, '.tmp-weights.fp32.bin-1-dead'), 'half')
  await utimes(path.join(folder, '.tmp-weights.fp32.bin-1-dead'), 1_700_000_000, 1_700_000_000)
  await writeFile(path.join(folder, '.tmp-weights.fp32.bin-2-live'), 'half')
  t.equal((await prepareWeights({ checkpoint: tinyPth, cacheDir, precision: 'fp32' })).cacheHit, true)
  const names = await readdir(folder)
  t.notOk(names.includes('.tmp-weights.fp32.bin-1-dead'))
  t.ok(names.includes('.tmp-weights.fp32.bin-2-live'))
})

const script = `
  const { prepareWeights } = await import(process.argv[1] + '/prepare-weights.js')
  const { prepareGraphs } = await import(process.argv[1] + '/prepare-graphs.js')
  const weights = await prepareWeights({ checkpoint: process.argv[2], cacheDir: process.argv[3], precision: 'fp32' })
  const graphs = await prepareGraphs(weights, ${JSON.stringify(shape)})
  console.log(graphs.encoder)`
const childArguments = (cacheDir: string): string[] => [
  '--input-type=module',
  '-e',
  script,
  graphFolder,
  tinyPth,
  cacheDir,
]

t.test('three processes at once end with the same valid files', async (t) => {
  const folder = t.testdir()
  const [both, alone] = [path.join(folder, 'both'), path.join(folder, 'alone')]
  const results = await Promise.all([1, 2, 3].map(() => execute(process.execPath, childArguments(both))))
  t.equal(new Set(results.map(({ stdout }) => stdout)).size, 1)
  const weights = await prepareWeights({ checkpoint: tinyPth, cacheDir: both, precision: 'fp32' })
  const graphs = await prepareGraphs(weights, shape)
  t.same([weights.cacheHit, graphs.cacheHit], [true, true])
  const reference = await prepareWeights({ checkpoint: tinyPth, cacheDir: alone, precision: 'fp32' })
  const bytes = await Promise.all(
    [weights, reference].map(({ folder }) => readFile(path.join(folder, 'weights.fp32.bin'))),
  )
  t.ok(bytes[0]?.equals(bytes[1] ?? Buffer.alloc(0)))
  t.same(
    (await allFiles(both)).filter((name) => name.startsWith('.tmp-')),
    [],
  )
})

t.test('a process killed while it writes leaves nothing that is taken for valid', async (t) => {
  const cacheDir = t.testdir()
  for (const delayMs of [60, 120, 180, 240, 300]) {
    await execute(process.execPath, childArguments(cacheDir), {
      timeout: delayMs,
      killSignal: 'SIGKILL',
    }).catch(() => undefined)
  }
  const weights = await prepareWeights({ checkpoint: tinyPth, cacheDir, precision: 'fp32' })
  await prepareGraphs(weights, shape)
  const { folder } = await prepareWeights({
    checkpoint: tinyPth,
    cacheDir: path.join(cacheDir, 'other'),
    precision: 'fp32',
  })
  const [found, wanted] = await Promise.all(
    [weights.folder, folder].map((from) => readFile(path.join(from, 'weights.fp32.bin'))),
  )
  t.ok(wanted !== undefined && found?.equals(wanted))
})

t.test('a cache that cannot be written says so', async (t) => {
  const folder = t.testdir({ file: 'in the way' })
  const cacheDir = path.join(folder, 'file', 'cache')
  await t.rejects(prepareWeights({ checkpoint: tinyPth, cacheDir, precision: 'fp32' }), {
    code: 'CACHE_UNWRITABLE',
    message: /Cannot write the graph cache in .*file.*Set cacheDir/,
  })
})

t.test(
  'a full disk leaves nothing half written',
  { skip: process.platform === 'win32' && 'file size limits are a POSIX matter' },
  async (t) => {
    const cacheDir = t.testdir()
    // The test runner's hooks in NODE_OPTIONS end a process at a signal (SIGXFSZ) that Node itself ignores.
    const command = [
      'unset NODE_OPTIONS; ulimit -f 2000; exec "$@"',
      'sh',
      process.execPath,
      ...childArguments(cacheDir),
    ]
    const limited = execute('sh', ['-c', ...command])
    await t.rejects(limited, /CACHE_UNWRITABLE|exceed the allowed size/)
    t.same(
      (await allFiles(cacheDir)).filter((name) => name.includes('weights')),
      [],
    )
  },
)

t.test('cancelling: at once, while hashing, between tensors', async (t) => {
  const cacheDir = t.testdir()
  const reason = new Error('enough')
  await t.rejects(
    prepareWeights({ checkpoint: tinyPth, cacheDir, precision: 'fp32', signal: AbortSignal.abort(reason) }),
    reason,
  )
  for (const phase of ['hash', 'convert'] as const) {
    const controller = new AbortController()
    const onProgress = (progress: PrepareProgress): void => {
      if (progress.phase === phase) controller.abort(reason)
    }
    await t.rejects(
      prepareWeights({ checkpoint: tinyPth, cacheDir, precision: 'fp32', signal: controller.signal, onProgress }),
      reason,
    )
    t.same(
      (await allFiles(cacheDir)).filter((name) => name.includes('weights')),
      [],
    )
  }
})

t.test('weights that no float16 can hold are named', async (t) => {
  const folder = t.testdir()
  const tensors = await tinyTensors()
  const tensor = tensors.get('head.projects.0.weight')
  if (tensor === undefined) throw new Error('the fixture has no such tensor')
  tensor.values[5] = 70_000
  await writeZip(path.join(folder, 'a.pth'), pthRecords(tensors))
  const options = { checkpoint: path.join(folder, 'a.pth'), cacheDir: path.join(folder, 'cache') }
  await t.rejects(prepareWeights({ ...options, precision: 'fp16' }), {
    code: 'WEIGHTS_NOT_FINITE',
    message: /70000 of head\.projects\.0\.weight/,
  })
  await t.resolves(prepareWeights({ ...options, precision: 'fp32' }))
  t.same(
    (await allFiles(options.cacheDir)).filter((name) => name.includes('fp16')),
    [],
  )
})

t.test('where caches are by default', (t) => {
  t.equal(defaultCacheDir({ XDG_CACHE_HOME: '/x' }, 'linux'), path.join('/x', 'video-depth'))
  t.match(defaultCacheDir({ XDG_CACHE_HOME: 'relative' }, 'linux'), /\.cache.video-depth$/)
  t.match(defaultCacheDir({}, 'darwin'), /Library.Caches.video-depth$/)
  t.match(defaultCacheDir({ LOCALAPPDATA: '/l' }, 'win32'), /^.l.video-depth.cache$/)
  t.end()
})
