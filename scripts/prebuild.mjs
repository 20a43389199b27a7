// Owns: `npm run build:prebuild`: the addon of this platform in prebuilds/, where node-gyp-build looks in a published package.
// Must not know: how it is built.

import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import prebuildify from 'prebuildify'
import { baseline, isGlibc, tooNew } from './shared/glibc-baseline.mjs'
import { inRoot, root } from './shared/paths.mjs'
import { stampPrebuilds } from './shared/prebuilds.mjs'

const folder = inRoot('prebuilds', `${process.platform}-${process.arch}`)
rmSync(folder, { recursive: true, force: true })
// prebuildify takes the addon out of build/Release; the one in use waits aside and comes back.
const release = inRoot('build', 'Release')
const aside = inRoot('build', 'in-use')
const inUse = existsSync(release) ? readdirSync(release).filter((name) => name.endsWith('.node')) : []
mkdirSync(aside, { recursive: true })
for (const name of inUse) renameSync(path.join(release, name), path.join(aside, name))
try {
  await promisify(prebuildify)({
    cwd: root,
    napi: true,
    strip: process.platform !== 'win32',
    tagLibc: true,
    nodeGyp: inRoot('scripts', 'cmake-js-as-node-gyp.mjs'),
  })
} finally {
  for (const name of inUse) renameSync(path.join(aside, name), path.join(release, name))
}
const addons = readdirSync(folder).map((name) => path.join(folder, name))
if (isGlibc()) addons.forEach(checkBaseline)
stampPrebuilds(folder)
for (const addon of addons) console.log(addon)

function checkBaseline(addon) {
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
