// Owns: the temporal head graph: all that mixes the frames of a window, through fusion 3.
// Must not know: windows' meaning, files.

import type { Architecture } from '../checkpoint/architecture.js'
import { temporalHeads } from '../checkpoint/layout.js'
import { GraphBuilder, type Value } from './builder.js'
import { fuse } from './fusion.js'
import { cast, conv, extent } from './operators.js'
import { pixelSequences, temporalModule, windowAttention, type PositionTable } from './temporal-module.js'
import { computeType, handedType, type FloatType, type GraphVariant } from './variant.js'
import type { WeightsIndex } from './weights-file.js'
import type { Precision } from './weights.js'

export interface TemporalHeadShape {
  /** Patches. */
  readonly rows: number
  readonly cols: number
  /** Frames. */
  readonly windowLength: number
}

/** CUDA's limit on a launch grid's second and third extent, which batches of products and batch × heads of attention use. */
export const maxGrid = 65535

/**
 * On a processor, pixels are cut so that the feed-forward's inner tensor (4·C wide) is about this large: it stays in the
 * cache, and the head needs half the memory. More parts than the second figure only make the graph longer.
 */
const innerBytes = 8 * 1024 * 1024
const maxParts = 16

/** Most pixels that one temporal attention takes at once, of a map of so many, C wide, over so many frames. */
export type PixelLimit = (pixels: number, width: number, frames: number) => number

/** Tables for windows longer than the stored ones, by tensor name, [T, C] float32. */
export type ExtendedTables = ReadonlyMap<string, Float32Array>

/**
 * `layer3` [T, out3, r, c], `layer4` [T, out4, ⌈r/2⌉, ⌈c/2⌉] → `path3` [T, features, 2r, 2c].
 */
export function buildTemporalHead(
  architecture: Architecture,
  weights: WeightsIndex,
  { rows, cols, windowLength }: TemporalHeadShape,
  precision: Precision,
  variant: GraphVariant,
  extended: ExtendedTables,
  pixelLimit: PixelLimit = variant.target === 'gpu' ? gpuPixels : cpuPixels,
): GraphBuilder {
  const g = new GraphBuilder('temporal-head', weights)
  const types = { compute: computeType(precision), handed: handedType(variant, precision) }
  const attend = windowAttention(g, positionTable(g, windowLength, extended), variant.attention)
  temporalPath(g, architecture, { rows, cols, frames: windowLength, ...types }, (x, module, index) => {
    const maxPixels = pixelLimit(extent(x, 2) * extent(x, 3), extent(x, 1), windowLength)
    const options = { module, attend, layout: pixelSequences, maxPixels }
    return g.within(`temporal${index}`, () => temporalModule(g, x, options))
  })
  return g
}

/** Applies temporal module `index`, whose weights begin with `module`: [T, C, H, W] → [T, C, H, W] float32. */
export type TemporalMix = (x: Value, module: string, index: number) => Value

export interface TemporalPathShape {
  /** Patches. */
  readonly rows: number
  readonly cols: number
  readonly frames: number
  readonly compute: FloatType
  readonly handed: FloatType
}

/** Where in the head time is mixed in: from the inputs `layer3` and `layer4` to the output `path3`, whatever mixes. */
export function temporalPath(
  g: GraphBuilder,
  { features, outChannels }: Architecture,
  { rows, cols, frames, compute, handed }: TemporalPathShape,
  apply: TemporalMix,
): void {
  const [, , out3, out4] = outChannels
  const layer3 = g.input('layer3', handed, [frames, out3, rows, cols])
  const layer4 = g.input('layer4', handed, [frames, out4, Math.ceil(rows / 2), Math.ceil(cols / 2)])
  const mix = (x: Value, index: number): Value => apply(x, `head.motion_modules.${index}.temporal_transformer`, index)
  const rn3 = conv(g, mix(layer3, 0), 'head.scratch.layer3_rn', { pad: 1 })
  const rn4 = conv(g, mix(layer4, 1), 'head.scratch.layer4_rn', { pad: 1 })
  const path4 = g.within('fusion4', () => fuse(g, rn4, undefined, 'head.scratch.refinenet4', rows, cols))
  const mixed4 = cast(g, mix(path4, 2), compute)
  const path3 = g.within('fusion3', () => fuse(g, mixed4, rn3, 'head.scratch.refinenet3', 2 * rows, 2 * cols))
  if (extent(path3, 1) !== features) throw new Error(`path3 has ${extent(path3, 1)} channels`)
  g.output('path3', cast(g, mix(path3, 3), handed))
}

function positionTable(g: GraphBuilder, frames: number, extended: ExtendedTables): PositionTable {
  return (name) => {
    const tensor = `${name}.pos_encoder.pe`
    const shape = [1, frames, extent(g.weight(`${name}.q.weight`), 0)]
    const longer = extended.get(tensor)
    return longer === undefined ? g.weight(tensor, shape) : g.table(tensor, shape, longer)
  }
}

function gpuPixels(): number {
  return Math.floor(maxGrid / temporalHeads)
}

function cpuPixels(pixels: number, width: number, frames: number): number {
  const fitting = Math.floor(innerBytes / (4 * width * frames * Float32Array.BYTES_PER_ELEMENT))
  return Math.max(1, fitting, Math.ceil(pixels / maxParts))
}
