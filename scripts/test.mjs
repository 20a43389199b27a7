// Owns: `npm test`: set-up, every test, and what came of them in one last line.
// Must not know: what the tests test.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { filesBelow, removeOrphans, typescriptSources } from './shared/freshness.mjs'
import { compileTools } from './build-scenes.mjs'
import { inRoot, toolCommand } from './shared/paths.mjs'
import { runNative } from './shared/native-run.mjs'
import { runStep } from './shared/progress.mjs'
import { runTap } from './shared/run-tap.mjs'
import { buildTargets, doctestFolder, targets } from './shared/test-tree.mjs'
import { guarded, setUp } from './setup.mjs'

/** Parts of test files' paths below test/; `native` names the C++ tests. */
const filters = process.argv
  .slice(2)
  .map((filter) => filter.replace(/^(dist-)?test\//, '').replace(/\.(test\.)?[tj]s$/, ''))
const isWanted = (name) => filters.length === 0 || filters.some((filter) => name.includes(filter))

await guarded(async () => {
  await setUp()
  await compileTools()
  removeOrphans(inRoot('dist-test'), (output) => typescriptSources(inRoot('test'), output))
  await runStep('Compiling tests', toolCommand('typescript/bin/tsc', '-p', inRoot('test', 'tsconfig.json')))
})

const files = filesBelow(inRoot('dist-test'))
  .map((file) => path.relative(inRoot('dist-test'), file).replaceAll(path.sep, '/'))
  .filter((file) => file.endsWith('.test.js') && isWanted(file.replace(/\.test\.js$/, '')))
const runs = []
const has = (part) => files.some((file) => path.basename(file).startsWith(part))
const built = [
  ...(has('gpu-binding') ? targets.double : []),
  ...(has('accuracy') || has('scene') || has('content-free') ? targets.scenes : []),
  ...(isWanted('native') && doctestFolder() !== undefined ? targets.native : []),
]
if (built.length > 0) await guarded(() => buildTargets('Building what tests need', built))

/** For temporary files, so that what is left behind shows. */
const temporary = mkdtempSync(path.join(os.tmpdir(), 'video-depth-tests-'))
for (const name of ['TMPDIR', 'TMP', 'TEMP']) process.env[name] = temporary
process.once('exit', () => rmSync(temporary, { recursive: true, force: true }))
if (files.length > 0) runs.push(await runTap(files.map((file) => `dist-test/${file}`)))
if (isWanted('native')) runs.push(await runNative())
// ONNX Runtime, which tests run graphs with, makes these, an empty log for each process and a session's number; no option keeps it from that.
const left = readdirSync(temporary).filter((name) => !/^(mat-debug-.*\.log|\.ses)$/.test(name))
if (left.length > 0) {
  const failures = left.map((name) => `left in the temporary folder: ${name}`)
  runs.push({ passed: 0, failed: left.length, skipped: [], failures })
}

const passed = runs.reduce((sum, run) => sum + run.passed, 0)
const failures = runs.flatMap((run) => run.failures)
const failed = runs.reduce((sum, run) => sum + run.failed, 0)
const skipped = runs.flatMap((run) => run.skipped)
if (skipped.length > 0) console.log('\nSkipped:')
for (const { name, reason } of skipped) console.log(`  ${name}: ${reason}`)
if (failures.length > 0) console.log('\nFailed:')
for (const name of failures) console.log(`  ${name}`)
if (passed + failed + skipped.length === 0) {
  console.error(`\nNo test matches ${filters.join(', ')}`)
  process.exitCode = 1
}
console.log(`\n${passed} passed, ${failed} failed, ${skipped.length} skipped`)
if (failed > 0) process.exitCode = 1
