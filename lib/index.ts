// Owns: the package's public names; re-exports only.
// Must not know: anything else.

export { VideoDepth } from './video-depth.js'
export { DepthRun, type RunSummary } from './depth-run.js'
export type { BackendChoice, LoadOptions, Precision, ProcessOptions, ProcessProgress, StreamBatch } from './options.js'
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
export type { Stabilization } from './stream/stabilizer.js'
export type { SceneCutOptions } from './cuts/cut-detector.js'
export type {
  Alignment,
  ColorMatrix,
  ColorRange,
  DepthFrame,
  DepthKind,
  DepthMap,
  PixelFormat,
  PixelLayout,
  RgbFrame,
  SceneMark,
} from './frame.js'
export { VideoDepthError, type ErrorCode } from './errors.js'
export type { Architecture } from './model/architecture.js'
export { networkInputSize, type InputSize } from './model/input-size.js'
export { describeCheckpoint, type CheckpointDescription, type DescribeOptions } from './model/describe.js'
export type { FrameSource, SourceInfo, SourceOptions } from './io/source.js'
export type { LaidOutPicture } from './pixel-format.js'
export { openSource, type OpenSourceOptions, type SourceInput } from './io/open-source.js'
export { openVideo } from './io/video-source.js'
export { openImages, type ImageSourceOptions } from './io/image-source.js'
export { fromFrames, type FramesSourceOptions, type InputFrame } from './io/frames-source.js'
export { openLive, type LiveFrame, type LiveSource, type LiveStats } from './io/live/live-source.js'
export type { LiveEvent, LiveOptions, ReconnectOptions } from './io/live/live-options.js'
export { openRawFrames, type RawFrame, type RawFrameSource, type RawFramesOptions } from './io/live/raw-frames.js'
export type { DepthSink } from './io/sink.js'
export { pngSequenceSink, type PngSequenceOptions } from './io/png-sequence-sink.js'
export { rawStreamSink } from './io/raw-stream-sink.js'
export { openSink, openSinks, type ExpectedFrames, type OutputSpec } from './io/sinks.js'
export type { DepthRange, RangeRule } from './io/depth-range.js'
export { paletteNames, type PaletteName } from './io/palettes.js'
export { rgbVideoWriter, type RgbVideoWriter } from './io/rgb-video-sink.js'
export type { Stitching } from './window/strategy.js'
export { bundledCheckpoint } from './bundled-checkpoint.js'
