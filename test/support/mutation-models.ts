// Owns: what the mutation run reads of models: in its child.
// Must not know: how files are mutated.

import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { readManifest } from '../../dist/esm/prepare/graph/manifest.js'
import { prepareEncoder } from '../../dist/esm/prepare/graph/prepare-graphs.js'
import { prepareWeights } from '../../dist/esm/prepare/graph/prepare-weights.js'
import { VideoDepthError } from '../../dist/esm/base/errors.js'
import { completeArchitecture } from '../../dist/esm/prepare/checkpoint/architecture.js'
import { openCheckpoint } from '../../dist/esm/prepare/checkpoint/checkpoint.js'
import { describeCheckpoint } from '../../dist/esm/prepare/checkpoint/describe.js'
import { readPickle } from '../../dist/esm/prepare/checkpoint/pickle.js'
import { torchHost } from '../../dist/esm/prepare/checkpoint/torch-objects.js'
import { decodeSnapshot } from '../../dist/esm/stream/snapshot.js'
import type { Readers } from './mutation.js'

/** All tensors, whatever they are of. */
async function tensors(file: string): Promise<string> {
  const checkpoint = await openCheckpoint(file)
  try {
    const found: string[] = []
    for (const name of checkpoint.tensors.keys()) found.push(`${name} ${(await checkpoint.read(name)).join()}`)
    return found.join('\n')
  } finally {
    await checkpoint.close()
  }
}

async function cache(manifest: string): Promise<string> {
  const folder = path.dirname(manifest)
  const dimensions = await readManifest(folder, 'fp32', {})
  if (dimensions === undefined) throw new VideoDepthError('CHECKPOINT_UNREADABLE', 'to be converted again')
  const architecture = completeArchitecture(dimensions)
  const weights = { folder, sha256: '', recipe: undefined, architecture, precision: 'fp32', cacheHit: true } as const
  const shape = { rows: 5, cols: 9, encoderBatch: 1 }
  // A graph or record that is not what was written is made again.
  return JSON.stringify([dimensions, (await prepareEncoder(weights, shape)).ports])
}

async function wholeCache(record: string): Promise<string> {
  const cacheDir = path.join(path.dirname(record), '..')
  const checkpoint = path.join(cacheDir, 'tiny.pth')
  const { architecture } = await prepareWeights({ checkpoint, cacheDir, precision: 'fp32' })
  return JSON.stringify(architecture)
}

export const readers: Readers = {
  pth: tensors,
  safetensors: tensors,
  described: async (file) => JSON.stringify(await describeCheckpoint(file, { checkFinite: true })),
  pickle: async (file) => typeof readPickle(await readFile(file), torchHost),
  snapshot: async (file) => JSON.stringify(await decodeSnapshot(await readFile(file))),
  cache,
  'whole cache': wholeCache,
}
