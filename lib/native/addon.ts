// Owns: finding and loading the native addon, and saying what to do where that fails.
// Must not know: what the addon's functions are for.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import nodeGypBuild from 'node-gyp-build'
import { VideoDepthError } from '../base/errors.js'
import type { NativeAddon } from './types.js'
import { bundledText, ownManifest } from '../base/own-package.js'
import packageRoot from '../package-root.cjs'

export type AddonProblem =
  | 'not-built' // no binary, and the tools to build one are there
  | 'no-toolchain' // no binary, and a compiler or CMake is missing
  | 'other-platform' // a binary, but for another platform, architecture or C library
  | 'other-version' // a binary of another version of this package
  | 'unloadable' // a binary for this platform that does not load
  | 'bundled' // this code lies in another program, apart from its binary

/** What `loadAddon` would find; made for people and for `doctor`. */
export interface AddonDiagnosis {
  /** The addon loads. */
  readonly ok: boolean
  readonly problem: AddonProblem | undefined
  /** The binary that is, or would be, loaded. */
  readonly path: string | undefined
  /** Package version that the binary was built from, where it loads. */
  readonly version: string | undefined
  /** One sentence. */
  readonly detail: string
  /** Shell command that mends it, run in `folder`; undefined where nothing is wrong, or where no command mends it. */
  readonly remedy: string | undefined
  /** The package's own. */
  readonly folder: string
  readonly cause: unknown
}

// A published package has no lock file. It has the addon's sources, and of what builds them all but cmake-js.
const isCheckout = existsSync(path.join(packageRoot, 'package-lock.json'))
/** Run in the package's folder. */
export const buildCommand = isCheckout ? 'npm run build:addon' : 'npx --yes cmake-js@8 compile'
let loaded: NativeAddon | undefined

/**
 * The addon, loaded once a thread.
 *
 * @throws VideoDepthError ADDON_UNAVAILABLE with the diagnosis and the command that mends it.
 */
export function loadAddon(): NativeAddon {
  if (loaded !== undefined) return loaded
  const { addon, diagnosis } = tryLoad()
  if (addon === undefined) {
    const { detail, remedy, folder, cause } = diagnosis
    const advice = remedy === undefined ? '' : ` In ${folder}, run: ${remedy}`
    throw new VideoDepthError('ADDON_UNAVAILABLE', `${detail}${advice}`, { cause })
  }
  loaded = addon
  return addon
}

/** Whether the addon can be loaded here and, if not, why not. Never throws for a missing or damaged addon. */
export function diagnoseAddon(): AddonDiagnosis {
  return tryLoad().diagnosis
}

interface Attempt {
  readonly addon: NativeAddon | undefined
  readonly diagnosis: AddonDiagnosis
}

function tryLoad(): Attempt {
  const wanted = ownManifest()?.version
  if (wanted === undefined) return { addon: undefined, diagnosis: bundled }
  let file: string
  try {
    file = nodeGypBuild.resolve(packageRoot)
  } catch (cause) {
    return { addon: undefined, diagnosis: diagnoseMissing(cause) }
  }
  let addon: NativeAddon
  try {
    addon = nodeGypBuild(packageRoot) as NativeAddon
  } catch (cause) {
    return { addon: undefined, diagnosis: diagnoseUnloadable(file, cause) }
  }
  const { version } = addon
  const found = { path: file, version, folder: packageRoot, cause: undefined }
  if (version !== wanted) {
    const detail = `The native addon was built from version ${version}, this is version ${wanted}.`
    const diagnosis = { ...found, ok: false, problem: 'other-version', detail, remedy: buildCommand } as const
    return { addon: undefined, diagnosis }
  }
  const detail = `The native addon ${version} loads.`
  return { addon, diagnosis: { ...found, ok: true, problem: undefined, detail, remedy: undefined } }
}

const bundled: AddonDiagnosis = {
  ok: false,
  problem: 'bundled',
  path: undefined,
  version: undefined,
  detail: bundledText,
  remedy: undefined,
  folder: packageRoot,
  cause: undefined,
}

function diagnoseMissing(cause: unknown): AddonDiagnosis {
  const tools = missingTools()
  const install = tools.length === 0 ? undefined : installCommand()
  const remedy = [...(install === undefined ? [] : [install]), buildCommand].join(' && ')
  const common = { ok: false, path: undefined, version: undefined, remedy, folder: packageRoot, cause }
  const prebuilt = prebuiltPlatforms()
  if (prebuilt.length > 0) {
    const detail = `The native addon is prebuilt for ${prebuilt.join(', ')}, not for ${thisPlatform()}.`
    return { ...common, problem: 'other-platform', detail }
  }
  if (tools.length > 0) {
    const detail = `The native addon is not built, and ${tools.join(' and ')} to build it cannot be found.`
    return { ...common, problem: 'no-toolchain', detail }
  }
  return { ...common, problem: 'not-built', detail: 'The native addon is not built.' }
}

