// Owns: a description of a checkpoint for a person, made without converting it.
// Must not know: the command line, engines, caches.

import { checkPath, known, type Names } from '../../base/known-options.js'
import { checkpointArchitecture, type Architecture } from './architecture.js'
import { openCheckpoint, type Checkpoint, type CheckpointOptions } from './checkpoint.js'
import { bytesPerFloat, type FloatType } from './float-formats.js'
import { licenseNote, matchRecipes, type Recipe } from './recipe.js'

/** What a checkpoint file holds. */
export interface CheckpointDescription {
  readonly path: string
  readonly format: 'pth' | 'safetensors'
  readonly tensorCount: number
  /** Elements of all tensors. */
  readonly parameterCount: number
  /** Bytes of all tensors as stored. */
  readonly tensorBytes: number
  readonly dtypes: readonly { readonly dtype: FloatType; readonly tensorCount: number }[]
  readonly architecture: Architecture
  /** Keys of all sets of weights in the file; `.` for one that lies under none. */
  readonly weightsKeys: readonly string[]
  /** Full names of tensors beside the network's weights, such as an optimizer's: not used. */
  readonly beside: readonly string[]
  /** Published checkpoints with these shapes: usually a relative and a metric one, which nothing but their source tells apart. */
  readonly recipes: readonly Recipe[]
  readonly licenseNote: string
  /** True where every weight was read and found finite; undefined where that was not asked for. */
  readonly finite: true | undefined
}

/** Options of `describeCheckpoint`. */
export interface DescribeOptions extends CheckpointOptions {
  /** Reads every weight; rejects with WEIGHTS_NOT_FINITE at the first that is not finite. Costs one pass over the file. */
  readonly checkFinite?: boolean
}

const optionNames: Names<DescribeOptions> = {
  checkFinite: true,
  weightsKey: true,
}

/**
 * @throws VideoDepthError INVALID_OPTION, CHECKPOINT_UNREADABLE, CHECKPOINT_FORBIDDEN, CHECKPOINT_MISMATCH, WEIGHTS_NOT_FINITE
 */
export async function describeCheckpoint(path: string, options: DescribeOptions = {}): Promise<CheckpointDescription> {
  checkPath(path, 'path')
  known(options, 'options', optionNames)
  const checkpoint = await openCheckpoint(path, options)
  try {
    const architecture = checkpointArchitecture(checkpoint)
    if (options.checkFinite === true) for (const name of checkpoint.tensors.keys()) await checkpoint.read(name)
    const matching = matchRecipes(architecture)
    return {
      path,
      format: checkpoint.format,
      ...count(checkpoint),
      architecture,
      weightsKeys: checkpoint.weightsKeys,
      beside: checkpoint.beside,
      recipes: matching,
      licenseNote: licenseNote(matching),
      finite: options.checkFinite === true ? true : undefined,
    }
  } finally {
    await checkpoint.close()
  }
}

function count(
  checkpoint: Checkpoint,
): Pick<CheckpointDescription, 'tensorCount' | 'parameterCount' | 'tensorBytes' | 'dtypes'> {
  const dtypes = new Map<FloatType, number>()
  let parameterCount = 0
  let tensorBytes = 0
  for (const { dtype, shape } of checkpoint.tensors.values()) {
    const elements = shape.reduce((a, b) => a * b, 1)
    parameterCount += elements
    tensorBytes += elements * bytesPerFloat[dtype]
    dtypes.set(dtype, (dtypes.get(dtype) ?? 0) + 1)
  }
  return {
    tensorCount: checkpoint.tensors.size,
    parameterCount,
    tensorBytes,
    dtypes: [...dtypes].map(([dtype, tensorCount]) => ({ dtype, tensorCount })),
  }
}
