// Owns: running compiled test files with tap's command line (`.taprc`), and a line for each as it ends.
// Must not know: how tests are compiled, native tests.

import { spawn } from 'node:child_process'
import { inRoot, root } from './paths.mjs'

/**
 * @typedef {{ name: string, reason: string }} Skip
 * @typedef {{ passed: number, failed: number, skipped: Skip[], failures: string[] }} Results
 */

/**
 * @param {string[]} files compiled tests, relative to the repository
 * @returns {Promise<Results>} a test is a `t.test()` at the top of a file; skipped are also points inside of one
 */
export async function runTap(files) {
  // Not an import: scripts/test.mjs begins on a clone where nothing is installed yet.
  const { Parser } = await import('tap-parser')
  const results = { passed: 0, failed: 0, skipped: [], failures: [] }
  const parser = new Parser()
  parser.on('child', (file) => watchFile(file, results))
  const command = [inRoot('node_modules/tap/dist/esm/run.mjs'), '--reporter=tap', ...files]
  // tap compiles its plugins once, with a compiler that would leave its cache in the temporary folder.
  const env = { ...process.env, DISABLE_V8_COMPILE_CACHE: '1' }
  const child = spawn(process.execPath, command, { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise((resolve, reject) => parser.on('complete', resolve) && child.on('error', reject))
  const closed = new Promise((resolve) => child.on('close', resolve))
  child.stdout.pipe(parser)
  await ended
  const code = await closed
  if (code !== 0 && results.failed === 0) fail(results, `tap ended with exit code ${code}`)
  return results
}

function fail(results, name) {
  results.failed++
  results.failures.push(name)
}

/** Adds a file's tests to `results`, and prints what came of them with the diagnostics of what failed. */
function watchFile(file, results) {
  const name = file.name.replace(/^dist-test\//, '').replace(/\.test\.js$/, '')
  const own = { passed: 0, failed: 0, skipped: [], failures: [] }
  const details = []
  watchPoints(file, name, own, details)
  file.on('assert', ({ ok, name: test, skip, todo }) => {
    if (!ok && !todo && !skip) fail(own, `${name}: ${test}`)
    else if (!skip && !todo) own.passed++
  })
  file.on('complete', ({ bailout, plan, time }) => {
    const { skipReason } = plan
    if (skipReason && skipReason !== 'no tests found') own.skipped.push({ name, reason: skipReason })
    if (bailout) fail(own, `${name}: ${bailout}`)
    if (own.passed + own.failed + own.skipped.length === 0) fail(own, `${name}: no test ran`)
    const counts = `${own.passed} passed, ${own.failed} failed, ${own.skipped.length} skipped`
    console.log(`${own.failed === 0 ? 'ok    ' : 'FAILED'}  ${name}  ${counts}  (${(time / 1000).toFixed(1)} s)`)
    if (own.failed > 0) console.log(details.join('\n').replace(/^/gm, '    '))
    results.passed += own.passed
    results.failed += own.failed
    results.skipped.push(...own.skipped)
    results.failures.push(...own.failures)
  })
}

/** Skipped points and failed ones at every depth. */
function watchPoints(parser, name, own, details) {
  parser.on('child', (child) => watchPoints(child, name, own, details))
  parser.on('extra', (line) => details.push(line.trimEnd()))
  parser.on('assert', ({ ok, fullname, skip, todo, diag }) => {
    const reason = skip || todo
    if (reason)
      own.skipped.push({ name: `${name}: ${fullname}`, reason: reason === true ? 'without a reason' : reason })
    else if (!ok) details.push(`not ok ${fullname}`, ...(diag ? [JSON.stringify(diag, null, 2)] : []))
  })
}
