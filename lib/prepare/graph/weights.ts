// Owns: which tensors the weights file holds, and how each is made from the checkpoint's.
// Must not know: files, graphs.

import { encoderHeadWidth, temporalChannels, temporalHeads, type NetworkDimensions } from '../checkpoint/layout.js'
import { range, scaled, stacked, sum, transposed } from './tensor-math.js'

/** `fp16` is the plan for TensorRT: see each tensor's type below. */
export type Precision = 'fp32' | 'fp16'

export interface WeightSpec {
  readonly name: string
  readonly type: 'float32' | 'float16'
  readonly shape: readonly number[]
  /** From the group's sources, in their order. */
  readonly make: (values: readonly Float32Array[]) => Float32Array
}

/** Tensors that come from the same checkpoint tensors, so that each of those is read once. */
export interface WeightGroup {
  readonly sources: readonly string[]
  readonly tensors: readonly WeightSpec[]
}

/** Head widths below 16 are zero-padded to 16 in the fp16 plan: TensorRT fuses attention from there on. Exact. */
const leastFusedWidth = 16

function storedHeadWidth(width: number, precision: Precision): number {
  return precision === 'fp16' ? Math.max(width, leastFusedWidth) : width
}

/** In the order of the checkpoint's tensors as far as possible, so that it is read front to back. */
export function weightGroups(dimensions: NetworkDimensions, precision: Precision): WeightGroup[] {
  const plan = new WeightPlan(precision)
  encoderWeights(plan, dimensions)
  headWeights(plan, dimensions)
  for (const [i, width] of temporalChannels(dimensions).entries()) temporalWeights(plan, dimensions, i, width)
  return plan.groups
}

class WeightPlan {
  readonly groups: WeightGroup[] = []
  readonly precision: Precision
  /** Type of what is multiplied on tensor cores. */
  readonly fast: 'float32' | 'float16'

  constructor(precision: Precision) {
    this.precision = precision
    this.fast = precision === 'fp16' ? 'float16' : 'float32'
  }

  add(sources: readonly string[], ...tensors: readonly WeightSpec[]): void {
    this.groups.push({ sources, tensors })
  }

  copy(name: string, shape: readonly number[], type: 'float32' | 'float16' = 'float32'): void {
    this.add([name], { name, type, shape, make: ([values]) => given(values) })
  }

  /** PyTorch's [out, in] becomes MatMul's [in, out]. */
  linear(name: string, inputs: number, outputs: number): void {
    const make = ([values]: readonly Float32Array[]): Float32Array => transposed(given(values), outputs, inputs)
    this.add([`${name}.weight`], { name: `${name}.weight`, type: this.fast, shape: [inputs, outputs], make })
    this.copy(`${name}.bias`, [outputs], this.fast)
  }

  conv(name: string, shape: readonly number[], hasBias = true, type = this.fast): void {
    this.copy(`${name}.weight`, shape, type)
    // A ConvTranspose's output channels are its input's here, so the first extent serves both.
    if (hasBias) this.copy(`${name}.bias`, shape.slice(0, 1), type)
  }

  norm(name: string, width: number): void {
    this.copy(`${name}.weight`, [width])
    this.copy(`${name}.bias`, [width])
  }
}

function given(values: Float32Array | undefined): Float32Array {
  if (values === undefined) throw new Error('a source tensor was not read')
  return values
}

function encoderWeights(plan: WeightPlan, { embedWidth: width, depth, gridSize }: NetworkDimensions): void {
  const patches = gridSize * gridSize
  plan.add(
    ['pretrained.cls_token', 'pretrained.pos_embed'],
    {
      name: 'pretrained.class_position', // class token with its position added
      type: 'float32',
      shape: [1, 1, width],
      make: ([token, table]) => sum(given(token), given(table).subarray(0, width)),
    },
    {
      name: 'pretrained.positions',
      type: 'float32',
      shape: [1, patches, width],
      make: ([, table]) => given(table).subarray(width),
    },
  )
  plan.conv('pretrained.patch_embed.proj', [width, 3, 14, 14])
  for (let i = 0; i < depth; i++) {
    const block = `pretrained.blocks.${i}`
    plan.norm(`${block}.norm1`, width)
    queryKeyValue(plan, `${block}.attn`, width)
    plan.linear(`${block}.attn.proj`, width, width)
    plan.copy(`${block}.ls1.gamma`, [width])
    plan.norm(`${block}.norm2`, width)
    plan.linear(`${block}.mlp.fc1`, width, 4 * width)
    plan.linear(`${block}.mlp.fc2`, 4 * width, width)
    plan.copy(`${block}.ls2.gamma`, [width])
  }
  plan.norm('pretrained.norm', width)
}

