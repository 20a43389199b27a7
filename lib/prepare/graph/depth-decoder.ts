// Owns: the depth decoder graph: fusion 2 and 1 and the output convolutions, frame by frame.
// Must not know: time, windows, files.

import type { Architecture } from '../checkpoint/architecture.js'
import { patchSize } from '../checkpoint/input-size.js'
import { GraphBuilder, type Value } from './builder.js'
import { fuse } from './fusion.js'
import { cast, conv, relu, reshape, resize } from './operators.js'
import type { WeightsIndex } from './weights-file.js'
import { computeType, handedType, type GraphVariant } from './variant.js'
import type { Precision } from './weights.js'

export interface DepthDecoderShape {
  /** Patches. */
  readonly rows: number
  readonly cols: number
  /** Frames a run. */
  readonly decoderBatch: number
}

/**
 * `path3` [B, features, 2r, 2c], `layer1` [B, features, 4r, 4c], `layer2` [B, features, 2r, 2c]
 * → `depth` [B, 14r, 14c] float32, ≥ 0. The three are of the handed type, and computed with in the weights' precision.
 */
export function buildDepthDecoder(
  architecture: Architecture,
  weights: WeightsIndex,
  { rows, cols, decoderBatch: batch }: DepthDecoderShape,
  precision: Precision,
  variant: GraphVariant,
): GraphBuilder {
  const g = new GraphBuilder('depth-decoder', weights)
  const [compute, handed] = [computeType(precision), handedType(variant, precision)]
  const port = (name: string, scale: number): Value =>
    cast(g, g.input(name, handed, [batch, features, scale * rows, scale * cols]), compute)
  const { features } = architecture
  const [path3, layer1, layer2] = [port('path3', 2), port('layer1', 4), port('layer2', 2)]
  const path2 = g.within('fusion2', () => fuse(g, path3, layer2, 'head.scratch.refinenet2', 4 * rows, 4 * cols))
  const path1 = g.within('fusion1', () => fuse(g, path2, layer1, 'head.scratch.refinenet1', 8 * rows, 8 * cols))
  const [height, width] = [rows * patchSize, cols * patchSize]
  const depth = g.within('output', () => {
    const half = resize(g, conv(g, path1, 'head.scratch.output_conv1', { pad: 1 }), height, width)
    const hidden = relu(g, conv(g, half, 'head.scratch.output_conv2.0', { pad: 1 }))
    // One ReLU stands for upstream's two: the resize between them is to the same size.
    return relu(g, conv(g, hidden, 'head.scratch.output_conv2.2'))
  })
  g.output('depth', reshape(g, depth, [batch, height, width]))
  return g
}
