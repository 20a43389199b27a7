// Owns: `npm run build:scenes`: the renderer of scenes (tools/scenes), its addon and its TypeScript.
// Must not know: what is rendered.

import { pathToFileURL } from 'node:url'
import { guarded, setUp } from './setup.mjs'
import { removeOrphans, typescriptSources } from './shared/freshness.mjs'
import { inRoot, toolCommand } from './shared/paths.mjs'
import { runStep } from './shared/progress.mjs'
import { buildTargets, targets } from './shared/test-tree.mjs'

/** Into dist-tools/. Needs a clone that is set up, as what follows. */
export async function compileTools() {
  removeOrphans(inRoot('dist-tools'), (output) => typescriptSources(inRoot('tools'), output))
  await runStep('Compiling the tools', toolCommand('typescript/bin/tsc', '-p', inRoot('tools', 'tsconfig.json')))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await guarded(async () => {
    await setUp()
    await compileTools()
    await buildTargets('Building the renderer of scenes', targets.scenes)
  })
}
