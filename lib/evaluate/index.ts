// Owns: the public names of `video-depth/evaluate`; re-exports only.
// Must not know: anything else.

export {
  evaluateVideo,
  type BoundaryResult,
  type RecallResult,
  type EvaluationFrame,
  type Measure,
  type VideoEvaluation,
  type VideoEvaluationOptions,
} from './video-evaluation.js'
export { boundaryRecall, type MaskedDepth } from './boundary.js'
export type { EvaluationResult, FrameResult } from './depth-evaluation.js'
export type { LineFit } from './depth-error.js'
export type { DepthScores, FrameScores } from './depth-scores.js'
export type { DerivativeErrors } from './derivative-errors.js'
export type { AlignmentMode, AlignmentSpace, Crop, EvaluationOptions, Slice } from './evaluation-options.js'
export type { FlowErrors } from './flow-errors.js'
export type { Fit } from './line-moments.js'
export type { Matrix4 } from './matrix4.js'
export type { Plane } from './plane.js'
export type { FramePair } from './prepared-frame.js'
export { protocols, type Protocol, type ProtocolName } from './protocols.js'
export type { Intrinsics, TemporalAlignment } from './temporal-alignment.js'
export type { TrainingLosses } from './training-loss.js'
export type { SeamErrors } from './window-seams.js'
export { openDepth } from './files/open-depth.js'
export type { DepthSequence } from './files/depth-sequence.js'
export { readDepthImage, readOpacity } from './files/depth-image.js'
export { readFlow, type Flow } from './files/flow.js'
