// Owns: the oldest C library that a prebuilt addon runs on: linking against what that one had, and checking what came out.
// Must not know: how the addon is built otherwise.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/**
 * Newest symbol versions that an addon may ask for: Debian 10, RHEL 8 and everything since, as Node.js 20's own binaries.
 * None of libstdc++ (GLIBCXX, CXXABI): it is linked in.
 */
export const baseline = { GLIBC: '2.28', GCC: '7.0.0' }

/** Resolved by Node.js itself. */
const nodeSymbol = /^(napi|node_api)_/

export const isGlibc = () => process.report.getReport().header.glibcVersionRuntime !== undefined

/**
 * Writes stand-ins of this machine's C library into `folder`, for the linker alone: each symbol has its newest version up to
 * the baseline, and what came later is not there. Objects of the compiler's own (libstdc++.a) bind to them as ours do.
 */
export function writeStubs(folder) {
  mkdirSync(folder, { recursive: true })
  for (const library of ['libc', 'libm', 'libpthread', 'libdl', 'librt']) {
    const file = compilersFile(`${library}.so`)
    if (file === undefined) continue // part of libc since 2.34
    const target = path.join(folder, `${library}.so`)
    if (isElf(file)) stub(file, target)
    else
      writeFileSync(
        target,
        readFileSync(file, 'utf8').replaceAll(/\/\S+\.so\.\d+/g, (real) => stubBeside(folder, real)),
      )
  }
}

function stubBeside(folder, real) {
  const target = path.join(folder, path.basename(real))
  stub(real, target)
  return target
}

function compilersFile(name) {
  const found = execFileSync(compiler(), [`-print-file-name=${name}`], { encoding: 'utf8' }).trim()
  return path.isAbsolute(found) && existsSync(found) ? found : undefined
}

function compiler() {
  return process.env.CXX?.split(' ')[0] ?? 'c++'
}

/** A tool of the compiler's own target. */
function binutil(name) {
  return `${/^(.*-)(?:g|c)\+\+/.exec(compiler())?.[1] ?? ''}${name}`
}

function isElf(file) {
  return readFileSync(file).readUInt32BE(0) === 0x7f454c46
}

function stub(library, target) {
  const soname = /SONAME\s+(\S+)/.exec(execFileSync(binutil('objdump'), ['-p', library], { encoding: 'utf8' }))[1]
  const versions = new Map()
  const assembly = []
  for (const [name, { version, type }] of newestAllowed(library)) {
    versions.set(version, [...(versions.get(version) ?? []), name])
    assembly.push(`.globl ${name}\n.type ${name}, %${type}\n${name}:`)
  }
  const script = [...versions].map(([version, names]) => `${version} { global: ${names.join('; ')}; };`)
  writeFileSync(`${target}.s`, `.text\n${assembly.join('\n')}\n`)
  writeFileSync(`${target}.map`, `${script.join('\n')}\n`)
  const output = ['-o', target, `-Wl,-soname,${soname}`, `-Wl,--version-script,${target}.map`]
  execFileSync(compiler(), ['-shared', '-nostdlib', ...output, `${target}.s`])
}

/** Symbols that a library defines, by name. */
function newestAllowed(library) {
  const newest = new Map()
  const lines = execFileSync(binutil('nm'), ['-D', '--defined-only', '--with-symbol-versions', library], {
    encoding: 'utf8',
  })
  for (const [, letter, name, version] of lines.matchAll(/^\S+ ([TWViDBR]) (\S+?)@@?(GLIBC_[\d.]+)$/gm)) {
    if (isNewer(version, baseline)) continue
    const known = newest.get(name)?.version
    if (known !== undefined && !isNewer(version, { GLIBC: known.split('_')[1] })) continue
    newest.set(name, { version, type: /[TWi]/.test(letter) ? 'function' : 'object' })
  }
  return newest
}

/** What an addon asks for that the baseline does not have, one line each; none where it runs there. */
export function tooNew(addon) {
  const table = execFileSync(binutil('nm'), ['-D', '--undefined-only', '--with-symbol-versions', addon], {
    encoding: 'utf8',
  })
  return [...table.matchAll(/^\s+([Uwv]) ([^\s@]+)(?:@+(\S+))?$/gm)].flatMap(([, letter, name, version]) => {
    if (version !== undefined) return isNewer(version, baseline) ? [`${name} (${version})`] : []
    // What has no version is in none of the libraries that were linked; a weak symbol may be missing.
    return letter !== 'U' || nodeSymbol.test(name) ? [] : [`${name} (of no library)`]
  })
}

/** `version` such as GLIBC_2.29. A library that has no baseline is newer than any. */
function isNewer(version, limits) {
  const [library, number] = version.split('_')
  const limit = limits[library]
  return limit === undefined || number.localeCompare(limit, 'en', { numeric: true }) > 0
}
