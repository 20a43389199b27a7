// Owns: the names and shapes of all tensors of the network, for given dimensions.
// Must not know: checkpoints, files, engines.

import { patchSize } from './input-size.js'

/** Everything that a checkpoint's tensor shapes tell. */
export interface NetworkDimensions {
  /** Channels of the encoder's tokens. */
  readonly embedWidth: number
  /** Encoder blocks. */
  readonly depth: number
  /** Attention heads of the encoder: embedWidth / 64. */
  readonly heads: number
  /** Channels of the head's fusion paths. */
  readonly features: number
  /** Channels of the four projected taps. */
  readonly outChannels: readonly [number, number, number, number]
  /** Side of the stored square grid of position embeddings, patches. */
  readonly gridSize: number
  /** Rows of the stored temporal position tables, frames. */
  readonly temporalLength: number
}

/** More than any encoder has; bounds what a file can ask for. */
export const mostBlocks = 1000

/** Width of an encoder attention head in every DINOv2 size. */
export const encoderHeadWidth = 64
/** Heads of the temporal attentions, groups of their GroupNorm: upstream's constants. */
export const temporalHeads = 8
export const temporalGroups = 32
/** Channels between the two last convolutions. */
const outputChannels = 32
/** In every checkpoint, used by no inference. */
export const unusedTensors: ReadonlySet<string> = new Set(['pretrained.mask_token'])

type Shape = readonly number[]

/** One tensor that each dimension is read from, with its rank. */
export const dimensionSources = {
  width: ['pretrained.cls_token', 3],
  grid: ['pretrained.pos_embed', 3],
  features: ['head.scratch.layer1_rn.weight', 4],
  temporal: ['head.motion_modules.0.temporal_transformer.transformer_blocks.0.attention_blocks.0.pos_encoder.pe', 3],
  out0: ['head.projects.0.weight', 4],
  out1: ['head.projects.1.weight', 4],
  out2: ['head.projects.2.weight', 4],
  out3: ['head.projects.3.weight', 4],
} as const

/** Their names. */
export const keyTensors: readonly string[] = Object.values(dimensionSources).map(([name]) => name)

/** Whether a network of some size has a tensor of this name. */
export function isNetworkTensor(name: string): boolean {
  return names.has(name.replace(blockNumber, '.0.'))
}

const blockNumber = /(?<=^pretrained\.blocks)\.\d{1,3}\./

/** Channels that each of the four temporal modules works on. */
export function temporalChannels({
  outChannels,
  features,
}: NetworkDimensions): readonly [number, number, number, number] {
  return [outChannels[2], outChannels[3], features, features]
}

export function expectedTensors(dimensions: NetworkDimensions): Map<string, Shape> {
  return new Map([...encoderTensors(dimensions), ...headTensors(dimensions), ...temporalTensors(dimensions)])
}

function* encoderTensors({ embedWidth: width, depth, gridSize }: NetworkDimensions): Iterable<[string, Shape]> {
  yield ['pretrained.cls_token', [1, 1, width]]
  yield ['pretrained.pos_embed', [1, gridSize * gridSize + 1, width]]
  yield ['pretrained.mask_token', [1, width]]
  yield* withBias('pretrained.patch_embed.proj', [width, 3, patchSize, patchSize])
  for (let i = 0; i < depth; i++) {
    const block = `pretrained.blocks.${i}`
    yield* withBias(`${block}.norm1`, [width])
    yield* withBias(`${block}.attn.qkv`, [3 * width, width])
    yield* withBias(`${block}.attn.proj`, [width, width])
    yield [`${block}.ls1.gamma`, [width]]
    yield* withBias(`${block}.norm2`, [width])
    yield* withBias(`${block}.mlp.fc1`, [4 * width, width])
    yield* withBias(`${block}.mlp.fc2`, [width, 4 * width])
    yield [`${block}.ls2.gamma`, [width]]
  }
  yield* withBias('pretrained.norm', [width])
}

function* headTensors({ embedWidth, features, outChannels }: NetworkDimensions): Iterable<[string, Shape]> {
  const [out0, out1, , out3] = outChannels
  for (const [i, channels] of outChannels.entries()) {
    yield* withBias(`head.projects.${i}`, [channels, embedWidth, 1, 1])
    yield [`head.scratch.layer${i + 1}_rn.weight`, [features, channels, 3, 3]]
  }
  yield* withBias('head.resize_layers.0', [out0, out0, 4, 4])
  yield* withBias('head.resize_layers.1', [out1, out1, 2, 2])
  yield* withBias('head.resize_layers.3', [out3, out3, 3, 3])
  for (let i = 1; i <= 4; i++) {
    const block = `head.scratch.refinenet${i}`
    yield* withBias(`${block}.out_conv`, [features, features, 1, 1])
    for (const unit of [1, 2]) {
      for (const conv of [1, 2]) yield* withBias(`${block}.resConfUnit${unit}.conv${conv}`, [features, features, 3, 3])
    }
  }
  yield* withBias('head.scratch.output_conv1', [features / 2, features, 3, 3])
  yield* withBias('head.scratch.output_conv2.0', [outputChannels, features / 2, 3, 3])
  yield* withBias('head.scratch.output_conv2.2', [1, outputChannels, 1, 1])
}

function* temporalTensors(dimensions: NetworkDimensions): Iterable<[string, Shape]> {
  for (const [i, width] of temporalChannels(dimensions).entries()) {
    const module = `head.motion_modules.${i}.temporal_transformer`
    yield* withBias(`${module}.norm`, [width])
    yield* withBias(`${module}.proj_in`, [width, width])
    const block = `${module}.transformer_blocks.0`
    for (const j of [0, 1]) {
      const attention = `${block}.attention_blocks.${j}`
      for (const part of ['q', 'k', 'v']) yield [`${attention}.to_${part}.weight`, [width, width]]
      yield* withBias(`${attention}.to_out.0`, [width, width])
      yield [`${attention}.pos_encoder.pe`, [1, dimensions.temporalLength, width]]
      yield* withBias(`${block}.norms.${j}`, [width])
    }
    yield* withBias(`${block}.ff.net.0.proj`, [8 * width, width])
    yield* withBias(`${block}.ff.net.2`, [width, 4 * width])
    yield* withBias(`${block}.ff_norm`, [width])
    yield* withBias(`${module}.proj_out`, [width, width])
  }
}

/** A weight and the bias of its first axis; ConvTranspose's output channels equal its input's here. */
function* withBias(name: string, shape: Shape): Iterable<[string, Shape]> {
  yield [`${name}.weight`, shape]
  yield [`${name}.bias`, shape.slice(0, 1)]
}

const names: ReadonlySet<string> = new Set(
  expectedTensors({
    embedWidth: 64,
    depth: 1,
    heads: 1,
    features: 32,
    outChannels: [32, 32, 32, 32],
    gridSize: 1,
    temporalLength: 1,
  }).keys(),
)
