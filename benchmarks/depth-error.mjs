// Owns: the depth error between two runs of the pipeline over the same clip, by way of float32 files.
// Must not know: how the error is defined; lib/evaluate does.

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { alignment, depthError } from '../dist/esm/evaluate/depth-error.js'
import { results } from './shared.mjs'

/**
 * Untimed: one pass of each.
 *
 * @param pass (name, output) runs the subject's pipeline into that output
 * @param names the first one is the reference
 * @returns errors of the others, by name
 */
export async function depthErrors(names, pass, { width, height }) {
  const folder = await mkdtemp(path.join(results, 'depth-'))
  const file = (name) => path.join(folder, `${name}.f32`)
  try {
    for (const name of names) {
      process.stderr.write(`depth of ${name}, untimed\n`)
      pass(name, { format: 'raw', path: file(name) })
    }
    const [reference, ...tests] = names
    const wanted = await maps(file(reference), width * height)
    const errors = {}
    for (const test of tests) {
      const found = await maps(file(test), width * height)
      errors[test] = depthError(found, wanted, alignment(found, wanted))
    }
    return errors
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** @param pixels a frame */
async function maps(file, pixels) {
  const { buffer, byteOffset, byteLength } = await readFile(file)
  const values = new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength))
  return Array.from({ length: values.length / pixels }, (_, i) => values.subarray(i * pixels, (i + 1) * pixels))
}
