// Owns: checkpoints of published sizes with seeded weights, for tests.
// Must not know: what is tested.

import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { fixtures } from './checkpoint-files.js'

interface SeededCheckpoints {
  readonly writeSeededCheckpoint: (size: string, file: string, seed?: number, depth?: number) => Promise<void>
}

/** @param depth encoder blocks, where fewer than the size's own will do; @returns path of a new file in `folder` */
export async function seededCheckpoint(size: 'S' | 'B' | 'L', folder: string, depth?: number): Promise<string> {
  const script = path.resolve(fixtures, '../../benchmarks/seeded-checkpoint.mjs')
  const { writeSeededCheckpoint } = (await import(pathToFileURL(script).href)) as SeededCheckpoints
  const file = path.join(folder, `${size}.safetensors`)
  await writeSeededCheckpoint(size, file, undefined, depth)
  return file
}