/** Splits the fused projection; attention's scale 1/√width goes into the query's weights and bias. */
function queryKeyValue(plan: WeightPlan, name: string, width: number): void {
  const scale = 1 / Math.sqrt(encoderHeadWidth)
  const part = (i: number, length: number) => (values: Float32Array | undefined) => {
    const rows = range(given(values), i * length, length)
    return i === 0 ? scaled(rows, scale) : rows
  }
  const tensors = (kind: 'weight' | 'bias'): WeightSpec[] =>
    ['q', 'k', 'v'].map((letter, i) => ({
      name: `${name}.${letter}.${kind}`,
      type: plan.fast,
      shape: kind === 'weight' ? [width, width] : [width],
      make: ([values]) =>
        kind === 'weight' ? transposed(part(i, width * width)(values), width, width) : part(i, width)(values),
    }))
  plan.add([`${name}.qkv.weight`], ...tensors('weight'))
  plan.add([`${name}.qkv.bias`], ...tensors('bias'))
}

function headWeights(plan: WeightPlan, { embedWidth, features, outChannels }: NetworkDimensions): void {
  const [out0, out1, , out3] = outChannels
  // A 1×1 convolution of tokens is a MatMul.
  for (const [i, channels] of outChannels.entries()) plan.linear(`head.projects.${i}`, embedWidth, channels)
  plan.conv('head.resize_layers.0', [out0, out0, 4, 4])
  plan.conv('head.resize_layers.1', [out1, out1, 2, 2])
  plan.conv('head.resize_layers.3', [out3, out3, 3, 3])
  for (const [i, channels] of outChannels.entries()) {
    plan.conv(`head.scratch.layer${i + 1}_rn`, [features, channels, 3, 3], false)
  }
  for (const i of [1, 2, 3, 4]) {
    const block = `head.scratch.refinenet${i}`
    plan.conv(`${block}.out_conv`, [features, features, 1, 1])
    for (const unit of i === 4 ? [2] : [1, 2]) {
      // Fusion 4 has a single input: its first unit is in the checkpoint, but never used.
      for (const n of [1, 2]) plan.conv(`${block}.resConfUnit${unit}.conv${n}`, [features, features, 3, 3])
    }
  }
  plan.conv('head.scratch.output_conv1', [features / 2, features, 3, 3])
  // float32 also in the fp16 plan, as upstream has it under autocast.
  plan.conv('head.scratch.output_conv2.0', [32, features / 2, 3, 3], true, 'float32')
  plan.conv('head.scratch.output_conv2.2', [1, 32, 1, 1], true, 'float32')
}

function temporalWeights(plan: WeightPlan, { temporalLength }: NetworkDimensions, index: number, width: number): void {
  const module = `head.motion_modules.${index}.temporal_transformer`
  const block = `${module}.transformer_blocks.0`
  plan.norm(`${module}.norm`, width)
  plan.linear(`${module}.proj_in`, width, width)
  for (const i of [0, 1]) {
    temporalAttention(plan, `${block}.attention_blocks.${i}`, width)
    plan.copy(`${block}.attention_blocks.${i}.pos_encoder.pe`, [1, temporalLength, width])
    plan.norm(`${block}.norms.${i}`, width)
  }
  gatedProjection(plan, `${block}.ff.net.0.proj`, width)
  plan.linear(`${block}.ff.net.2`, 4 * width, width)
  plan.norm(`${block}.ff_norm`, width)
  plan.linear(`${module}.proj_out`, width, width)
}

function temporalAttention(plan: WeightPlan, name: string, width: number): void {
  const head = width / temporalHeads
  const stored = storedHeadWidth(head, plan.precision)
  const inner = stored * temporalHeads
  for (const letter of ['q', 'k', 'v']) {
    const factor = letter === 'q' ? 1 / Math.sqrt(head) : 1
    plan.add([`${name}.to_${letter}.weight`], {
      name: `${name}.${letter}.weight`,
      type: plan.fast,
      shape: [width, inner],
      make: ([values]) =>
        transposed(padHeads(scaled(given(values), factor), head * width, stored * width), inner, width),
    })
  }
  plan.add([`${name}.to_out.0.weight`], {
    name: `${name}.to_out.0.weight`,
    type: plan.fast,
    shape: [inner, width],
    make: ([values]) => padHeads(transposed(given(values), width, width), head * width, stored * width),
  })
  plan.copy(`${name}.to_out.0.bias`, [width], plan.fast)
}

/** Puts zeros behind each head's values. */
function padHeads(values: Float32Array, from: number, to: number): Float32Array {
  if (from === to) return values
  const heads = Array.from({ length: temporalHeads }, (_, i) => values.subarray(i * from, (i + 1) * from))
  return stacked(heads, to)
}

/** GEGLU's one projection as two, so that nothing has to be split at run time. */
function gatedProjection(plan: WeightPlan, name: string, width: number): void {
  const inner = 4 * width
  const part = (kind: 'weight' | 'bias', i: number): WeightSpec => ({
    name: `${name}.${i === 0 ? 'value' : 'gate'}.${kind}`,
    type: plan.fast,
    shape: kind === 'weight' ? [width, inner] : [inner],
    make: ([values]) => {
      const length = kind === 'weight' ? inner * width : inner
      const rows = range(given(values), i * length, length)
      return kind === 'weight' ? transposed(rows, inner, width) : rows
    },
  })
  plan.add([`${name}.weight`], part('weight', 0), part('weight', 1))
  plan.add([`${name}.bias`], part('bias', 0), part('bias', 1))
}
