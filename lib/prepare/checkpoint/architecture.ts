// Owns: what network a checkpoint holds, read from tensor shapes alone, and what is wrong where it is another one.
// Must not know: file formats, graphs, engines.

import { VideoDepthError } from '../../base/errors.js'
import type { Checkpoint } from './checkpoint.js'
import { foreignNetwork } from './foreign-network.js'
import {
  dimensionSources,
  encoderHeadWidth,
  expectedTensors,
  temporalGroups,
  unusedTensors,
  type NetworkDimensions,
} from './layout.js'
import { matchRecipes, recipes, type Recipe } from './recipe.js'

/** Plain data: may be sent to a worker or written as JSON. */
export interface Architecture extends NetworkDimensions {
  /** Encoder blocks whose outputs the head reads, from 0, ascending. */
  readonly taps: readonly [number, number, number, number]
  /** The published size with these dimensions, if any. */
  readonly size: 'S' | 'B' | 'L' | undefined
}

type Shapes = ReadonlyMap<string, { readonly shape: readonly number[] }>

/** Longest list of tensor names in a message. */
const listed = 10

/**
 * @throws VideoDepthError CHECKPOINT_MISMATCH naming missing, surplus and misshapen tensors, or a number of blocks that no recipe knows
 */
export function readArchitecture(tensors: Shapes, among?: readonly Recipe[]): Architecture {
  const foreign = foreignNetwork(tensors)
  if (foreign !== undefined) throw mismatch(foreign)
  const dimensions = readDimensions(tensors)
  compare(tensors, expectedTensors(dimensions))
  return completeArchitecture(dimensions, among)
}

/** Adds what the tensors do not tell: from the recipe, or by the published rule for this depth. */
export function completeArchitecture(dimensions: NetworkDimensions, among = recipes()): Architecture {
  const [recipe] = matchRecipes(dimensions, among)
  const taps = recipe?.taps ?? publishedTaps.get(dimensions.depth)
  if (taps === undefined) throw new VideoDepthError('CHECKPOINT_MISMATCH', unknownTaps(dimensions.depth))
  return { ...dimensions, taps, size: recipe?.size ?? undefined }
}

/** As {@link readArchitecture}, and refuses entries that are no floating-point tensors. */
export function checkpointArchitecture(checkpoint: Checkpoint, among?: readonly Recipe[]): Architecture {
  const architecture = readArchitecture(checkpoint.tensors, among)
  const surplus = [...checkpoint.otherEntries].map(([name, type]) => `${name} (${type})`)
  if (surplus.length > 0) throw mismatch(`It holds ${list('surplus', surplus)}`)
  return architecture
}

function mismatch(reason: string): VideoDepthError {
  return new VideoDepthError('CHECKPOINT_MISMATCH', `The checkpoint is not one of Video Depth Anything. ${reason}.`)
}

function readDimensions(tensors: Shapes): NetworkDimensions {
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
  const dimensions: NetworkDimensions = {
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

function unknownTaps(depth: number): string {
  return (
    `The network has ${depth} encoder blocks, and no recipe in engines/ says which of them the head reads. ` +
    `Expected the shapes of a recipe, or ${[...publishedTaps.keys()].join(' or ')} blocks.`
  )
}

/** Upstream's, by depth: for fine-tuned networks of a published depth but other widths. */
const publishedTaps: ReadonlyMap<number, Recipe['taps']> = new Map<number, Recipe['taps']>([
  [12, [2, 5, 8, 11]],
  [24, [4, 11, 17, 23]],
])
