// Owns: the directions of `#include`: which folder of the core stands on which, and that it knows nothing of Node.js.
// Must not know: what is in the folders.

import { readFileSync } from 'node:fs'
import path from 'node:path'
import { filesBelow } from './shared/freshness.mjs'
import { inRoot } from './shared/paths.mjs'

/** Each may include itself, what stands after it, and the files that lie in cpp/ itself. */
const floors = ['gpu', 'tensorrt', 'cuda', 'cpu', 'stitch', 'image']
const problems = []
let count = 0
for (const file of filesBelow(inRoot('cpp')).filter((name) => /\.(h|cpp|cu|cuh)$/.test(name))) {
  const parts = path.relative(inRoot('cpp'), file).split(path.sep)
  const own = parts.length > 1 ? floors.indexOf(parts[0]) : floors.length
  const name = path.join('cpp', ...parts)
  if (own < 0) problems.push(`${name}: its folder has no floor in scripts/check-includes.mjs`)
  for (const [, included] of readFileSync(file, 'utf8').matchAll(/^#include ["<]([^">]+)[">]/gm)) {
    count++
    const folder = included.includes('/') ? floors.indexOf(included.split('/')[0]) : -1
    if (/^(napi|node_api)/.test(included))
      problems.push(`${name} includes ${included}: the core knows nothing of Node.js`)
    if (folder >= 0 && folder < own) problems.push(`${name} includes ${included}, which stands above it`)
  }
}
for (const problem of problems) console.error(problem)
if (count === 0) throw new Error('Expected #include lines in cpp/, found none')
if (problems.length > 0) process.exit(1)
console.log(`${count} includes point downwards.`)
