// Owns: running compiled test files, each in a process of its own, and showing how they end.
// Must not know: how tests are compiled, native tests.

import { spawn } from 'node:child_process'
import path from 'node:path'
import { root } from './paths.mjs'
import { countTap, failedLines } from './tap-results.mjs'

/** Two files at once: several load a network, which takes all processors by itself. */
const jobs = 2
const timeoutSeconds = 900
/** A file that does not even end itself then is killed. */
const graceSeconds = 20

/**
 * Files run as plain Node programs: the tap command's loaders cannot resolve the patterns in package.json's `imports`.
 *
 * @param {string[]} files compiled tests, relative to the repository
 * @returns {Promise<import('./tap-results.mjs').Results[]>} one a file
 */
export async function runTap(files) {
  const waiting = [...files]
  const results = []
  const work = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) results.push(await runFile(file))
  }
  await Promise.all(Array.from({ length: jobs }, work))
  return results
}

async function runFile(file) {
  const started = performance.now()
  const name = path.basename(file, '.test.js')
  const { output, ending } = await capture(file)
  const results = countTap(name, output)
  if (ending !== 'exit code 0' && results.failed === 0) {
    results.failed = 1
    results.failures.push(`${name}: ${ending}`)
  } else if (results.passed + results.failed + results.skipped.length === 0) {
    results.failed = 1
    results.failures.push(`${name}: no test ran`)
  }
  const counts = `${results.passed} passed, ${results.failed} failed, ${results.skipped.length} skipped`
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${results.failed === 0 ? 'ok    ' : 'FAILED'}  ${name}  ${counts}  (${seconds} s)`)
  if (results.failed > 0) console.log(`${failedLines(output).replace(/^/gm, '    ')}\n    ${ending}`)
  return results
}

function capture(file) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--enable-source-maps', file], {
      cwd: root,
      env: { ...process.env, TAP: '1', TAP_TIMEOUT: String(timeoutSeconds) },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const timer = setTimeout(() => child.kill('SIGKILL'), (timeoutSeconds + graceSeconds) * 1000)
    let output = ''
    const collect = (chunk) => void (output += chunk)
    child.stdout.setEncoding('utf8').on('data', collect)
    child.stderr.setEncoding('utf8').on('data', collect)
    const settle = (ending) => {
      clearTimeout(timer)
      resolve({ output, ending })
    }
    child.on('error', (error) => settle(error.message))
    child.on('close', (code, signal) => settle(signal === null ? `exit code ${code}` : `ended by ${signal}`))
  })
}
