// Owns: the test that code for one instruction set never stands in for code that every processor runs.
// Must not know: what the kernels compute.

import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import packageRoot from '../../dist/esm/package-root.cjs'

const folder = path.join(packageRoot, 'build', 'cpp', 'cpu', 'CMakeFiles')
const prefix = 'video_depth_kernels_'
const sets = existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith(prefix)) : []

// The linker keeps any one copy of an inline function that several objects bring: were it an AVX-512 one, the addon would
// crash on processors without.
t.test(
  'an object of kernels defines nothing outside its own namespace',
  { skip: sets.length === 0 && 'the addon was built without kernels' },
  (t) => {
    for (const set of sets) {
      const object = path.join(folder, set, 'kernels', 'table.cpp.o')
      const symbols = execFileSync('nm', ['-C', '--defined-only', object], { encoding: 'utf8' })
      const shared = symbols.split('\n').filter((line) => /^[0-9a-f]+ [A-Zuvw] /.test(line))
      const own = `video_depth::${set.slice(prefix.length).replace('.dir', '')}::`
      t.ok(
        shared.some((line) => line.includes(own)),
        `${set} has its kernels`,
      )
      t.same(
        shared.filter((line) => !line.includes(own)),
        [],
        set,
      )
    }
    t.end()
  },
)
