// Owns: every reader of depth files, as a mutation run calls it: all of a file is read.
// Must not know: what was mutated.

import { createHash } from 'node:crypto'
import type { Plane } from '../../dist/esm/evaluate/plane.js'
import { readDepthImage, readOpacity } from '../../dist/esm/evaluate/files/depth-image.js'
import { readFlow } from '../../dist/esm/evaluate/files/flow.js'
import { readManifest } from '../../dist/esm/evaluate/files/manifest.js'
import { openDepth } from '../../dist/esm/evaluate/files/open-depth.js'
import type { Readers } from './mutation.js'

/** A fingerprint of all values; what the files say of the kind is no part of it. */
async function sequence(path: string): Promise<string> {
  const depth = await openDepth(path)
  const hash = createHash('sha256')
  for await (const { data, width, height } of depth.frames(0, depth.length))
    hash.update(`${width}×${height}`).update(data)
  return hash.digest('hex')
}

const image = async (path: string): Promise<string> => fingerprint(await readDepthImage(path))
const fingerprint = ({ data, width, height }: Plane): string =>
  createHash('sha256').update(`${width}×${height}`).update(data).digest('hex')

export const readers: Readers = {
  npz: sequence,
  'npy stack': sequence,
  raw: sequence,
  folder: sequence,
  'png map': image,
  'npy map': image,
  pfm: image,
  exr: image,
  opacity: readOpacity,
  flow: readFlow,
  manifest: (path) => readManifest(path),
}
