// Owns: formatting of C++ and CUDA by .clang-format; with --check it only says what is not formatted.
// Must not know: the build.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { inRoot, root, toolCommand } from './shared/paths.mjs'

const { values: options } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
const folders = ['cpp', 'binding', 'test/native', 'benchmarks/native', 'benchmarks/gpu', 'tools/scenes']
const sources = /\.(c|cc|cpp|cu|cuh|h)$/

const files = folders
  .filter((folder) => existsSync(inRoot(folder)))
  .flatMap((folder) => readdirSync(inRoot(folder), { recursive: true }).map((file) => path.join(folder, file)))
  .filter((file) => sources.test(file))
  .sort()
if (files.length === 0) {
  console.error(`Expected C++ sources in ${folders.join(', ')}, found none`)
  process.exit(1)
}

const mode = options.check ? ['--dry-run', '--Werror'] : ['-i']
const [command, args] = toolCommand('clang-format/index.js', '--style=file', ...mode, ...files)
const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
if (error !== undefined) throw error
if (options.check && status === 0) console.log(`${files.length} C++ files are formatted.`)
process.exitCode = status ?? 1
