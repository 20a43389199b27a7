// Owns: checks that many options share, whatever they mean.
// Must not know: any one option's meaning.

import { callersFunction, invalidOption } from './errors.js'

/** All keys of T: one that is missing, or that T does not have, is no TypeScript. */
export type Names<T> = Readonly<Record<keyof T, true>>

/** Options of T once they are checked: those of `Defaulted` have a value, the others have one or undefined. */
export type Checked<T, Defaulted extends keyof T> = {
  readonly [K in keyof T]-?: K extends Defaulted ? Exclude<T[K], undefined> : T[K] | undefined
}

/** An option that nobody reads is refused, not ignored. */
export function known<T extends object>(options: T, parameter: string, names: Names<NoInfer<T>>): void {
  if (typeof options !== 'object' || (options as unknown) === null) throw invalidOption('an object', parameter, options)
  const stranger = Object.keys(options).find((name) => !Object.hasOwn(names, name))
  if (stranger !== undefined) throw invalidOption(`only ${Object.keys(names).join(', ')}`, parameter, stranger)
}

export function checkSignal(signal: unknown): void {
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw invalidOption('an AbortSignal', 'signal', signal)
}

/** @throws VideoDepthError INVALID_OPTION */
export function checkPath(path: unknown, parameter: string): void {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) throw invalidOption('a path', parameter, path)
}

/** @throws VideoDepthError INVALID_OPTION */
export function checkWhole(value: unknown, parameter: string, least: number, most: number): void {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return
  throw invalidOption(`a whole number from ${least} to ${most}`, parameter, value)
}

export function oneOf(value: unknown, parameter: string, choices: readonly unknown[]): void {
  if (!choices.includes(value)) throw invalidOption(`one of ${choices.join(', ')}`, parameter, value)
}

/** A caller's function, whose errors are the caller's. */
export function checkCallback<T>(
  call: ((value: T) => void) | undefined,
  parameter: string,
): ((value: T) => void) | undefined {
  if (call !== undefined && typeof call !== 'function') throw invalidOption('a function', parameter, call)
  return call && callersFunction(call)
}

export function checkFrameRate(frameRate: number): number {
  if (Number.isFinite(frameRate) && frameRate > 0) return frameRate
  throw invalidOption('a number of frames per second above 0', 'frameRate', frameRate)
}
