// Owns: what SourceOptions mean: their checks, the size limit, the frame-rate reduction.
// Must not know: file formats, decoders.

import { invalidOption } from '../../base/errors.js'
import type { Size } from '../../base/frame.js'
import { checkSignal, type Checked, type Names } from '../../base/known-options.js'
import { roundHalfEven } from '../../base/rounding.js'
import type { SourceOptions } from './source.js'

/** With every default applied; `undefined` where there is no limit. */
export type ResolvedSourceOptions = Checked<SourceOptions, 'playlists'>

/** Upstream's; −1: no limit. */
export const sourceDefaults = { maxRes: 1280, maxLen: -1, targetFps: -1 } as const

export const sourceOptionNames: Names<SourceOptions> = {
  maxRes: true,
  maxLen: true,
  targetFps: true,
  playlists: true,
  signal: true,
}

const maxResLimits = { least: 2, most: 65_536 } as const

/**
 * Values only; names are the caller's to check.
 *
 * @throws VideoDepthError INVALID_OPTION naming the option, what it may be, and what came
 */
export function checkSourceOptions({ maxRes, maxLen, targetFps, playlists, signal }: SourceOptions): void {
  const { least, most } = maxResLimits
  if (!isLimit(maxRes, (value) => Number.isInteger(value) && value >= least && value <= most))
    throw invalidOption(`a whole number from ${least} to ${most}, or −1,`, 'maxRes', maxRes)
  if (!isLimit(maxLen, (value) => Number.isSafeInteger(value) && value >= 1))
    throw invalidOption('a whole number from 1, or −1,', 'maxLen', maxLen)
  if (!isLimit(targetFps, (value) => Number.isFinite(value) && value > 0))
    throw invalidOption('a number above 0, or −1,', 'targetFps', targetFps)
  if (playlists !== undefined && typeof playlists !== 'boolean')
    throw invalidOption('true or false', 'playlists', playlists)
  checkSignal(signal)
}

export function resolveSourceOptions(options: SourceOptions): ResolvedSourceOptions {
  checkSourceOptions(options)
  const {
    maxRes = sourceDefaults.maxRes,
    maxLen = sourceDefaults.maxLen,
    targetFps = sourceDefaults.targetFps,
  } = options
  const { playlists = false, signal } = options
  return { maxRes: orNone(maxRes), maxLen: orNone(maxLen), targetFps: orNone(targetFps), playlists, signal }
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

function isLimit(value: number | undefined, within: (value: number) => boolean): boolean {
  return value === undefined || value === -1 || within(value)
}

function orNone(value: number): number | undefined {
  return value === -1 ? undefined : value
}

/** At least 2, so that a very flat picture keeps a pixel row. */
function evenAbove(side: number): number {
  return Math.max(side + (side % 2), 2)
}
