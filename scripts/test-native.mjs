// Owns: building and running the C++ tests: with sanitizers on request, and skipped or failed where they cannot be built.
// Must not know: what they test.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { inRoot, root } from './shared/paths.mjs'
import { buildTargets, doctestFolder, hasDouble, targets, testTree } from './shared/test-tree.mjs'
import { guarded } from './setup.mjs'

const { values: options } = parseArgs({
  options: {
    /** `address` (with undefined behaviour) or `thread`; the latter for what has threads of its own. */
    sanitize: { type: 'string' },
    /** Tests that cannot be built fail the command instead of being skipped. */
    require: { type: 'boolean', default: false },
  },
})
if (options.sanitize !== undefined && !['address', 'thread'].includes(options.sanitize)) {
  throw new Error(`Expected address or thread for --sanitize, received ${options.sanitize}`)
}
const build = options.sanitize === undefined ? testTree : inRoot('build-native', options.sanitize)
const include = doctestFolder()
if (include === undefined) {
  console.log(
    `${options.require ? 'FAILED' : 'SKIP'}: doctest/doctest.h is missing, so no native test ran. Install it with: sudo apt-get install -y doctest-dev`,
  )
  console.log(`native tests: 0 run, ${options.require ? 'although they are required' : 'all skipped'}`)
  process.exit(options.require ? 1 : 0)
}

const programs = targets.native.filter((target) => target !== 'video_depth_bench')
// The thread sanitizer is for what has threads of its own.
const chosen =
  options.sanitize === 'thread'
    ? {
        video_depth_tests: ['--test-case=thread team*,parallel_rows*'],
        video_depth_gpu_tests: ['--test-case-exclude=kernels do*'],
      }
    : {}
if (options.sanitize === undefined) await guarded(() => buildTargets('Building the native tests', targets.native))
else buildSanitized(options.sanitize)
const runs = programs.map((program) =>
  spawnSync(executable(program), chosen[program] ?? [], {
    cwd: build,
    encoding: 'utf8',
    env: { ...process.env, ...sanitizerOptions() },
  }),
)
report(runs)

function buildSanitized(sanitizers) {
  const parts = ['ADDON=OFF', 'GPU=OFF', 'TESTS=ON', `GPU_DOUBLE=${hasDouble ? 'ON' : 'OFF'}`, `SANITIZE=${sanitizers}`]
  const defined = parts.map((part) => `-DVIDEO_DEPTH_${part}`)
  const type = '-DCMAKE_BUILD_TYPE=RelWithDebInfo'
  quietly('cmake', ['-S', root, '-B', build, `-DDOCTEST_INCLUDE_DIR=${include}`, type, ...defined])
  quietly('cmake', ['--build', build, '--config', 'Release', '--parallel', '--target', ...programs])
}

/** Runs a build step; its output is of interest only where it fails. */
function quietly(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: root, encoding: 'utf8' })
  if (status === 0) return
  process.stdout.write(`${stdout ?? ''}${stderr ?? ''}`)
  console.log(`native tests: ${command} ${args[0]} failed${error === undefined ? '' : `: ${error.message}`}`)
  process.exit(1)
}

function executable(program) {
  const folders = [path.join(build, 'test', 'native'), path.join(build, 'test', 'native', 'gpu-double')]
  const names = [program, `${program}.exe`, path.join('Release', `${program}.exe`)]
  const files = folders.flatMap((folder) => names.map((name) => path.join(folder, name)))
  return files.find(existsSync) ?? files[0]
}

function sanitizerOptions() {
  if (options.sanitize === 'address') return { ASAN_OPTIONS: 'detect_leaks=1', UBSAN_OPTIONS: 'print_stacktrace=1' }
  return options.sanitize === 'thread' ? { TSAN_OPTIONS: 'halt_on_error=0 exitcode=66' } : {}
}

/** @param {import('node:child_process').SpawnSyncReturns<string>[]} runs */
function report(runs) {
  let [ran, failed, skipped] = [0, 0, 0]
  for (const { status, signal, stdout, stderr, error } of runs) {
    process.stdout.write(`${stdout ?? ''}${stderr ?? ''}`)
    const counts = /test cases: *(\d+) *\| *(\d+) passed *\| *(\d+) failed *\| *(\d+) skipped/.exec(stdout ?? '')
    const [, total = '0', , bad = '0', left = '0'] = counts ?? []
    ran += Number(total)
    failed += Number(bad)
    skipped += Number(left)
    if (error !== undefined) console.log(error.message)
    if (signal !== null) console.log(`ended by ${signal}`)
    if (status !== 0 || Number(total) === 0) process.exitCode = 1
  }
  const how = options.sanitize === undefined ? '' : ` with the ${options.sanitize} sanitizer`
  console.log(`native tests${how}: ${ran} run, ${failed} failed, ${skipped} skipped`)
}
