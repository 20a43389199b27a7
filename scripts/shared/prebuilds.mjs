// Owns: which sources the addons in prebuilds/ were built from: a stamp in each platform's folder, which is not packed.
// Must not know: how they are built.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { hashSources } from './freshness.mjs'
import { inRoot, root } from './paths.mjs'

const stampName = 'sources.sha256'

/** The addon reports package.json's version; nothing else in there changes it. Same on every platform. */
function sourcesHash() {
  const { version } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'))
  const sources = ['CMakeLists.txt', 'binding', 'cpp'].map((name) => inRoot(name))
  return hashSources(root, sources, version)
}

const addonsIn = (folder) => readdirSync(folder).filter((name) => name.endsWith('.node'))

/** A hash of the sources and of the addons themselves, so that a binary that was put there later shows. */
const stampOf = (folder) =>
  `${sourcesHash()} ${hashSources(
    folder,
    addonsIn(folder).map((name) => path.join(folder, name)),
  )}`

/** Call it when the addons of a platform are complete. @param folder prebuilds/PLATFORM-ARCH */
export function stampPrebuilds(folder) {
  writeFileSync(path.join(folder, stampName), stampOf(folder))
}

/** Platforms in prebuilds/ with an addon: those of these sources, and those of others. */
export function prebuiltPlatforms() {
  const all = inRoot('prebuilds')
  const names = existsSync(all) ? readdirSync(all).filter((name) => addonsIn(path.join(all, name)).length > 0) : []
  const isFresh = (name) => {
    const stamp = path.join(all, name, stampName)
    return existsSync(stamp) && readFileSync(stamp, 'utf8') === stampOf(path.join(all, name))
  }
  return { fresh: names.filter(isFresh), stale: names.filter((name) => !isFresh(name)) }
}
