// Owns: whether a checkpoint may be what the user says that it is: one of disparity or one of depth in metres.
// Must not know: how a file is read or hashed, engines.

import path from 'node:path'
import { optionConflict } from '../../base/errors.js'
import type { Recipe } from './recipe.js'

/**
 * Relative and metric checkpoints have the same tensors: which one a file is, is known for published files alone.
 *
 * @param recipe of the file, by its SHA-256
 * @throws VideoDepthError INVALID_OPTION where the file is known to be of the other kind
 */
export function refuseOtherKind(checkpoint: string, metric: boolean, recipe: Recipe | undefined): void {
  if (recipe === undefined || (recipe.kind === 'metric') === metric) return
  const what = `${path.basename(checkpoint)} (${recipe.title})`
  throw optionConflict(
    metric
      ? `${what} gives disparity, not metres: leave metric (--metric) out`
      : `${what} gives depth in metres: load it with metric: true (--metric)`,
  )
}

/** A sentence where the name of a file that is not known speaks against what the user says. */
export function kindDoubt(checkpoint: string, metric: boolean): string | undefined {
  const name = path.basename(checkpoint)
  if (/metric/i.test(name) === metric) return undefined
  return metric
    ? `Nothing in the name of ${name} says that it gives metric depth, as metric (--metric) takes it. ` +
        'If it gives disparity, every distance is wrong.'
    : `The name of ${name} says that it gives metric depth, but it is taken for disparity. ` +
        'If it gives metres, load it with metric: true (--metric).'
}
