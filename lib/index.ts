// Owns: the package's public names; re-exports only.
// Must not know: anything else.

export { VideoDepth } from './video-depth.js'
export { DepthRun, type RunSummary } from './depth-run.js'
export type { LoadOptions, ProcessOptions, ProcessProgress } from './options.js'
export type { LoadProgress } from './engine/cpu-protocol.js'
export type { EngineTimings } from './engine/engine.js'
export type { Alignment, DepthFrame, DepthKind, RgbFrame } from './frame.js'
export { VideoDepthError, type ErrorCode } from './errors.js'
export type { Architecture } from './model/architecture.js'
export { networkInputSize, type InputSize } from './model/input-size.js'
export type { FrameSource, SourceInfo, SourceOptions } from './io/source.js'
export type { DepthSink } from './io/sink.js'
export type { Stitching } from './window/strategy.js'
