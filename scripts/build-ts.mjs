// Owns: dist/: the ES modules, and for CommonJS consumers a bundle of each entry with its own declarations.
// Must not know: the addon, tests.

import { chmodSync, cpSync, existsSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { typeScriptState } from './setup.mjs'
import { removeOrphans, typescriptSources, writeStamp } from './shared/freshness.mjs'
import { inRoot, root, toolCommand } from './shared/paths.mjs'

const { stamp, hash } = typeScriptState()
const [esm, cjs] = [inRoot('dist', 'esm'), inRoot('dist', 'cjs')]

function compile(project) {
  const [command, args] = toolCommand('typescript/bin/tsc', '-p', inRoot(project))
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

rmSync(stamp, { force: true })
removeOrphans(esm, (output) => typescriptSources(inRoot('lib'), output))
removeOrphans(cjs, (output) => (output.endsWith('.js') ? [] : typescriptSources(inRoot('lib'), output)))
compile('tsconfig.json')

// The same declarations for both forms: which of the two they describe is told by the package.json beside them.
cpSync(esm, cjs, { recursive: true, filter: (file) => statSync(file).isDirectory() || /\.d\.[cm]?ts$/.test(file) })

// Makes Node and TypeScript read what lies below as CommonJS.
writeFileSync(inRoot('dist', 'cjs', 'package.json'), '{ "type": "commonjs" }\n')

const { build } = await import('esbuild')
await build({
  absWorkingDir: root,
  // Both lie in one folder: package-root.cts counts folders from there.
  entryPoints: [
    { in: 'lib/index.ts', out: 'index' },
    { in: 'lib/evaluate/index.ts', out: 'evaluate' },
  ],
  outdir: 'dist/cjs',
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  sourcemap: true,
  sourcesContent: true, // lib/ is not in the package
  legalComments: 'none',
  // require() of an ES module came after Node 20.17, so packages that have no other form stay behind import().
  supported: { 'dynamic-import': true },
  logLevel: 'warning',
})

const main = inRoot('dist', 'esm', 'cli', 'main.js')
if (existsSync(main)) chmodSync(main, 0o755)
writeStamp(stamp, hash)
