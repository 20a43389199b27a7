// Owns: the depth error between two runs of the pipeline over the same clip, by way of float32 files.
// Must not know: how the error is defined; lib/evaluate does.

import { mkdtemp, open, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { depthError } from '#lib/evaluate/depth-error.js'
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
    const errors = {}
    for (const test of tests)
      errors[test] = await depthError(() => framePairs(file(reference), file(test), width * height))
    return errors
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** @param pixels a frame */
async function* framePairs(referenceFile, testFile, pixels) {
  const bytes = pixels * Float32Array.BYTES_PER_ELEMENT
  const [{ size }, { size: testSize }] = await Promise.all([stat(referenceFile), stat(testFile)])
  if (size !== testSize || size % bytes !== 0)
    throw new Error(`Expected frames of ${bytes} bytes and ${size} in all for ${testFile}, received ${testSize}`)
  const [reference, test] = [new Float32Array(pixels), new Float32Array(pixels)]
  const files = [await open(referenceFile), await open(testFile)]
  try {
    for (let position = 0; position < size; position += bytes) {
      await files[0].read(new Uint8Array(reference.buffer), 0, bytes, position)
      await files[1].read(new Uint8Array(test.buffer), 0, bytes, position)
      yield { reference, test }
    }
  } finally {
    await Promise.all(files.map((handle) => handle.close()))
  }
}
