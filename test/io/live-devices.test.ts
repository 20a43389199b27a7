// Owns: tests of live sources that are paths of other things than files.
// Must not know: engines, sinks, addresses.

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { openLive } from '../../dist/esm/io/live/live-source.js'

t.setTimeout(60_000)

const folder = t.testdir()
const at = (name: string): string => join(folder, name)

t.test('a camera that is not there', { skip: process.platform !== 'linux' && 'V4L2 is of Linux' }, async (t) => {
  await t.rejects(openLive('/dev/video250'), {
    code: 'SOURCE_UNREADABLE',
    message: 'Cannot read /dev/video250 (V4L2): No such file or directory',
  })
})

t.test('a camera under another name', { skip: missing('mknod', at('webcam'), 'c', '81', '250') }, async (t) => {
  await t.rejects(openLive(at('webcam')), { code: 'SOURCE_UNREADABLE', message: /webcam \(V4L2\): / })
})

t.test('other devices and FIFOs are not waited for', { skip: missing('mkfifo', at('fifo')) }, async (t) => {
  await t.rejects(openLive(at('fifo')), {
    code: 'SOURCE_UNREADABLE',
    message: /fifo is a FIFO\. Raw frames can be read/,
  })
  await t.rejects(openLive('/dev/null'), { code: 'SOURCE_UNREADABLE', message: /\/dev\/null is a device\./ })
})

/** Makes a node; only the administrator can make some, and not everywhere. */
function missing(command: string, ...args: string[]): string | false {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return false
  } catch {
    return `${command} makes none here`
  }
}
