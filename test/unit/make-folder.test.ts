// Owns: tests of making folders that others make too.
// Must not know: what goes into them.

import { symlink } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { makeFolder } from '../../dist/esm/base/make-folder.js'

t.test('many at once make the same folders', async (t) => {
  const folder = t.testdir()
  for (let round = 0; round < 100; round++) {
    const wanted = path.join(folder, String(round), 'a', 'b', 'c')
    await Promise.all(Array.from({ length: 8 }, (_, i) => makeFolder(i % 2 === 0 ? wanted : path.dirname(wanted))))
  }
  t.pass('none failed')
})

t.test('what is in the way is an error, a folder is not', async (t) => {
  const folder = t.testdir({ file: 'in the way', there: {} })
  await makeFolder(path.join(folder, 'there'))
  await makeFolder(path.parse(folder).root)
  await symlink(path.join(folder, 'nowhere'), path.join(folder, 'dangling'))
  await t.rejects(makeFolder(path.join(folder, 'file')), { code: 'EEXIST' })
  await t.rejects(makeFolder(path.join(folder, 'file', 'x')), { code: 'ENOTDIR' })
  await t.rejects(makeFolder(path.join(folder, 'dangling')), { code: 'EEXIST' })
})

const onLinux = { skip: process.platform !== 'linux' && '/proc is a Linux matter' }

t.test('a parent that takes no entries ends it', onLinux, async (t) => {
  await t.rejects(makeFolder('/proc/none/of/these'), { code: 'ENOENT' })
})
