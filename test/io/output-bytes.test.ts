// Owns: tests that equal depth gives equal bytes in every output.
// Must not know: engines, the pipeline.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import path, { join } from 'node:path'
import t from 'tap'
import packageRoot from '../../dist/esm/package-root.cjs'

const child = path.join(packageRoot, 'dist-test', 'support', 'write-outputs-child.js')

/** SHA-256 of every file that a process of its own writes, by name. */
async function written(
  folder: string,
  env: NodeJS.ProcessEnv,
  before: readonly string[] = [],
): Promise<Record<string, string>> {
  const words = [...before, process.execPath, child, folder]
  const { status, stderr } = spawnSync(words[0] ?? '', words.slice(1), {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  const names = (await readdir(folder, { recursive: true })).filter((name) => /\.[a-z0-9]+$/.test(name)).sort()
  const hash = async (name: string): Promise<string> =>
    createHash('sha256')
      .update(await readFile(join(folder, name)))
      .digest('hex')
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await hash(name)] as const)))
}

t.test('equal depth gives equal bytes, whatever memory held before', { timeout: 300_000 }, async (t) => {
  const folder = t.testdir({ a: {}, b: {} })
  const dirty = (byte: string): NodeJS.ProcessEnv => ({ MALLOC_PERTURB_: byte, MALLOC_MMAP_THRESHOLD_: '1000000000' })
  const first = await written(join(folder, 'a'), dirty('1'))
  t.match(Object.keys(first), ['d.f32', 'd.f32.json', 'd.mp4', 'd.npz', 'live.mp4', 'png/00000.png'])
  t.same(await written(join(folder, 'b'), { ...dirty('77'), TZ: 'Asia/Tokyo' }), first)
})

t.test('equal depth gives equal bytes, whatever the number of processors', { timeout: 300_000 }, async (t) => {
  if (!existsSync('/usr/bin/taskset')) {
    t.plan(0, 'taskset is missing, so a process cannot be kept to one processor')
    return
  }
  const folder = t.testdir({ all: {}, one: {} })
  const all = await written(join(folder, 'all'), {})
  t.same(await written(join(folder, 'one'), {}, ['taskset', '-c', '0']), all)
})
