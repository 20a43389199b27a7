// Owns: `npm run build:scenes`: the renderer of scenes (tools/scenes), its addon and its TypeScript.
// Must not know: what is rendered.

import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { guarded, setUp } from './setup.mjs'
import { filesBelow, hashSources, isFresh, removeOrphans, typescriptSources, writeStamp } from './shared/freshness.mjs'
import { inRoot, root, toolCommand } from './shared/paths.mjs'
import { runStep } from './shared/progress.mjs'

const folder = inRoot('build-scenes')
const sources = ['CMakeLists.txt', 'cpp/error.h', 'binding', 'tools/scenes', 'package.json'].map((name) => inRoot(name))

/** Into dist-tools/. Needs a clone that is set up, as what follows. */
export async function compileTools() {
  removeOrphans(inRoot('dist-tools'), (output) => typescriptSources(inRoot('tools'), output))
  await runStep('Compiling the tools', toolCommand('typescript/bin/tsc', '-p', inRoot('tools', 'tsconfig.json')))
}

/** Into build-scenes/. */
export async function buildScenes() {
  const stamp = path.join(folder, 'sources.sha256')
  const hash = hashSources(root, sources, process.platform, process.arch, root)
  const addon = path.join(folder, 'Release', 'video_depth_scenes.node')
  if (filesBelow(addon).length > 0 && isFresh(stamp, hash, [addon])) return
  // The product's parts would only take time here.
  const options = ['--out', folder, '--CDVIDEO_DEPTH_ADDON=OFF', '--CDVIDEO_DEPTH_GPU=OFF', '--CDVIDEO_DEPTH_SCENES=ON']
  const target = ['--target', 'video_depth_scenes']
  await runStep(
    'Building the renderer of scenes',
    toolCommand('cmake-js/bin/cmake-js', 'compile', ...options, ...target),
  )
  writeStamp(stamp, hash)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await guarded(async () => {
    await setUp()
    await compileTools()
    await buildScenes()
  })
}
