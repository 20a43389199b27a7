// Owns: the frames themselves as a video, upstream's `…_src.mp4`.
// Must not know: depth.

import type { RgbFrame } from '../../base/frame.js'
import { expected, VideoDepthError } from '../../base/errors.js'
import { checkPath, known } from '../../base/known-options.js'
import { resolvePicture } from '../../base/pixel-format.js'
import { loadAddon } from '../../native/addon.js'
import { Mp4Writer } from './mp4-writer.js'
import { checkEncoderOptions, type VideoEncoderOptions } from './video-encoder.js'

/** As `DepthSink`, for RGB: nothing appears under its final name before `finish()` resolves. Calls that overlap wait for each other. */
export interface RgbVideoWriter {
  /** All frames have the size of the first. The data is copied before the promise is returned. */
  write(frame: RgbFrame): Promise<void>
  /** Resolves with the finished path. */
  finish(): Promise<string>
  /** Idempotent; waits for the call that is running, and later ones reject with CLOSED. After `finish()` it does nothing. */
  abort(): Promise<void>
}

/** `finish()` in two steps, for outputs that get their final names together. */
export interface TwoStepVideoWriter extends RgbVideoWriter {
  /** Completes the file under its temporary name. */
  complete(): Promise<void>
}

/** H.264 MP4, see `VideoEncoder`; each frame keeps its time, counted from the first, so that any clock will do. */
export async function rgbVideoWriter(path: string, options: VideoEncoderOptions = {}): Promise<TwoStepVideoWriter> {
  known(options, 'options', { frameRate: true, crf: true })
  checkEncoderOptions(options)
  checkPath(path, 'path')
  const writer = await Mp4Writer.create(path, options)
  return {
    write: (frame) => {
      const planes = converted(frame)
      planes.catch(() => undefined) // told when its turn has come
      return writer.write(frame, planes)
    },
    complete: () => writer.complete(),
    finish: () => writer.finish(),
    abort: () => writer.abort(),
  }
}

/** Copies the frame before it returns. Rejects with FRAME_INVALID. */
async function converted({ data, width, height, timestampMs }: RgbFrame): Promise<Uint8Array> {
  const picture = resolvePicture({ data, width, height }, 'A frame of a video')
  if (!Number.isFinite(timestampMs))
    throw new VideoDepthError('FRAME_INVALID', expected('a finite number of milliseconds', 'timestampMs', timestampMs))
  return loadAddon().rgbToYuv420(picture.data, width, height)
}
