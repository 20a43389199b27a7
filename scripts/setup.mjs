// Owns: bringing a fresh or changed clone to where everything runs: dependencies, native addon, TypeScript.
// Must not know: what is started afterwards. Node's own modules only: nothing is installed yet when this runs.

import { existsSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { filesBelow, hashSources, isFresh, writeStamp } from './shared/freshness.mjs'
import { inRoot, npmCommand, root } from './shared/paths.mjs'
import { runStep, StepError } from './shared/progress.mjs'
import { checkNode, checkToolchain, installCommand } from './shared/toolchain.mjs'

/** Does what is left to do. Rejects with a StepError that tells what failed and what mends it. */
export async function setUp() {
  const manifest = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'))
  checkNode(manifest.engines.node.replace(/[^\d.]/g, ''))
  await installDependencies()
  await buildAddon()
  await buildTypeScript()
}

/** Runs `work`, and ends the process with a message instead of a stack where a step failed. */
export async function guarded(work) {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof StepError)) throw error
    process.stderr.write(`\n${error.message}\n${error.remedy ? `→ ${error.remedy}\n` : ''}`)
    process.exit(1)
  }
}

async function installDependencies() {
  if (dependenciesMatch()) return
  // NODE_ENV=production would leave out the compiler and the tests. Every binary that we use ships inside its package;
  // their install scripts download others. package.json's allowScripts says the same to newer versions of npm.
  const command = npmCommand('ci', '--include=dev', '--ignore-scripts', '--no-progress')
  await runStep('Installing dependencies', command, { remedy: npmRemedy })
}

/** npm writes the list of what it installed last, so a list that agrees means a finished installation. */
function dependenciesMatch() {
  const installedList = inRoot('node_modules', '.package-lock.json')
  if (!existsSync(installedList)) return false
  const wanted = JSON.parse(readFileSync(inRoot('package-lock.json'), 'utf8')).packages
  const installed = JSON.parse(readFileSync(installedList, 'utf8')).packages
  const same = (name) =>
    wanted[name]?.version === installed[name]?.version && wanted[name]?.integrity === installed[name]?.integrity
  return (
    Object.keys(installed).every(same) &&
    Object.keys(wanted).every((name) => name === '' || wanted[name].optional === true || same(name))
  )
}

async function buildAddon() {
  const sources = ['CMakeLists.txt', 'binding', 'cpp', 'package.json'].map((name) => inRoot(name))
  const hash = hashSources(root, sources, process.platform, process.arch, root)
  const stamp = inRoot('build', 'sources.sha256')
  const addons = filesBelow(inRoot('build', 'Release')).filter((file) => file.endsWith('.node'))
  if (addons.length > 0 && isFresh(stamp, hash, addons)) return
  checkToolchain()
  forgetMovedBuild()
  await runStep('Building the native addon', npmCommand('run', 'build:addon'), { remedy: buildRemedy })
  writeStamp(stamp, hash)
}

/** CMake refuses a build folder that was made under another path. */
function forgetMovedBuild() {
  const cache = inRoot('build', 'CMakeCache.txt')
  if (!existsSync(cache)) return
  const home = /^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$/m.exec(readFileSync(cache, 'utf8'))?.[1]
  if (home === undefined || path.resolve(home) !== root) rmSync(inRoot('build'), { recursive: true })
}

/** What dist/ is made of; build-ts.mjs stamps its result with the same hash. */
export function typeScriptState() {
  const sources = ['lib', 'tsconfig.json', 'package.json', 'package-lock.json', 'scripts/build-ts.mjs']
  return {
    stamp: inRoot('dist', 'sources.sha256'),
    hash: hashSources(
      root,
      sources.map((name) => inRoot(name)),
    ),
  }
}

async function buildTypeScript() {
  const { stamp, hash } = typeScriptState()
  if (isFresh(stamp, hash, [inRoot('dist', 'esm'), inRoot('dist', 'cjs')])) return
  await runStep('Compiling TypeScript', npmCommand('run', 'build:ts'))
}

function npmRemedy(output) {
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT/.test(output)) {
    return 'The npm registry cannot be reached. Check the network or proxy (npm ping), then run the command again.'
  }
  if (/EACCES|EPERM/.test(output))
    return `Files in ${root} belong to another user: give them to yourself, or run as that user.`
  if (/ENOSPC/.test(output)) return 'The disk is full: about 1 GB is needed.'
  if (/in sync/.test(output)) return 'package.json and package-lock.json disagree. Run: npm install'
  return 'To see everything, run: npm ci --ignore-scripts'
}

function buildRemedy(output) {
  if (/Killed|out of memory|cannot allocate/i.test(output)) {
    return 'The compiler ran out of memory. Run: CMAKE_BUILD_PARALLEL_LEVEL=1 npm run build:addon'
  }
  if (/No CMAKE_CXX_COMPILER|CMake is not installed|no acceptable C\+\+ compiler/i.test(output)) return installCommand()
  return 'To see everything, run: npm run build:addon'
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await guarded(setUp)
  process.stderr.write('Ready.\n')
}
