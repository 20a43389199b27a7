// Owns: `npm run build:prebuild`: the addon of this platform where node-gyp-build looks for it in a published package.
// Must not know: what the addon does.

import { copyFileSync, mkdirSync, readdirSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { inRoot, root, toolCommand } from './shared/paths.mjs'

/** A build of its own, so that the one in use is neither replaced nor stripped. */
const out = inRoot('build', 'prebuild')

function run([command, args]) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (error) throw error
  if (status !== 0) process.exit(status ?? 1)
}

/** Names that node-gyp-build understands: musl and glibc need different binaries on Linux. */
function prebuildName() {
  if (process.platform !== 'linux') return 'video-depth.node'
  return `video-depth.${process.report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl'}.node`
}

run(toolCommand('cmake-js/bin/cmake-js', 'compile', '--out', out))
const built = readdirSync(inRoot('build', 'prebuild', 'Release')).find((name) => name.endsWith('.node'))
if (built === undefined) throw new Error(`cmake-js built no addon in ${out}`)
const folder = inRoot('prebuilds', `${process.platform}-${process.arch}`)
const target = inRoot('prebuilds', `${process.platform}-${process.arch}`, prebuildName())
mkdirSync(folder, { recursive: true })
copyFileSync(inRoot('build', 'prebuild', 'Release', built), target)
if (process.platform === 'linux') run(['strip', ['--strip-unneeded', target]])
if (process.platform === 'darwin') run(['strip', ['-Sx', target]])
console.log(target)
