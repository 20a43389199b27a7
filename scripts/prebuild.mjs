// Owns: `npm run build:prebuild`: the addon of this platform in prebuilds/, where node-gyp-build looks in a published package.
// Must not know: how it is built.

import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import prebuildify from 'prebuildify'
import { inRoot, root } from './shared/paths.mjs'

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
const folder = inRoot('prebuilds', `${process.platform}-${process.arch}`)
for (const name of readdirSync(folder)) console.log(path.join(folder, name))
