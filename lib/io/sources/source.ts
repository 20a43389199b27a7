// Owns: the interface of everything that frames come from.
// Must not know: file formats, the pipeline.

import type { RgbFrame } from '../../base/frame.js'

/** Frames in order. Single use: iterating a second time throws. Returning early from the loop closes it. */
export interface FrameSource<F extends RgbFrame = RgbFrame> extends AsyncIterable<F> {
  readonly info: SourceInfo
  /** Idempotent; stops a decode in flight. */
  close(): Promise<void>
}

/** What is known of a source before its first frame is asked for. */
export interface SourceInfo {
  /** Where it came from, for messages and output names. */
  readonly name: string
  /** Size of the frames that come out (after rotation and `maxRes`), pixels. */
  readonly width: number
  readonly height: number
  /** Average frames per second after `targetFps`; undefined where unknown (image lists). */
  readonly frameRate: number | undefined
  /** Expected number of frames, an estimate unless `frameCountExact`; undefined where unknown. */
  readonly frameCount: number | undefined
  readonly frameCountExact: boolean
}

/** Which frames of a source come out, and how large. */
export interface SourceOptions {
  /** Frames whose longer side exceeds this are scaled down to it, both sides even (upstream's rule). Pixels, default 1280; −1: never. */
  readonly maxRes?: number
  /** Stop after this many frames; −1 (default): no limit. */
  readonly maxLen?: number
  /** Keep every round(rate/targetFps)-th frame (upstream's rule); −1 (default): all. */
  readonly targetFps?: number
  /**
   * For a video: whether it may be an HLS playlist, of files in its own folder and below; default false. A playlist makes
   * its reader open other files, so say so only where that is meant.
   */
  readonly playlists?: boolean
  readonly signal?: AbortSignal
}
