// Owns: building and running the C++ tests: with sanitizers on request, and skipped or failed where they cannot be built.
// Must not know: what they test.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { inRoot, root } from './shared/paths.mjs'

const { values: options } = parseArgs({
  options: {
    sanitize: { type: 'boolean', default: false },
    /** Tests that cannot be built fail the command instead of being skipped. */
    require: { type: 'boolean', default: false },
  },
})
const build = inRoot('build-native', options.sanitize ? 'sanitize' : 'release')

const [include] = doctestFolders()
if (include === undefined) {
  console.log(
    `${options.require ? 'FAILED' : 'SKIP'}: doctest/doctest.h is missing, so no native test ran. Install it with: sudo apt-get install -y doctest-dev`,
  )
  console.log(`native tests: 0 run, ${options.require ? 'although they are required' : 'all skipped'}`)
  process.exit(options.require ? 1 : 0)
}

const mode = options.sanitize
  ? ['-DVIDEO_DEPTH_SANITIZE=ON', '-DCMAKE_BUILD_TYPE=RelWithDebInfo']
  : ['-DCMAKE_BUILD_TYPE=Release']
const parts = ['-DVIDEO_DEPTH_ADDON=OFF', '-DVIDEO_DEPTH_TESTS=ON', '-DVIDEO_DEPTH_BENCHMARKS=ON']
quietly('cmake', ['-S', root, '-B', build, `-DDOCTEST_INCLUDE_DIR=${include}`, ...mode, ...parts])
quietly('cmake', ['--build', build, '--config', 'Release', '--parallel'])
report(spawnSync(executable(), [], { encoding: 'utf8', env: { ...process.env, ...sanitizerOptions() } }))

function doctestFolders() {
  const given = process.env.DOCTEST_INCLUDE_DIR
  const usual = ['/usr/include', '/usr/local/include', '/opt/homebrew/include']
  return [...(given === undefined ? [] : [given]), ...usual].filter((folder) =>
    existsSync(path.join(folder, 'doctest', 'doctest.h')),
  )
}

/** Runs a build step; its output is of interest only where it fails. */
function quietly(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: root, encoding: 'utf8' })
  if (status === 0) return
  process.stdout.write(`${stdout ?? ''}${stderr ?? ''}`)
  console.log(`native tests: ${command} ${args[0]} failed${error === undefined ? '' : `: ${error.message}`}`)
  process.exit(1)
}

function executable() {
  const folder = path.join(build, 'test', 'native')
  const names = ['video_depth_tests', 'video_depth_tests.exe', path.join('Release', 'video_depth_tests.exe')]
  return names.map((name) => path.join(folder, name)).find(existsSync) ?? path.join(folder, names[0])
}

function sanitizerOptions() {
  return options.sanitize ? { ASAN_OPTIONS: 'detect_leaks=1', UBSAN_OPTIONS: 'print_stacktrace=1' } : {}
}

/** @param {import('node:child_process').SpawnSyncReturns<string>} run */
function report({ status, signal, stdout, stderr, error }) {
  process.stdout.write(`${stdout}${stderr}`)
  const counts = /test cases: *(\d+) *\| *(\d+) passed *\| *(\d+) failed *\| *(\d+) skipped/.exec(stdout ?? '')
  const [, total = '0', , failed = '0', skipped = '0'] = counts ?? []
  const ran = Number(total)
  console.log(
    `native tests${options.sanitize ? ' with sanitizers' : ''}: ${ran} run, ${failed} failed, ${skipped} skipped`,
  )
  if (error !== undefined) console.log(error.message)
  if (signal !== null) console.log(`ended by ${signal}`)
  process.exitCode = status === 0 && ran > 0 ? 0 : 1
}
