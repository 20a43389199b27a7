// Owns: tests of reading bytes of files safely.
// Must not know: what the bytes mean.

import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { openRegular, readExactly, readWhole, withRegular } from '../../dist/esm/base/read-file.js'

const folder = t.testdir({ 'a.txt': 'some text' })
const file = path.join(folder, 'a.txt')

t.test('no single read is of 2³¹ bytes or more', async (t) => {
  const asked: [offset: number, length: number, position: number][] = []
  const read = (_: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }> => {
    asked.push([offset, length, position])
    return Promise.resolve({ bytesRead: length })
  }
  const bytes = new Uint8Array(2 ** 31 + 5) // of which no page is ever touched
  await readExactly({ read } as unknown as FileHandle, bytes, 7)
  t.same(asked, [
    [0, 2 ** 30, 7],
    [2 ** 30, 2 ** 30, 7 + 2 ** 30],
    [2 ** 31, 5, 7 + 2 ** 31],
  ])
})

t.test('all bytes of a file, up to a size', async (t) => {
  t.equal((await readWhole(file, 9)).toString(), 'some text')
  await t.rejects(readWhole(file, 8), { message: 'expected at most 8 bytes, found 9' })
  const bytes = new Uint8Array(4)
  await withRegular(file, ({ handle }) => readExactly(handle, bytes, 5))
  t.equal(Buffer.from(bytes).toString(), 'text')
  await t.rejects(
    withRegular(file, ({ handle }) => readExactly(handle, bytes, 6)),
    { message: 'expected 10 bytes, found 9' },
  )
})

t.test('only regular files', async (t) => {
  mkdirSync(path.join(folder, 'b'))
  await t.rejects(openRegular(path.join(folder, 'b')), { message: 'it is a folder, not a file' })
  await t.rejects(openRegular(path.join(folder, 'none')), { code: 'ENOENT' })
  if (process.platform === 'win32') return
  execFileSync('mkfifo', [path.join(folder, 'c')])
  await t.rejects(openRegular(path.join(folder, 'c')), { message: 'it is a FIFO, not a file' })
  await t.rejects(openRegular('/dev/null'), { message: 'it is a device, not a file' })
  writeFileSync(file, '')
  t.equal((await readWhole(file, 0)).length, 0)
})
