#!/usr/bin/env node
// Owns: the command line: its commands, the version, how errors are shown.
// Must not know: what a command does.

import { Command, CommanderError } from 'commander'
import { streamError } from '../io/raw-stream-sink.js'
import { ownManifest } from '../own-package.js'
import { buildCommand } from './build.js'
import { doctorCommand } from './doctor.js'
import { evalCommand } from './eval.js'
import { exitCode, exitCodeOf } from './exit-code.js'
import { inspectCommand } from './inspect.js'
import { liveCommand } from './live.js'
import { runCommand } from './run.js'
import { sampleCommand } from './sample.js'
import { errorText, flushed, tell } from './tell.js'

const live = liveCommand()
const program = new Command('video-depth')
  .description('Temporally consistent depth for videos of any length.')
  .version(ownManifest()?.version ?? 'unknown')
  .exitOverride()
  .addCommand(runCommand())
  .addCommand(live)
  .addCommand(sampleCommand())
  .addCommand(evalCommand())
  .addCommand(inspectCommand())
  .addCommand(buildCommand())
  .addCommand(doctorCommand())
  .addHelpText(
    'after',
    '\nExit codes: 0 done; 1 failed; 2 wrong usage; 3 the input was damaged, and the outputs hold what could be read;\n' +
      '130 interrupted. A command that fails or is interrupted removes half-written outputs (live completes them after\n' +
      'Ctrl-C). A second Ctrl-C ends it at once and may leave a hidden .partial file.',
  )
for (const command of program.commands) command.exitOverride()
// commander quotes what was typed
for (const command of [program, ...program.commands]) command.configureOutput({ writeErr: (text) => tell(text) })

// A stream whose failure nobody listens to ends the process. Without a reader there is nobody to tell, but work to complete.
process.stderr.on('error', () => undefined)
let unprinted: Error | undefined
process.stdout.on('error', (error: Error) => (unprinted ??= error))
program.hook('postAction', async (_program, command) => {
  if (command === live) return // what it writes may well lose its reader; it looks itself
  await flushed()
  if (unprinted !== undefined) throw streamError('standard output', unprinted)
})

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? exitCode.ok : exitCode.usage // commander has written its text
  } else {
    tell(`video-depth: ${errorText(error)}\n`)
    process.exitCode = exitCodeOf(error)
  }
}
