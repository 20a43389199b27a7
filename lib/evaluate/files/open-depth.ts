// Owns: which reader opens a path that depth maps are kept at.
// Must not know: what any format looks like.

import { stat } from 'node:fs/promises'
import { extname } from 'node:path'
import { checkPath } from '../../base/known-options.js'
import { openDepthFolder } from './depth-folder.js'
import type { DepthSequence } from './depth-sequence.js'
import { openNpzStack } from './npz-stack.js'
import { openNpyStack, openRawStack } from './stack-file.js'
import { readError, unreadable } from './unreadable.js'

const openers: ReadonlyMap<string, (path: string) => Promise<DepthSequence>> = new Map([
  ['.npz', openNpzStack],
  ['.npy', openNpyStack],
  ['.f32', openRawStack],
])

/** Endings of files that hold a whole video. */
export const stackExtensions: readonly string[] = [...openers.keys()]

/**
 * Depth maps of a video: `.npz` (array `depths`, or its only one) and `.npy` of [frames, height, width], `.f32` with its
 * `.json` beside it, or a folder of PNG, NPY, EXR or PFM files.
 *
 * @throws VideoDepthError SOURCE_UNREADABLE, INVALID_OPTION
 */
export async function openDepth(path: string): Promise<DepthSequence> {
  checkPath(path, 'path')
  const found = await stat(path).catch((cause: unknown) => {
    throw readError(path, cause)
  })
  if (found.isDirectory()) return openDepthFolder(path)
  const open = openers.get(extname(path).toLowerCase())
  if (open !== undefined) return open(path)
  throw unreadable(path, `expected a folder, or a file that ends in ${stackExtensions.join(', ')}`)
}
