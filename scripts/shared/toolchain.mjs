// Owns: what must be on a machine before anything can be built, and the command that installs it.
// Must not know: the steps of a build.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { inRoot } from './paths.mjs'
import { StepError } from './progress.mjs'

/** Linux distributions by `ID` or `ID_LIKE` of os-release, with how each installs compiler, make and CMake. */
const linuxInstalls = {
  debian: 'apt-get install -y build-essential cmake',
  fedora: 'dnf install -y gcc-c++ make cmake',
  rhel: 'dnf install -y gcc-c++ make cmake',
  suse: 'zypper install -y gcc-c++ make cmake',
  arch: 'pacman -S --needed base-devel cmake',
  alpine: 'apk add build-base cmake',
}

/** @param {string} required lowest version, from package.json's `engines` */
export function checkNode(required, running = process.versions.node) {
  if (atLeast(running, required)) return
  throw new StepError(
    `Node.js ${required} or newer is needed; this is ${running}.`,
    'Install a current Node.js: https://nodejs.org',
  )
}

/** Compiler, build tool and CMake; needed only where the addon has to be built. */
export function checkToolchain() {
  const missing = []
  const cmake = versionOf('cmake', '--version')
  const lowest =
    /cmake_minimum_required\(VERSION ([\d.]+)/.exec(readFileSync(inRoot('CMakeLists.txt'), 'utf8'))?.[1] ?? '3.15'
  if (cmake === undefined) missing.push('CMake')
  else if (!atLeast(cmake, lowest)) missing.push(`CMake ${lowest} or newer (this is ${cmake})`)
  if (process.platform !== 'win32') {
    // cmake-js looks for Visual Studio itself.
    const compilers = process.env.CXX ? [process.env.CXX.split(' ')[0]] : ['c++', 'g++', 'clang++']
    if (!compilers.some((name) => versionOf(name, '--version') !== undefined)) missing.push('a C++ compiler')
    if (!['ninja', 'make', 'gmake'].some((name) => versionOf(name, '--version') !== undefined)) missing.push('make')
  }
  if (missing.length === 0) return
  throw new StepError(
    `The native addon has to be built here, and this machine lacks ${list(missing)}.`,
    installCommand(),
  )
}

/** What installs compiler, make and CMake here. */
export function installCommand(
  platform = process.platform,
  osRelease = readOsRelease(),
  isRoot = process.getuid?.() === 0,
) {
  if (platform === 'darwin') return 'Run: xcode-select --install && brew install cmake'
  if (platform === 'win32')
    return 'Install Visual Studio Build Tools with "Desktop development with C++", which brings CMake.'
  const ids = /^ID=(.*)$/m.exec(osRelease)?.[1] ?? ''
  const like = /^ID_LIKE=(.*)$/m.exec(osRelease)?.[1] ?? ''
  const known = `${ids} ${like}`
    .replaceAll('"', '')
    .split(/\s+/)
    .find((id) => familyOf(id) in linuxInstalls)
  if (known === undefined) return 'Install a C++17 compiler, make and CMake with your package manager.'
  return `Run: ${isRoot ? '' : 'sudo '}${linuxInstalls[familyOf(known)]}`
}

function familyOf(id) {
  return id === 'ubuntu' ? 'debian' : id === 'centos' ? 'rhel' : id.startsWith('opensuse') ? 'suse' : id
}

function readOsRelease() {
  try {
    return readFileSync('/etc/os-release', 'utf8')
  } catch {
    return ''
  }
}

function versionOf(command, ...args) {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' })
  return status === 0 ? (/\d+(?:\.\d+)+/.exec(stdout)?.[0] ?? '0') : undefined
}

function atLeast(version, lowest) {
  const [have, want] = [version, lowest].map((text) => text.split('.').map(Number))
  for (const [i, number] of want.entries()) {
    if ((have[i] ?? 0) !== number) return (have[i] ?? 0) > number
  }
  return true
}

function list(items) {
  return items.join(items.length > 2 ? ', ' : ' and ')
}
