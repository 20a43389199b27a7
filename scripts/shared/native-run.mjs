// Owns: running the C++ tests and counting what came of them.
// Must not know: how they are built.

import { spawn } from 'node:child_process'
import { inRoot, root } from './paths.mjs'

const summary = /^\[doctest\] test cases: *\d+ *\| *(\d+) passed *\| *(\d+) failed *\| *(\d+) skipped/gm

/** @returns {Promise<import('./run-tap.mjs').Results>} */
export async function runNative() {
  console.log('\nNative tests')
  const { code, output } = await run()
  const results = { passed: 0, failed: 0, skipped: [], failures: [] }
  for (const [, passed, failed, skipped] of output.matchAll(summary)) {
    results.passed += Number(passed)
    results.failed += Number(failed)
    for (let i = 0; i < Number(skipped); i++)
      results.skipped.push({ name: 'a native test', reason: 'marked skip in its source' })
  }
  for (const [, reason] of output.matchAll(/^SKIP\b:? *(.*)$/gm)) results.skipped.push({ name: 'native tests', reason })
  if (results.failed > 0) results.failures.push('native tests; see above')
  const ranNothing = results.passed + results.failed + results.skipped.length === 0
  if ((code !== 0 || ranNothing) && results.failed === 0) {
    results.failed = 1
    results.failures.push(`native tests: ${code === 0 ? 'no test ran' : `exit code ${code}`}`)
  }
  return results
}

function run() {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [inRoot('scripts', 'test-native.mjs')], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      output += chunk
      process.stdout.write(chunk)
    })
    child.on('close', (code) => resolve({ code, output: output.replace(/\x1b\[[0-9;]*m/g, '') })).on('error', reject)
  })
}
