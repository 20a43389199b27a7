// Owns: the options that a video is processed with, their defaults and their checks.
// Must not know: what the options do.

import { checkCallback, checkSignal, known, oneOf, type Checked, type Names } from '../base/known-options.js'
import { checkSceneCuts, type SceneCutOptions, type SceneCutRule } from '../cuts/cut-detector.js'
import { framesSourceOptionNames } from '../io/sources/frames-source.js'
import type { OpenSourceOptions } from '../io/sources/open-source.js'
import { checkSourceOptions } from '../io/sources/source-options.js'
import { stitchings, type Stitching } from '../plan/strategy.js'

/** `maxRes`, `maxLen`, `targetFps`, `frameRate` and `name` are for sources that `process` opens itself. */
export interface ProcessOptions extends OpenSourceOptions {
  /** Which key frames a window sees. Default `upstream`. */
  readonly stitching?: Stitching
  /**
   * Begin a new window where the content changes as at a film's cut; nothing is aligned to or blended with what came
   * before. Default false; true takes PySceneDetect's defaults.
   */
  readonly sceneCuts?: boolean | SceneCutOptions
  /** Called after every frame that was encoded or has left. */
  readonly onProgress?: (progress: ProcessProgress) => void
}

/** How far a video has come. */
export interface ProcessProgress {
  readonly framesEncoded: number
  readonly framesOut: number
  /** Frames to expect, where the source says so. */
  readonly frameCount: number | undefined
}

export interface CheckedProcessOptions extends Omit<
  Checked<ProcessOptions, 'stitching'>,
  keyof OpenSourceOptions | 'sceneCuts'
> {
  readonly sceneCuts: SceneCutRule | undefined
  readonly signal: AbortSignal | undefined
  readonly source: Omit<OpenSourceOptions, 'signal'>
}

/** @throws VideoDepthError INVALID_OPTION naming the option, what it may be, and what came */
export function checkProcessOptions(options: ProcessOptions): CheckedProcessOptions {
  known(options, 'options', processOptionNames)
  const { stitching = 'upstream', sceneCuts, onProgress, signal, ...source } = options
  oneOf(stitching, 'stitching', stitchings)
  checkSourceOptions(source)
  checkSignal(signal)
  const tell = checkCallback(onProgress, 'onProgress')
  return { stitching, sceneCuts: checkSceneCuts(sceneCuts), source, signal, onProgress: tell }
}

const processOptionNames: Names<ProcessOptions> = {
  ...framesSourceOptionNames,
  stitching: true,
  sceneCuts: true,
  onProgress: true,
}
