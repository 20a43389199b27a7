// Owns: a stream's options, their defaults and their checks.
// Must not know: what the options do.

import { checkSceneCuts, type SceneCutOptions, type SceneCutRule } from '../cuts/cut-detector.js'
import { invalidOption, optionConflict } from '../base/errors.js'
import { checkSignal, checkWhole, known, oneOf, type Checked, type Names } from '../base/known-options.js'
import { queuePolicies, type QueuePolicy } from './mailbox.js'

/** What `VideoDepth.stream` takes. */
export interface StreamOptions {
  /**
   * `all` (default): every frame pushed is computed, in order. `latest`: of the frames that wait only the newest is
   * computed; the others are dropped and counted. For cameras that are faster than the network.
   */
  readonly queue?: QueuePolicy
  /** With `all`: frames of `push` that may wait, 1…4096, each a copy in memory; it rejects beyond. Default 32. */
  readonly queueLimit?: number
  /** Begin anew where the content changes as at a film's cut. Default false; true takes PySceneDetect's defaults. */
  readonly sceneCuts?: boolean | SceneCutOptions
  /**
   * Hold each frame's disparity to the scale and shift of frame 31, the first whose memory the first frame no longer fills, by
   * least squares over all pixels, smoothed over 8 frames; where a frame no longer resembles that one, the last values stay.
   * For cameras that stand still. Default false. Not for metric models.
   */
  readonly stabilize?: boolean
  /** Closes the stream; what is waited for rejects with its reason. */
  readonly signal?: AbortSignal
}

export interface CheckedStreamOptions extends Omit<
  Checked<StreamOptions, 'queue' | 'queueLimit' | 'stabilize'>,
  'sceneCuts'
> {
  readonly sceneCuts: SceneCutRule | undefined
}

const mostQueued = 4096

const names: Names<StreamOptions> = { queue: true, queueLimit: true, sceneCuts: true, stabilize: true, signal: true }

/** @throws VideoDepthError INVALID_OPTION naming the option, what it may be, and what came */
export function checkStreamOptions(options: StreamOptions, metric: boolean): CheckedStreamOptions {
  known(options, 'options', names)
  const { queue = 'all', queueLimit = 32, stabilize = false, signal } = options
  if (queue === 'latest' && options.queueLimit !== undefined)
    throw optionConflict("queueLimit has no effect with queue 'latest', where one frame waits: remove it")
  oneOf(queue, 'queue', queuePolicies)
  checkWhole(queueLimit, 'queueLimit', 1, mostQueued)
  if (typeof stabilize !== 'boolean') throw invalidOption('true or false', 'stabilize', stabilize)
  if (stabilize && metric) throw optionConflict('stabilize needs a disparity model: metric depth is not rescaled')
  checkSignal(signal)
  return { queue, queueLimit, sceneCuts: checkSceneCuts(options.sceneCuts), stabilize, signal }
}
