// Owns: what npm runs before it packs: nothing is packed that would not work where it is installed.
// Must not know: how anything is built.

import { typeScriptState } from './setup.mjs'
import { isFresh } from './shared/freshness.mjs'
import { inRoot } from './shared/paths.mjs'
import { prebuiltPlatforms } from './shared/prebuilds.mjs'

const problems = []
const { fresh, stale } = prebuiltPlatforms()
if (stale.length > 0) {
  problems.push(
    `prebuilds/ has addons of other sources: ${stale.join(', ')}. On such a machine each, run: npm run build:prebuild`,
  )
} else if (fresh.length === 0) problems.push('prebuilds/ has no addon. Run: npm run build:prebuild')
const { stamp, hash } = typeScriptState()
if (!isFresh(stamp, hash, [inRoot('dist', 'esm'), inRoot('dist', 'cjs')])) {
  problems.push('dist/ is missing, or is not of these sources. Run: npm run build:ts')
}
for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exitCode = 1
