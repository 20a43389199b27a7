// Owns: the recipes in engines/: what is known of each published checkpoint beyond its tensors.
// Must not know: files of weights, engines. A recipe is found by shapes or a file's SHA-256, never by its name.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { VideoDepthError } from '../../base/errors.js'
import type { DepthKind } from '../../base/frame.js'
import { inPackage } from '../../base/own-package.js'
import type { NetworkDimensions } from './layout.js'

/** What is known of a published checkpoint beyond its tensors. */
export interface Recipe {
  readonly name: string
  readonly title: string
  /** Published size; null for test networks. */
  readonly size: 'S' | 'B' | 'L' | null
  /** Relative and metric checkpoints have the same shapes; only the user knows the kind of a file that is not published. */
  readonly kind: DepthKind
  /** Page to download from; null for networks that come with the package, in engines/ or in its tests. */
  readonly source: string | null
  /** Name of the file on that page, or in engines/; null for test networks. Never used to recognise a file. */
  readonly file: string | null
  /** Hash of that file, hex: the one thing that tells which checkpoint a file is. Null for test networks. */
  readonly sha256: string | null
  /** SPDX identifier. */
  readonly license: string
  readonly commercialUse: boolean
  readonly dimensions: Omit<NetworkDimensions, 'heads'>
  /** Encoder blocks whose outputs the head reads. */
  readonly taps: readonly [number, number, number, number]
  /** Default of `LoadOptions.inputSize`, pixels. */
  readonly inputSize: number
}

let loaded: readonly Recipe[] | undefined

/** The recipes that this package ships. */
export function recipes(): readonly Recipe[] {
  return (loaded ??= loadRecipes(inPackage('engines')))
}

/** Far above any recipe. */
const mostBytes = 64 * 1024

function loadRecipes(folder: string): readonly Recipe[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'))
  return names.sort().map((name) => loadRecipe(path.join(folder, name)))
}

/** One of the package's own files; test/unit/model-architecture.test.ts checks their form. */
function loadRecipe(file: string): Recipe {
  try {
    const found = statSync(file)
    if (!found.isFile() || found.size > mostBytes) throw new Error('it is not a file of a few kilobytes')
    return JSON.parse(readFileSync(file, 'utf8')) as Recipe
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new VideoDepthError('PACKAGE_DAMAGED', `Cannot read ${file} (${reason}). Install video-depth again.`, {
      cause,
    })
  }
}

/** The recipe of one published file, or of the bundled one. */
export function recipeOf(sha256: string): Recipe | undefined {
  return recipes().find((recipe) => recipe.sha256 === sha256)
}

/** All recipes for a network of these dimensions: usually a relative and a metric one. */
export function matchRecipes(dimensions: NetworkDimensions, among: readonly Recipe[] = recipes()): readonly Recipe[] {
  return among.filter(({ dimensions: d }) => {
    const same = (key: Exclude<keyof typeof d, 'outChannels'>): boolean => d[key] === dimensions[key]
    return (
      same('embedWidth') &&
      same('depth') &&
      same('features') &&
      same('gridSize') &&
      same('temporalLength') &&
      d.outChannels.every((channels, i) => channels === dimensions.outChannels[i])
    )
  })
}

/** Upstream's, for networks without recipe. */
export const publishedInputSize = 518

/** What frames are resized to where the user does not say, pixels. */
export function defaultInputSize(dimensions: NetworkDimensions): number {
  return matchRecipes(dimensions)[0]?.inputSize ?? publishedInputSize
}

/** One sentence for a person about to use such a checkpoint. */
export function licenseNote(matching: readonly Recipe[]): string {
  const [first] = matching
  if (first === undefined) return 'No published checkpoint has these shapes; its licence is not known.'
  const licenses = [...new Set(matching.map(({ license }) => license))].join(' or ')
  if (matching.every(({ commercialUse }) => commercialUse)) return `Published under ${licenses}.`
  return `Published under ${licenses}: not for commercial use without the authors' permission.`
}
