// Owns: tests of a cache in which something is not what was written, or in which others write and remove at the same time.
// Must not know: engines, graphs' content.

import { execFile } from 'node:child_process'
import { lstat, mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { openCacheFolder, writeAtomically } from '../../dist/esm/cache/cache-folder.js'
import { sealedText } from '../../dist/esm/cache/json-record.js'
import { prepareGraphs } from '../../dist/esm/prepare/graph/prepare-graphs.js'
import { prepareWeights } from '../../dist/esm/prepare/graph/prepare-weights.js'
import { tinyPth } from '../support/checkpoint-files.js'

const execute = promisify(execFile)
const shape = { rows: 5, cols: 9, windowLength: 32, encoderBatch: 1, decoderBatch: 1 }

const onPosix = { skip: process.platform === 'win32' && 'made with mkfifo' }

t.test('a folder, a FIFO or a device in place of a cache file gives way to the file', onPosix, async (t) => {
  const cacheDir = t.testdir()
  const prepare = async (): Promise<readonly boolean[]> => {
    const weights = await prepareWeights({ checkpoint: tinyPth, cacheDir, precision: 'fp32' })
    return [weights.cacheHit, (await prepareGraphs(weights, shape)).cacheHit]
  }
  await prepare()
  const entries = await readdir(cacheDir, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => path.join(parentPath, name))
  t.ok(files.length >= 9, 'weights, three graphs, their records and those of hashes')
  for (const file of files) {
    for (const put of [
      () => mkdir(path.join(file, 'inside'), { recursive: true }),
      () => execute('mkfifo', [file]),
      () => symlink('/dev/zero', file),
    ]) {
      await rm(file, { recursive: true })
      await put()
      await prepare()
      t.ok((await lstat(file)).isFile(), path.basename(file))
    }
  }
  t.same(await prepare(), [true, true])
})

t.test('a folder that looks like a leftover is left alone, and does not end the cache', async (t) => {
  const cacheDir = t.testdir()
  const { folder } = await prepareWeights({ checkpoint: tinyPth, cacheDir, precision: 'fp32' })
  const stranger = path.join(folder, '.tmp-x')
  await mkdir(path.join(stranger, 'inside'), { recursive: true })
  await utimes(stranger, 1_700_000_000, 1_700_000_000)
  t.equal((await prepareWeights({ checkpoint: tinyPth, cacheDir, precision: 'fp32' })).cacheHit, true)
  t.same(await readdir(stranger), ['inside'])
})

t.test('a clock that is ahead does not take what is being written for a leftover', async (t) => {
  const cacheDir = t.testdir()
  const { folder } = await prepareWeights({ checkpoint: tinyPth, cacheDir, precision: 'fp32' })
  const written = path.join(folder, '.tmp-weights.fp32.bin-2-live')
  await writeFile(written, 'half')
  const now = Date.now()
  t.intercept(Date, 'now', { value: () => now + 24 * 60 * 60 * 1000 })
  await openCacheFolder(folder)
  t.equal(await readFile(written, 'utf8'), 'half')
})

t.test('what is removed while it is written is written again', async (t) => {
  const folder = path.join(t.testdir(), 'cache')
  await openCacheFolder(folder)
  let tries = 0
  await writeAtomically(folder, 'a', async (file) => {
    await file.writeFile('all of it')
    const [temporary = ''] = await readdir(folder)
    if (++tries === 1) await rm(path.join(folder, temporary))
  })
  t.same([tries, await readFile(path.join(folder, 'a'), 'utf8'), await readdir(folder)], [2, 'all of it', ['a']])
})

t.test('leftovers go from the folders of all checkpoints', async (t) => {
  const cacheDir = t.testdir({ models: { gone: { '.tmp-weights.fp32.bin-1-dead': 'half' } } })
  const leftover = path.join(cacheDir, 'models', 'gone', '.tmp-weights.fp32.bin-1-dead')
  await utimes(leftover, 1_700_000_000, 1_700_000_000)
  await prepareWeights({ checkpoint: tinyPth, cacheDir, precision: 'fp32' })
  t.same(await readdir(path.dirname(leftover)), [])
})

t.test('a record in which a digit changed is not believed', async (t) => {
  const cacheDir = t.testdir()
  const { folder } = await prepareWeights({ checkpoint: tinyPth, cacheDir, precision: 'fp32' })
  const manifest = path.join(folder, 'weights.fp32.json')
  const text = await readFile(manifest, 'utf8')
  for (const [from, to] of [
    ['"heads": 2', '"heads": 1'],
    ['"depth": 4', '"depth": 999999999'],
  ] as const) {
    t.match(text, from)
    await writeFile(manifest, text.replace(from, to))
    t.equal((await prepareWeights({ checkpoint: tinyPth, cacheDir, precision: 'fp32' })).cacheHit, false)
  }
  const { seal: _, ...record } = JSON.parse(text) as { seal: string; dimensions: object }
  const absurd = { ...record, dimensions: { ...record.dimensions, depth: 999_999_999 } }
  await writeFile(manifest, sealedText(absurd)) // by somebody who knows how
  t.equal((await prepareWeights({ checkpoint: tinyPth, cacheDir, precision: 'fp32' })).cacheHit, false)
})
