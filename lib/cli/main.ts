#!/usr/bin/env node
// Owns: the command line: its commands, the version, how errors are shown.
// Must not know: what a command does.

import { readFileSync } from 'node:fs'
import path from 'node:path'
import { Command, CommanderError } from 'commander'
import { VideoDepthError } from '../errors.js'
import packageRoot from '../package-root.cjs'
import { doctorCommand } from './doctor.js'
import { exitCode, exitCodeOf } from './exit-code.js'
import { inspectCommand } from './inspect.js'
import { runCommand } from './run.js'
import { sampleCommand } from './sample.js'

const { version } = JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8')) as { version: string }

const program = new Command('video-depth')
  .description('Temporally consistent depth for videos of any length.')
  .version(version)
  .exitOverride()
  .addCommand(runCommand())
  .addCommand(sampleCommand())
  .addCommand(inspectCommand())
  .addCommand(doctorCommand())
  .addHelpText(
    'after',
    '\nExit codes: 0 done; 1 failed, no half-written file is left; 2 wrong usage; 3 input damaged, outputs hold what could\nbe read; 130 interrupted, half-written outputs removed.',
  )
for (const command of program.commands) command.exitOverride()

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? exitCode.ok : exitCode.usage // commander has written its text
  } else {
    const text = error instanceof VideoDepthError ? `${error.message} [${error.code}]` : unexpected(error)
    process.stderr.write(`video-depth: ${text}\n`)
    process.exitCode = exitCodeOf(error)
  }
}

function unexpected(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
