// Owns: how FFmpeg's libraries are loaded (node-av, in this process), and what their status codes mean.
// Must not know: videos, depth.

import type * as NodeAv from 'node-av'
import { loadLibrary } from '../base/libraries.js'

export type Av = typeof NodeAv

let loading: Promise<Av> | undefined

/**
 * node-av is ESM only and weighs tens of megabytes, so it is loaded at first use. FFmpeg's log is process-wide and
 * goes to stderr; unless the program chose a level of its own, it is silenced: what matters is thrown as an error.
 */
export function loadAv(): Promise<Av> {
  loading ??= load()
  return loading
}

async function load(): Promise<Av> {
  const av = await loadLibrary('node-av', () => import('node-av'))
  if (av.Log.getLevel() === av.AV_LOG_INFO) av.Log.setLevel(av.AV_LOG_QUIET)
  return av
}

/** FFmpeg's text for a negative status. */
export function avMessage(av: Av, status: number): string {
  return new av.FFmpegError(status).message
}

/** For calls that fail for lack of memory only. */
export function present<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new Error(`FFmpeg has no ${what}`)
  return value
}
