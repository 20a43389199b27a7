// Owns: loading the libraries that bring binaries of their own, when they are first needed, and what is said where one is
// missing or broken.
// Must not know: what they are used for.

import type Sharp from 'sharp'
import { VideoDepthError } from './errors.js'

/** By package name: what does not work without it. */
const uses = {
  sharp: 'reads and writes images',
  'node-av': 'reads and writes videos',
} as const

export type Library = keyof typeof uses

/** Their binaries are optional packages, one a platform. Copied from another machine or left out, they are missing. */
export const libraryRemedy =
  'In the project that uses video-depth, on the machine that runs it, run: npm install --include=optional --ignore-scripts'

/**
 * @param load imports the library
 * @throws VideoDepthError ADDON_UNAVAILABLE that names the library and what to do
 */
export async function loadLibrary<T>(name: Library, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (cause) {
    throw new VideoDepthError('ADDON_UNAVAILABLE', unavailable(name, cause), { cause })
  }
}

export async function loadSharp(): Promise<typeof Sharp> {
  return (await loadLibrary('sharp', () => import('sharp'))).default
}

function unavailable(name: Library, cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause)
  const reason = text.split('\n')[0]?.replace(/[.:\s]+$/, '') ?? ''
  return `${name}, which ${uses[name]}, cannot be loaded: ${reason}. ${libraryRemedy}`
}
