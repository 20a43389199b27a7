// Owns: the checks that every object of options gets, whatever the options are.
// Must not know: any one option's meaning.

import { invalidOption } from './errors.js'

/** An option that nobody reads is refused, not ignored. */
export function known(options: object, parameter: string, names: readonly string[]): void {
  if (typeof options !== 'object' || (options as unknown) === null) throw invalidOption('an object', parameter, options)
  const stranger = Object.keys(options).find((name) => !names.includes(name))
  if (stranger !== undefined) throw invalidOption(`only ${names.join(', ')}`, parameter, stranger)
}

export function checkSignal(signal: unknown): void {
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw invalidOption('an AbortSignal', 'signal', signal)
}
