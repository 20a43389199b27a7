#!/usr/bin/env node
// Owns: prebuildify's `node-gyp rebuild`, done by cmake-js.
// Must not know: what is packed. A build folder of its own keeps the one in use; the result goes where prebuildify looks.

import { copyFileSync, mkdirSync, readdirSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { cross } from './shared/arm64.mjs'
import { isGlibc, writeStubs } from './shared/glibc-baseline.mjs'
import { inRoot, root, toolCommand } from './shared/paths.mjs'

const arch = process.argv.map((word) => /^--arch=(.*)$/.exec(word)?.[1]).find(Boolean) ?? process.arch
const out = inRoot('build', `prebuild-${arch}`)
const options = [`--arch=${arch}`]
if (arch !== process.arch) {
  Object.assign(process.env, cross.environment)
  for (const [name, value] of Object.entries(cross.variables)) options.push(`--CD${name}=${value}`)
}
if (isGlibc()) {
  const stubs = inRoot('build', `glibc-stubs-${arch}`)
  writeStubs(stubs)
  options.push(`--CDVIDEO_DEPTH_GLIBC_STUBS=${stubs}`)
}
const [command, args] = toolCommand('cmake-js/bin/cmake-js', 'compile', '--out', out, ...options)
const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
if (error) throw error
if (status === 0) {
  const built = readdirSync(path.join(out, 'Release')).find((name) => name.endsWith('.node'))
  if (built === undefined) throw new Error(`cmake-js built no addon in ${out}`)
  mkdirSync(inRoot('build', 'Release'), { recursive: true })
  copyFileSync(path.join(out, 'Release', built), inRoot('build', 'Release', built))
}
process.exitCode = status ?? 1
