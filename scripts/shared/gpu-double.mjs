// Owns: building the addon on doubles of CUDA and TensorRT, for the tests of its GPU part.
// Must not know: what those tests test.

import path from 'node:path'
import { filesBelow, hashSources, isFresh, writeStamp } from './freshness.mjs'
import { inRoot, root, toolCommand } from './paths.mjs'
import { runStep, StepError } from './progress.mjs'
import { checkToolchain } from './toolchain.mjs'

const folder = inRoot('build-native', 'double')
const sources = ['CMakeLists.txt', 'binding', 'cpp', 'package.json', 'test/native/gpu-double'].map((name) =>
  inRoot(name),
)

/** Tests that need it say themselves that they are skipped, where it cannot be built. */
export async function buildGpuDouble() {
  if (process.platform !== 'linux') return
  const stamp = path.join(folder, 'sources.sha256')
  const hash = hashSources(root, sources, process.arch, root)
  const addon = path.join(folder, 'Release', 'video_depth.node')
  if (filesBelow(addon).length > 0 && isFresh(stamp, hash, [addon])) return
  try {
    checkToolchain()
  } catch (error) {
    if (!(error instanceof StepError)) throw error
    console.log(`The GPU part's tests are skipped: ${error.message}`)
    return
  }
  // The GPU part proper would only take time here.
  const options = ['--out', folder, '--CDVIDEO_DEPTH_GPU=OFF', '--CDVIDEO_DEPTH_GPU_DOUBLE=ON']
  await runStep(
    'Building the addon on doubles of CUDA and TensorRT',
    toolCommand('cmake-js/bin/cmake-js', 'compile', ...options),
  )
  writeStamp(stamp, hash)
}
