// Owns: build-native/release/: native tests, the renderer of scenes and the addon on doubles of the GPU, in one tree, so that
// what they share is compiled once.
// Must not know: what they test.

import { existsSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { inRoot, toolCommand } from './paths.mjs'
import { runStep } from './progress.mjs'

export const testTree = inRoot('build-native', 'release')
/** The doubles of the GPU know Linux only. */
export const hasDouble = process.platform === 'linux'

/** What to build; `native` also holds that the benchmark can be built. */
export const targets = {
  double: hasDouble ? ['video_depth'] : [],
  scenes: ['video_depth_scenes'],
  native: ['video_depth_tests', ...(hasDouble ? ['video_depth_gpu_tests'] : []), 'video_depth_bench'],
}

/** @returns {string | undefined} the folder of doctest's headers, without which there are no native tests */
export function doctestFolder() {
  const given = process.env.DOCTEST_INCLUDE_DIR
  const usual = ['/usr/include', '/usr/local/include', '/opt/homebrew/include']
  return [...(given === undefined ? [] : [given]), ...usual].find((folder) =>
    existsSync(path.join(folder, 'doctest', 'doctest.h')),
  )
}

/** Rejects with a StepError where something cannot be built. @param {string[]} wanted of `targets` */
export async function buildTargets(title, wanted) {
  const doctest = doctestFolder()
  const on = (isOn) => (isOn ? 'ON' : 'OFF')
  const options = {
    VIDEO_DEPTH_GPU: 'OFF',
    VIDEO_DEPTH_GPU_DOUBLE: on(hasDouble),
    VIDEO_DEPTH_SCENES: 'ON',
    VIDEO_DEPTH_TESTS: on(doctest !== undefined),
    VIDEO_DEPTH_BENCHMARKS: on(doctest !== undefined),
    ...(doctest === undefined ? {} : { DOCTEST_INCLUDE_DIR: doctest }),
  }
  const defined = Object.entries(options).map(([name, value]) => `--CD${name}=${value}`)
  const configure = toolCommand('cmake-js/bin/cmake-js', 'configure', '--out', testTree, ...defined)
  await runStep(`${title}: configuring`, configure)
  const parallel = ['--parallel', String(os.availableParallelism())]
  await runStep(title, ['cmake', ['--build', testTree, '--config', 'Release', ...parallel, '--target', ...wanted]])
}
