// Owns: what network a checkpoint holds, read from tensor shapes alone, and what is wrong where it is another one.
// Must not know: file formats, graphs, engines.

import { invalidOption, VideoDepthError } from '../../base/errors.js'
import type { Checkpoint } from './checkpoint.js'
import { foreignNetwork } from './foreign-network.js'
import {
  dimensionSources,
  encoderHeadWidth,
  expectedTensors,
  temporalGroups,
  unusedTensors,
  type Dimensions,
} from './layout.js'
import { matchRecipes, recipes, type Recipe, type Taps } from './recipe.js'

/** Plain data: may be sent to a worker or written as JSON. */
export interface Architecture extends Dimensions {
  /** Encoder blocks whose outputs the head reads, from 0, ascending. */
  readonly taps: Taps
  /** The published size with these dimensions, if any. */
  readonly size: 'S' | 'B' | 'L' | undefined
}

export interface ArchitectureOptions {
  /** Overrides the recipe's taps; needed for a network without recipe. */
  readonly taps?: readonly number[]
  /** Default: those in engines/. */
  readonly recipes?: readonly Recipe[]
}

type Shapes = ReadonlyMap<string, { readonly shape: readonly number[] }>

/** Longest list of tensor names in a message. */
const listed = 10

/**
 * @throws VideoDepthError CHECKPOINT_MISMATCH naming missing, surplus and misshapen tensors; INVALID_OPTION for taps
 */
export function readArchitecture(tensors: Shapes, options: ArchitectureOptions = {}): Architecture {
  const foreign = foreignNetwork(tensors)
  if (foreign !== undefined) throw mismatch(foreign)
  const dimensions = readDimensions(tensors)
  compare(tensors, expectedTensors(dimensions))
  return completeArchitecture(dimensions, options)
}

/** Adds what the tensors do not tell: from the option, the recipe, or the published rule for this depth. */
export function completeArchitecture(dimensions: Dimensions, options: ArchitectureOptions = {}): Architecture {
  const matching = matchRecipes(dimensions, options.recipes ?? recipes())
  return {
    ...dimensions,
    taps: chooseTaps(dimensions.depth, matching, options.taps),
    size: matching[0]?.size ?? undefined,
  }
}

/** As {@link readArchitecture}, and refuses entries that are no floating-point tensors. */
export function checkpointArchitecture(checkpoint: Checkpoint, options: ArchitectureOptions = {}): Architecture {
  const architecture = readArchitecture(checkpoint.tensors, options)
  const surplus = [...checkpoint.otherEntries].map(([name, type]) => `${name} (${type})`)
  if (surplus.length > 0) throw mismatch(`It holds ${list('surplus', surplus)}`)
  return architecture
}

function mismatch(reason: string): VideoDepthError {
  return new VideoDepthError('CHECKPOINT_MISMATCH', `The checkpoint is not one of Video Depth Anything. ${reason}.`)
}

function readDimensions(tensors: Shapes): Dimensions {
  const missing = Object.values(dimensionSources).filter(([name, rank]) => tensors.get(name)?.shape.length !== rank)
  if (missing.length > 0)
    throw mismatch(
      `It holds ${list(
        'missing',
        missing.map(([name]) => name),
      )}`,
    )
  const extent = ([name]: (typeof dimensionSources)[keyof typeof dimensionSources], axis: number): number =>
    tensors.get(name)?.shape[axis] ?? 0
  const embedWidth = extent(dimensionSources.width, 2)
  const dimensions: Dimensions = {
    embedWidth,
    depth: countBlocks(tensors),
    heads: embedWidth / encoderHeadWidth,
    features: extent(dimensionSources.features, 0),
    outChannels: [
      extent(dimensionSources.out0, 0),
      extent(dimensionSources.out1, 0),
      extent(dimensionSources.out2, 0),
      extent(dimensionSources.out3, 0),
    ],
    gridSize: Math.floor(Math.sqrt(extent(dimensionSources.grid, 1) - 1)),
    temporalLength: extent(dimensionSources.temporal, 1),
  }
  checkDivisible('Encoder width', embedWidth, encoderHeadWidth)
  checkDivisible('Head width', dimensions.features, temporalGroups)
  checkDivisible('Width of projection 2', dimensions.outChannels[2], temporalGroups)
  checkDivisible('Width of projection 3', dimensions.outChannels[3], temporalGroups)
  return dimensions
}

function checkDivisible(what: string, width: number, by: number): void {
  if (width < by || width % by !== 0) throw mismatch(`${what} ${width} is no multiple of ${by}`)
}

/** The highest block number counts, so that a gap shows up as missing tensors. */
function countBlocks(tensors: Shapes): number {
  const indices = [...tensors.keys()].map((name) => Number(/^pretrained\.blocks\.(\d{1,3})\./.exec(name)?.[1] ?? -1))
  const depth = indices.reduce((highest, index) => Math.max(highest, index), -1) + 1
  if (depth === 0) throw mismatch('It holds no encoder blocks (pretrained.blocks.…)')
  return depth
}

function compare(tensors: Shapes, wanted: ReadonlyMap<string, readonly number[]>): void {
  const missing = [...wanted.keys()].filter((name) => !tensors.has(name) && !unusedTensors.has(name))
  const surplus = [...tensors.keys()].filter((name) => !wanted.has(name))
  const misshapen: string[] = []
  for (const [name, shape] of wanted) {
    const found = tensors.get(name)?.shape
    if (found !== undefined && !sameShape(found, shape))
      misshapen.push(`${name} of [${found.join(', ')}] instead of [${shape.join(', ')}]`)
  }
  const faults = [list('missing', missing), list('surplus', surplus), list('misshapen', misshapen)].filter(
    (text) => text !== '',
  )
  if (faults.length > 0) throw mismatch(`It holds ${faults.join('; ')}`)
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis])
}

function list(fault: 'missing' | 'surplus' | 'misshapen', names: readonly string[]): string {
  if (names.length === 0) return ''
  const more = names.length > listed ? ` and ${names.length - listed} more` : ''
  const count = fault === 'missing' ? `not all: ${names.length} missing` : `${names.length} ${fault}`
  return `${count}: ${names.slice(0, listed).join(', ')}${more}`
}

function chooseTaps(depth: number, matching: readonly Recipe[], given: readonly number[] | undefined): Taps {
  const taps = given ?? matching[0]?.taps ?? publishedTaps.get(depth)
  const [a, b, c, d] = taps ?? []
  const valid = [a, b, c, d].every(
    (tap, i, all) => Number.isInteger(tap) && (tap ?? -1) > (all[i - 1] ?? -1) && (tap ?? depth) < depth,
  )
  if (!valid || taps?.length !== 4 || a === undefined || b === undefined || c === undefined || d === undefined) {
    throw invalidOption(
      `four ascending block numbers below ${depth} (the network has no recipe of its own)`,
      'taps',
      taps,
    )
  }
  return [a, b, c, d]
}

/** Upstream's, by depth: for fine-tuned networks of a published depth but other widths. */
const publishedTaps: ReadonlyMap<number, Taps> = new Map<number, Taps>([
  [12, [2, 5, 8, 11]],
  [24, [4, 11, 17, 23]],
])
