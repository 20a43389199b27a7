// Owns: one process that runs command lines one after another, for tests to which a process each proves nothing more.
// Must not know: what a command does.

import type { CliRequest, CliText } from './run-cli.js'

const [, , main = ''] = process.argv
let text = { stdout: '', stderr: '' }
let runs = 0

for (const name of ['stdout', 'stderr'] as const) {
  const stream = process[name]
  stream.setMaxListeners(0) // every run adds its own
  stream.write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    text[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()
    const done = rest.find((each) => typeof each === 'function')
    if (done !== undefined) setImmediate(done as () => void)
    return true
  }
}

async function run({ args, cwd }: CliRequest): Promise<CliText> {
  process.chdir(cwd)
  process.argv = [process.execPath, main, ...args]
  process.exitCode = undefined
  text = { stdout: '', stderr: '' }
  await import(`${main}?run=${runs++}`) // evaluates this file anew, and none of those that it imports
  const { exitCode: code = 0 } = process as { exitCode?: number }
  process.exitCode = undefined
  return { code, ...text }
}

process.on('message', (request: CliRequest) => {
  void run(request).then((ended) => process.send?.(ended))
})
