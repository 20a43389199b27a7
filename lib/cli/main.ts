#!/usr/bin/env node
// Owns: the command line: its commands, the version, how errors are shown.
// Must not know: what a command does.

import { Command, CommanderError } from 'commander'
import { streamError } from '../io/sinks/raw-stream-sink.js'
import { ownManifest } from '../base/own-package.js'
import { exitCode, exitCodeOf } from './exit-code.js'
import { errorText, flushed, tell } from './tell.js'

/** Each command's code is loaded only where it is asked for. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import('./run/run.js')).runCommand(),
  live: async () => (await import('./live/live.js')).liveCommand(),
  sample: async () => (await import('./sample/sample.js')).sampleCommand(),
  eval: async () => (await import('./eval/eval.js')).evalCommand(),
  inspect: async () => (await import('./inspect.js')).inspectCommand(),
  build: async () => (await import('./build/build.js')).buildCommand(),
  doctor: async () => (await import('./doctor/doctor.js')).doctorCommand(),
}
const [first = '', second = ''] = process.argv.slice(2)
const asked = first === 'help' ? second : first
// Without a command, or with an unknown one, help and suggestions name them all.
const wanted = Object.hasOwn(commands, asked) ? [asked] : Object.keys(commands)

const program = new Command('video-depth')
  .description('Temporally consistent depth for videos of any length.')
  .version(ownManifest()?.version ?? 'unknown')
  .exitOverride()
  .addHelpText(
    'after',
    '\nExit codes: 0 done; 1 failed; 2 wrong usage; 3 the input was damaged, and the outputs hold what could be read;\n' +
      '130 interrupted. A command that fails or is interrupted removes half-written outputs (live completes them after\n' +
      'Ctrl-C). A second Ctrl-C ends it at once and may leave a hidden .partial file.',
  )
// A stream whose failure nobody listens to ends the process. Without a reader there is nobody to tell, but work to complete.
process.stderr.on('error', () => undefined)
let unprinted: Error | undefined
process.stdout.on('error', (error: Error) => (unprinted ??= error))
program.hook('postAction', async (_program, command) => {
  if (command.name() === 'live') return // what it writes may well lose its reader; it looks itself
  await flushed()
  if (unprinted !== undefined) throw streamError('standard output', unprinted)
})

try {
  for (const name of wanted) {
    const command = await commands[name]?.()
    if (command !== undefined) program.addCommand(command.exitOverride())
  }
  // commander quotes what was typed
  for (const command of [program, ...program.commands]) command.configureOutput({ writeErr: (text) => tell(text) })
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? exitCode.ok : exitCode.usage // commander has written its text
  } else {
    tell(`video-depth: ${errorText(error)}\n`)
    process.exitCode = exitCodeOf(error)
  }
}
