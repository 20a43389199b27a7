// Owns: what SourceOptions mean: their checks, the size limit, the frame-rate reduction.
// Must not know: file formats, decoders.

import { invalidOption } from '../errors.js'
import type { SourceOptions } from './source.js'

/** SourceOptions with every default applied; `undefined` where there is no limit. */
export interface ResolvedSourceOptions {
  readonly maxRes: number | undefined
  readonly maxLen: number | undefined
  readonly targetFps: number | undefined
  readonly signal: AbortSignal | undefined
}

export interface Size {
  /** Pixels. */
  readonly width: number
  readonly height: number
}

/** Upstream's `--max_res`. */
export const defaultMaxRes = 1280

export function resolveSourceOptions(options: SourceOptions): ResolvedSourceOptions {
  return {
    maxRes: wholeOrNone(options.maxRes ?? defaultMaxRes, 'maxRes', 2),
    maxLen: wholeOrNone(options.maxLen ?? -1, 'maxLen', 1),
    targetFps: rateOrNone(options.targetFps ?? -1),
    signal: options.signal,
  }
}

/** Upstream's rule: the longer side becomes `maxRes`, aspect kept; then each side is made even by adding 1. */
export function limitedSize(width: number, height: number, maxRes: number | undefined): Size {
  if (maxRes === undefined || Math.max(width, height) <= maxRes) return { width, height }
  const scale = maxRes / Math.max(width, height)
  return { width: evenAbove(roundHalfEven(width * scale)), height: evenAbove(roundHalfEven(height * scale)) }
}

/** Upstream's rule: of a source at `frameRate`, every how many frames one is kept. */
export function strideFor(frameRate: number | undefined, options: ResolvedSourceOptions): number {
  if (options.targetFps === undefined) return 1
  if (frameRate === undefined)
    throw invalidOption('−1 for a source whose frame rate is unknown', 'targetFps', options.targetFps)
  return Math.max(roundHalfEven(frameRate / options.targetFps), 1)
}

/** How many frames come out of `available` ones. */
export function keptFrames(available: number, stride: number, maxLen: number | undefined): number {
  return Math.min(Math.ceil(available / stride), maxLen ?? Infinity)
}

export function checkFrameRate(frameRate: number): number {
  if (Number.isFinite(frameRate) && frameRate > 0) return frameRate
  throw invalidOption('a number of frames per second above 0', 'frameRate', frameRate)
}

function wholeOrNone(value: number, name: string, least: number): number | undefined {
  if (value === -1) return undefined
  if (!Number.isSafeInteger(value) || value < least)
    throw invalidOption(`a whole number from ${least}, or −1`, name, value)
  return value
}

function rateOrNone(value: number): number | undefined {
  if (value === -1) return undefined
  if (!Number.isFinite(value) || value <= 0)
    throw invalidOption('a number of frames per second above 0, or −1', 'targetFps', value)
  return value
}

/** At least 2, so that a very flat picture keeps a pixel row. */
function evenAbove(side: number): number {
  return Math.max(side + (side % 2), 2)
}

/** Python's `round`. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value)
  if (value - floor !== 0.5) return Math.round(value)
  return floor + (floor % 2)
}
