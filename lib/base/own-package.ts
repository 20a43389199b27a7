// Owns: the files of this package that its code needs beside it, and noticing that the code was bundled away from them.
// Must not know: what is in these files.

import { readFileSync } from 'node:fs'
import path from 'node:path'
import { VideoDepthError } from './errors.js'
import packageRoot from '../package-root.cjs'

interface Manifest {
  readonly name: string
  readonly version: string
}

/** This package's package.json; undefined where the folder that should be its own is another's. */
export function ownManifest(): Manifest | undefined {
  try {
    const manifest = JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8')) as Manifest
    return manifest.name === 'video-depth' ? manifest : undefined
  } catch {
    return undefined
  }
}

/** One sentence on what happened and one on what mends it. */
export const bundledText =
  'The code of video-depth was bundled into another program, apart from its native addon, its worker threads and its ' +
  `recipes, which are not in ${packageRoot === '' ? 'its folder' : packageRoot}. Mark video-depth as external (esbuild: ` +
  '--external:video-depth; webpack, Rollup, Vite: the option external or externals) and install it beside the bundle.'

/**
 * Absolute path of a file or folder of this package.
 *
 * @throws VideoDepthError ADDON_UNAVAILABLE where this code was bundled into another program
 */
export function inPackage(...parts: readonly string[]): string {
  if (ownManifest() === undefined) throw new VideoDepthError('ADDON_UNAVAILABLE', bundledText)
  return path.join(packageRoot, ...parts)
}
