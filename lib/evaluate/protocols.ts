// Owns: how the field evaluates on each data set: range, crop, how many frames.
// Must not know: files, how anything is measured.

import { invalidOption } from '../base/errors.js'
import type { EvaluationOptions } from './evaluation-options.js'

/**
 * A data set's protocol as Video Depth Anything's benchmark has it (benchmark/eval/eval.py, eval_tae.py). Its minimum of
 * 0.1 m is named there but not applied: depth counts from 0.001 m.
 */
export interface Protocol extends Pick<EvaluationOptions, 'maxDepth' | 'crop' | 'cropPrediction'> {
  readonly name: ProtocolName
  /** Under which a manifest lists the data set's videos, and the folder of predictions. */
  readonly dataset: string
  /** Frames `[from, to)` of each video. */
  readonly frames: readonly [from: number, to: number]
  /** At most this many videos, the first ones; undefined: all. */
  readonly videos?: number
}

/** A data set, and how many frames of each video count. */
export type ProtocolName =
  'kitti' | 'kitti_500' | 'sintel' | 'nyuv2_500' | 'bonn' | 'bonn_500' | 'scannet' | 'scannet_500' | 'scannet_tae'

const kitti = { dataset: 'kitti', maxDepth: 80, crop: { rows: [0, 374], columns: [0, 1242] } } as const
const bonn = { dataset: 'bonn', maxDepth: 10, crop: { rows: [0, 480], columns: [0, 640] } } as const
const scannet = { dataset: 'scannet', maxDepth: 10, crop: { rows: [8, -8], columns: [11, -11] } } as const

/** How upstream evaluates each data set: range, crop and frames. */
export const protocols: readonly Protocol[] = [
  { name: 'kitti', ...kitti, frames: [0, 110] },
  { name: 'kitti_500', ...kitti, frames: [0, 500] },
  {
    name: 'sintel',
    dataset: 'sintel',
    maxDepth: 70,
    crop: { rows: [0, 436], columns: [0, 1024] },
    frames: [0, 100],
  },
  {
    name: 'nyuv2_500',
    dataset: 'nyuv2',
    maxDepth: 10,
    crop: { rows: [45, 471], columns: [41, 601] },
    frames: [0, 500],
  },
  { name: 'bonn', ...bonn, frames: [0, 110] },
  { name: 'bonn_500', ...bonn, frames: [0, 500] },
  { name: 'scannet', ...scannet, frames: [0, 90] },
  { name: 'scannet_500', ...scannet, frames: [0, 500] },
  // For the temporal alignment error: predictions are of whole frames.
  { name: 'scannet_tae', ...scannet, cropPrediction: true, frames: [10, 180], videos: 20 },
]

/** @throws VideoDepthError INVALID_OPTION */
export function protocolNamed(name: string): Protocol {
  const found = protocols.find((protocol) => protocol.name === name)
  if (found !== undefined) return found
  throw invalidOption(`one of ${protocols.map((protocol) => protocol.name).join(', ')}`, 'protocol', name)
}
