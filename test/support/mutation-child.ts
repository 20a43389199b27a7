// Owns: the process that reads mutated files: it reads what its parent names and says what came of it.
// Must not know: what was mutated.

import { VideoDepthError } from '../../dist/esm/base/errors.js'
import type { Readers } from './mutation.js'
import type { Answer } from './mutation-parent.js'

const [module = '', name = ''] = process.argv.slice(2)
const { readers } = (await import(module)) as { readers: Readers }
const read = readers[name]
if (read === undefined) throw new Error(`${module} exports no reader ${name}`)

const mebi = 2 ** 20
/** Garbage above this is removed before the next file, so that it does not count as that file's. */
const residentAtStart = process.memoryUsage.rss()
const mostGarbage = 64 * mebi

async function answer(path: string): Promise<Answer> {
  if (process.memoryUsage.rss() - residentAtStart > mostGarbage) globalThis.gc?.()
  const before = { resident: process.memoryUsage.rss(), peak: 1024 * process.resourceUsage().maxRSS }
  const start = process.cpuUsage()
  let outcome: Answer['outcome'] = 'value'
  let text = ''
  try {
    const value = await read?.(path)
    if (typeof value === 'string') text = value
  } catch (error) {
    outcome = error instanceof VideoDepthError ? 'error' : 'other'
    text =
      error instanceof VideoDepthError
        ? `${error.message} [${error.code}]`
        : error instanceof Error
          ? `${error.stack}`
          : String(error)
  }
  const { user, system } = process.cpuUsage(start)
  const peak = 1024 * process.resourceUsage().maxRSS
  const moreMiB = peak > before.peak ? (peak - before.resident) / mebi : 0
  return { outcome, text: text.slice(0, 2000), cpuMs: (user + system) / 1000, moreMiB }
}

process.on('message', (path: string) => {
  void answer(path).then((said) => process.send?.(said))
})
process.send?.('ready')
