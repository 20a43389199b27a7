// Owns: turning a checkpoint into a weights file, once, and finding it again.
// Must not know: graphs, engines, videos.

import { createHash } from 'node:crypto'
import path from 'node:path'
import { VideoDepthError } from '../../base/errors.js'
import { checkpointArchitecture, completeArchitecture, type Architecture } from '../checkpoint/architecture.js'
import { openCheckpoint } from '../checkpoint/checkpoint.js'
import { refuseOtherKind } from '../checkpoint/depth-kind.js'
import { recipeOf, type Recipe } from '../checkpoint/recipe.js'
import { emitterVersion } from './builder.js'
import { defaultCacheDir, openCacheFolder, removeAllLeftovers, writeAtomically } from '../../cache/cache-folder.js'
import { checkpointRecord, fileHash, fileIdentity, sameIdentity } from '../../cache/file-hash.js'
import { readManifest, writeManifest } from './manifest.js'
import { weightsIndex, writeWeights } from './weights-file.js'
import type { Precision } from './weights.js'

export interface PrepareProgress {
  /** `hash` is told for the checkpoint, then for weights that were converted before; not for a file known as it is. */
  readonly phase: 'hash' | 'convert'
  /** 0…1 within the phase. */
  readonly fraction: number
}

export interface PrepareWeightsOptions {
  /** Path of a `.pth` or `.safetensors` file. */
  readonly checkpoint: string
  /** Default: {@link defaultCacheDir}. */
  readonly cacheDir?: string | undefined
  readonly precision: Precision
  /** Default: those in engines/. */
  readonly recipes?: readonly Recipe[]
  /** Under which key of the file the weights lie; needed where it holds several sets. */
  readonly weightsKey?: string | undefined
  /** What the user takes the checkpoint for: refused where it is known to be of the other kind. Undefined: no matter. */
  readonly metric?: boolean | undefined
  /** Looked at between tensors; rejects with its reason, and what was being written is removed. */
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: PrepareProgress) => void
}

/** Plain data. */
export interface PreparedWeights {
  /** Holds the weights file and all graphs of this checkpoint. */
  readonly folder: string
  /** Hash of the checkpoint file, and of the weightsKey where there is one, hex. Tells these weights from all others. */
  readonly sha256: string
  /** The published file that this is. */
  readonly recipe: Recipe | undefined
  readonly architecture: Architecture
  readonly precision: Precision
  /** The checkpoint was not converted now. */
  readonly cacheHit: boolean
}

/**
 * Validates the checkpoint and converts its weights, or finds them in the cache: by the file's SHA-256, which is
 * itself remembered by path, size, time and inode. Memory beyond this call's own: a few of the largest tensors.
 *
 * @throws VideoDepthError CHECKPOINT_…, WEIGHTS_NOT_FINITE, CACHE_UNWRITABLE; INVALID_OPTION for weightsKey, metric
 */
export async function prepareWeights(options: PrepareWeightsOptions): Promise<PreparedWeights> {
  const { checkpoint, precision, weightsKey, metric, signal, onProgress } = options
  signal?.throwIfAborted()
  const cacheDir = path.resolve(options.cacheDir ?? defaultCacheDir())
  const identity = await fileIdentity(checkpoint)
  const hashing = { signal, onProgress: (fraction: number) => onProgress?.({ phase: 'hash', fraction }) }
  const fileSha256 = await fileHash(identity, checkpointRecord(cacheDir, identity), hashing)
  const recipe = recipeOf(fileSha256)
  if (metric !== undefined) refuseOtherKind(checkpoint, metric, recipe)
  const sha256 = weightsKey === undefined ? fileSha256 : sha256Of(`${fileSha256} ${weightsKey}`)
  const folder = path.join(cacheDir, 'models', `${sha256.slice(0, 32)}-v${emitterVersion}`)
  await removeAllLeftovers(cacheDir)
  const known = await readManifest(folder, precision, hashing)
  if (known !== undefined) {
    const architecture = completeArchitecture(known, options.recipes)
    return { folder, sha256, recipe, architecture, precision, cacheHit: true }
  }
  const { architecture, weightsSha256 } = await convert(options, folder)
  if (!sameIdentity(identity, await fileIdentity(checkpoint))) {
    throw new VideoDepthError(
      'CHECKPOINT_UNREADABLE',
      `Checkpoint ${checkpoint} was changed while it was read; try again`,
    )
  }
  await writeManifest(folder, precision, architecture, weightsSha256)
  return { folder, sha256, recipe, architecture, precision, cacheHit: false }
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

async function convert(
  { checkpoint: file, precision, weightsKey, recipes, signal, onProgress }: PrepareWeightsOptions,
  folder: string,
): Promise<{ architecture: Architecture; weightsSha256: string }> {
  const checkpoint = await openCheckpoint(file, { weightsKey })
  try {
    const architecture = checkpointArchitecture(checkpoint, recipes)
    const { file: name } = weightsIndex(architecture, precision)
    await openCacheFolder(folder)
    let weightsSha256 = ''
    await writeAtomically(folder, name, async (target) => {
      weightsSha256 = await writeWeights(target, checkpoint, architecture, precision, {
        signal,
        onProgress: (fraction) => onProgress?.({ phase: 'convert', fraction }),
      })
    })
    return { architecture, weightsSha256 }
  } finally {
    await checkpoint.close()
  }
}
