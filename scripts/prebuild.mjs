// Owns: `npm run build:prebuild`: addons in prebuilds/, where node-gyp-build looks in a published package: this platform's, and
// that of Linux on ARM where its cross compiler is here.
// Must not know: how it is built.

import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import prebuildify from 'prebuildify'
import { cross, hasCrossCompiler } from './shared/arm64.mjs'
import { baseline, isGlibc, tooNew } from './shared/glibc-baseline.mjs'
import { inRoot, root } from './shared/paths.mjs'
import { stampPrebuilds } from './shared/prebuilds.mjs'

// prebuildify takes the addon out of build/Release; the one in use waits aside and comes back.
const release = inRoot('build', 'Release')
const aside = inRoot('build', 'in-use')
const inUse = existsSync(release) ? readdirSync(release).filter((name) => name.endsWith('.node')) : []
mkdirSync(aside, { recursive: true })
for (const name of inUse) renameSync(path.join(release, name), path.join(aside, name))
try {
  await prebuild(process.arch, 'strip')
  if (hasCrossCompiler()) {
    Object.assign(process.env, cross.environment) // the baseline is that of this compiler's C library
    await prebuild('arm64', cross.strip)
  } else console.log('linux-arm64 is left out: no cross compiler (Debian: g++-aarch64-linux-gnu)')
} finally {
  for (const name of inUse) renameSync(path.join(aside, name), path.join(release, name))
}

async function prebuild(arch, stripBin) {
  const folder = inRoot('prebuilds', `${process.platform}-${arch}`)
  rmSync(folder, { recursive: true, force: true })
  await promisify(prebuildify)({
    ...{ cwd: root, arch, napi: true, tagLibc: true, stripBin },
    strip: process.platform !== 'win32',
    nodeGyp: inRoot('scripts', 'cmake-js-as-node-gyp.mjs'),
  })
  const addons = readdirSync(folder).map((name) => path.join(folder, name))
  if (isGlibc()) for (const addon of addons) checkBaseline(addon, folder)
  stampPrebuilds(folder)
  for (const addon of addons) console.log(addon)
}

function checkBaseline(addon, folder) {
  const symbols = tooNew(addon)
  if (symbols.length === 0) {
    console.log(`${path.basename(addon)} runs with glibc ${baseline.GLIBC} and later`)
    return
  }
  rmSync(folder, { recursive: true })
  console.error(
    `${addon} would need more than glibc ${baseline.GLIBC}:\n${symbols.map((line) => `  ${line}\n`).join('')}` +
      'Avoid them, or define them in binding/old-glibc.cc in terms of what there was.',
  )
  process.exit(1)
}
