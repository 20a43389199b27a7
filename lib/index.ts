// Owns: the package's public names; re-exports only.
// Must not know: anything else.

export { VideoDepth } from './video-depth.js'
export { DepthRun, type RunSummary } from './video/run.js'
export type { BackendChoice, LoadOptions, Precision, StreamBatch } from './engine/load-options.js'
export type { ProcessOptions, ProcessProgress } from './video/process-options.js'
export type { Backend, EngineTimings, LoadProgress } from './engine/engine.js'
export type {
  CheckFigures,
  DepthErrorFigures,
  EngineFallback,
  EngineInfo,
  GpuInfo,
  PlanSetInfo,
  RejectedVariant,
} from './engine/engine-info.js'
export { DepthStream, type StreamStats } from './stream/depth-stream.js'
export type { StreamOptions } from './stream/stream-options.js'
export type { FrameTimings, StreamDepth, StreamFrame } from './stream/stream-frame.js'
export type { LatencyPercentiles } from './stream/latency.js'
export type { QueuePolicy } from './stream/mailbox.js'
export type { Stabilization } from './plan/stabilizer.js'
export type { SceneCutOptions } from './cuts/cut-detector.js'
export type {
  Alignment,
  DegenerateReason,
  ColorMatrix,
  ColorRange,
  DepthFrame,
  DepthKind,
  DepthMap,
  PixelFormat,
  PixelLayout,
  RgbFrame,
  SceneMark,
} from './base/frame.js'
export { VideoDepthError, type ErrorCode } from './base/errors.js'
export type { Architecture } from './prepare/checkpoint/architecture.js'
export type { NetworkDimensions } from './prepare/checkpoint/layout.js'
export type { Recipe } from './prepare/checkpoint/recipe.js'
export { networkInputSize, type InputSize } from './prepare/checkpoint/input-size.js'
export { describeCheckpoint, type CheckpointDescription, type DescribeOptions } from './prepare/checkpoint/describe.js'
export type { FrameSource, SourceInfo, SourceOptions } from './io/sources/source.js'
export type { LaidOutPicture } from './base/pixel-format.js'
export { openSource, type OpenSourceOptions, type SourceInput } from './io/sources/open-source.js'
export { openVideo } from './io/sources/video-source.js'
export { openImages, type ImageSourceOptions } from './io/sources/image-source.js'
export { fromFrames, type FramesSourceOptions, type InputFrame } from './io/sources/frames-source.js'
export { openLive, type LiveFrame, type LiveSource, type LiveStats } from './io/live/live-source.js'
export type { LiveEvent, LiveOptions, ReconnectOptions } from './io/live/live-options.js'
export { openRawFrames, type RawFrame, type RawFrameSource, type RawFramesOptions } from './io/live/raw-frames.js'
export type { DepthSink } from './io/sinks/sink.js'
export { pngSequenceSink, type PngSequenceOptions } from './io/sinks/png-sequence-sink.js'
export { rawStreamSink } from './io/sinks/raw-stream-sink.js'
export { openSink, openSinks, type ExpectedFrames, type OutputSpec } from './io/sinks/sinks.js'
export type { DepthRange, RangeRule } from './io/sinks/depth-range.js'
export { paletteNames, type PaletteName } from './io/sinks/palettes.js'
export { rgbVideoWriter, type RgbVideoWriter } from './io/sinks/rgb-video-sink.js'
export type { Stitching } from './plan/strategy.js'
export { bundledCheckpoint } from './prepare/bundled-checkpoint.js'
