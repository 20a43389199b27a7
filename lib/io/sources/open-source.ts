// Owns: which kind of source an input is.
// Must not know: how any of them works.

import { stat } from 'node:fs/promises'
import { invalidOption, optionConflict } from '../../base/errors.js'
import { known } from '../../base/known-options.js'
import { framesSourceOptionNames, fromFrames, type FramesSourceOptions, type InputFrame } from './frames-source.js'
import { readExactly, withRegular } from '../../base/read-file.js'
import { headBytes, imageKind, isImagePath, type ImageKind } from './image-kind.js'
import { openImages } from './image-source.js'
import type { FrameSource } from './source.js'
import { openVideo } from './video-source.js'

/** A video file, an image file, a folder of images, a list of image files, or frames. */
export type SourceInput = string | readonly string[] | Iterable<InputFrame> | AsyncIterable<InputFrame>

/** `frameRate` is for images and frames (a video has its own); `name` is for frames. */
export type OpenSourceOptions = FramesSourceOptions

/** Opens whatever `input` is; see `openVideo`, `openImages` and `fromFrames` for what each one does. */
export async function openSource(input: SourceInput, options: OpenSourceOptions = {}): Promise<FrameSource> {
  known(options, 'options', framesSourceOptionNames)
  if (typeof input === 'string') return openPath(input, options)
  if (isPathList(input)) return openImages(input, options)
  if (isIterable(input)) return fromFrames(input, options)
  throw invalidOption('a path, a list of paths or an iterable of frames', 'input', input)
}

async function openPath(path: string, options: OpenSourceOptions): Promise<FrameSource> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isDirectory() === true) return openImages(path, options)
  if (await isPicture(path)) return openImages([path], options)
  const { frameRate, ...videoOptions } = options
  if (frameRate !== undefined) throw optionConflict('frameRate has no effect on a video, which has its own: remove it')
  return openVideo(path, videoOptions)
}

/**
 * One still picture, whatever it is called; an animation is a video, except where FFmpeg would give one picture of it. What
 * cannot be told is told by its name.
 */
async function isPicture(path: string): Promise<boolean> {
  const kind = await headKind(path).catch(() => undefined)
  if (kind === undefined) return isImagePath(path)
  return kind.format === 'heif' || (!kind.isAnimated && kind.format !== 'gif')
}

function headKind(path: string): Promise<ImageKind | undefined> {
  return withRegular(path, async ({ handle, size }) => {
    const head = Buffer.alloc(Math.min(size, headBytes))
    await readExactly(handle, head, 0)
    return imageKind(head)
  })
}

function isPathList(input: Exclude<SourceInput, string>): input is readonly string[] {
  return Array.isArray(input) && input.every((item) => typeof item === 'string')
}

function isIterable(input: unknown): input is Iterable<InputFrame> | AsyncIterable<InputFrame> {
  return typeof input === 'object' && input !== null && (Symbol.asyncIterator in input || Symbol.iterator in input)
}