function diagnoseUnloadable(file: string, cause: unknown): AddonDiagnosis {
  const common = { ok: false, path: file, version: undefined, remedy: buildCommand, folder: packageRoot, cause }
  const platform = binaryPlatform(file)
  if (platform !== undefined && platform !== thisPlatform()) {
    const detail = `The native addon was built for ${platform}, this is ${thisPlatform()}.`
    return { ...common, problem: 'other-platform', detail }
  }
  const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause)
  return { ...common, problem: 'unloadable', detail: `The native addon does not load: ${reason}.` }
}

function prebuiltPlatforms(): string[] {
  try {
    return readdirSync(path.join(packageRoot, 'prebuilds'))
  } catch {
    return [] // a checkout has no prebuilds
  }
}

function missingTools(): string[] {
  const runs = (command: string): boolean => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0
  const compilers = ['c++', 'g++', 'clang++']
  // Visual Studio's compiler is not on the PATH; CMake finds it by itself.
  const hasCompiler = process.platform === 'win32' || compilers.some(runs)
  const hasMake = process.platform === 'win32' || ['ninja', 'make'].some(runs)
  return [...(hasCompiler ? [] : ['a C++ compiler']), ...(hasMake ? [] : ['make']), ...(runs('cmake') ? [] : ['CMake'])]
}

/** By `ID` or `ID_LIKE` of os-release, as in scripts/shared/toolchain.mjs. */
const linuxInstalls: Readonly<Record<string, string>> = {
  debian: 'apt-get install -y build-essential cmake',
  ubuntu: 'apt-get install -y build-essential cmake',
  fedora: 'dnf install -y gcc-c++ make cmake',
  rhel: 'dnf install -y gcc-c++ make cmake',
  suse: 'zypper install -y gcc-c++ make cmake',
  arch: 'pacman -S --needed base-devel cmake',
  alpine: 'apk add build-base cmake',
}

/** Undefined for a system that is not known. */
function installCommand(): string | undefined {
  if (process.platform === 'darwin') return 'xcode-select --install && brew install cmake'
  if (process.platform === 'win32') return 'winget install Kitware.CMake Microsoft.VisualStudio.2022.BuildTools'
  const command = osFamilies().flatMap((family) => linuxInstalls[family] ?? [])[0]
  return command === undefined || process.getuid?.() === 0 ? command : `sudo ${command}`
}

function osFamilies(): string[] {
  try {
    const text = readFileSync('/etc/os-release', 'utf8')
    return [...text.matchAll(/^ID(?:_LIKE)?=(.*)$/gm)].flatMap(([, ids = '']) => ids.replaceAll('"', '').split(/\s+/))
  } catch {
    return []
  }
}

/** Such as `linux-x64-glibc`; the C library is named on Linux alone. */
function thisPlatform(): string {
  const suffix = process.platform === 'linux' ? `-${libc()}` : ''
  return `${process.platform}-${process.arch}${suffix}`
}

function libc(): 'glibc' | 'musl' {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } }
  return report.header?.glibcVersionRuntime === undefined ? 'musl' : 'glibc'
}

const elfMachines: Readonly<Record<number, string>> = { 0x3e: 'x64', 0xb7: 'arm64', 0x28: 'arm', 0x03: 'ia32' }
const machMachines: Readonly<Record<number, string>> = { 0x01000007: 'x64', 0x0100000c: 'arm64' }

/** The platform that a binary's header names, worded as `thisPlatform` words it; undefined where it is no such file. */
function binaryPlatform(file: string): string | undefined {
  const bytes = readFileSync(file)
  if (bytes.length < 64) return undefined
  if (bytes.readUInt32BE(0) === 0x7f454c46) {
    const machine = elfMachines[bytes.readUInt16LE(18)] ?? 'unknown'
    return `linux-${machine}-${bytes.includes('libc.musl') ? 'musl' : 'glibc'}`
  }
  if (bytes.readUInt32LE(0) === 0xfeedfacf) return `darwin-${machMachines[bytes.readUInt32LE(4)] ?? 'unknown'}`
  if (bytes.toString('latin1', 0, 2) === 'MZ') {
    const header = bytes.readUInt32LE(60)
    const machine = header + 6 <= bytes.length ? bytes.readUInt16LE(header + 4) : 0
    return `win32-${{ 0x8664: 'x64', 0xaa64: 'arm64' }[machine] ?? 'unknown'}`
  }
  return undefined
}
