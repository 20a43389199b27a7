// Owns: a checkpoint with the outliers that trained vision transformers have, planted into the weights of another one.
// Must not know: benchmarks. Run: node benchmarks/plant-outliers.mjs tokens|channels MAGNITUDE FROM.safetensors TO.safetensors
// "Vision Transformers Need Registers" (arXiv 2309.16588) and "Massive Activations in Large Language Models" (arXiv
// 2402.17762) describe both kinds.

import { readFile, writeFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'

/** Channels that are large in every token. */
const channels = [5, 77, 200]
/** Blocks and channels of the few tokens with large values. */
const massive = { blocks: [1, 2], channels: [11, 150] }

/** The normal distribution: 2 % lie above this, and the largest of a thousand by about that much. */
const quantile = 2.054
const beyond = 1.1

/**
 * `channels`: weight and bias of every LayerNorm of the encoder × `magnitude` in three channels, the rows of the product
 * after it ÷ `magnitude`. In exact arithmetic the network is the same.
 *
 * `tokens`: in two blocks, a unit of the feed-forward layer that answers to 2 % of the tokens writes up to `magnitude` into
 * a channel of the residual stream, whose median is about 1. It is another network, with massive activations.
 *
 * @param {'tokens' | 'channels'} kind
 * @param {number} magnitude above 0
 */
export async function plantOutliers(kind, magnitude, from, to) {
  const bytes = await readFile(from)
  const length = Number(bytes.readBigUInt64LE(0))
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString())
  const start = (offset) => bytes.byteOffset + 8 + length + offset
  const tensor = (name) => {
    const entry = header[name]
    if (entry?.dtype !== 'F32') throw new Error(`Expected ${name} as F32 in ${from}`)
    const [begin, end] = entry.data_offsets
    const own = Float32Array.from(new Float32Array(bytes.buffer.slice(start(begin), start(end))))
    const write = () => bytes.set(new Uint8Array(own.buffer), 8 + length + begin)
    return { values: own, shape: entry.shape, write }
  }
  if (kind === 'channels') plantChannels(tensor, header, magnitude)
  else if (kind === 'tokens') plantTokens(tensor, magnitude)
  else throw new Error(`Expected tokens or channels, received ${kind}`)
  await writeFile(to, bytes)
}

function plantChannels(tensor, header, magnitude) {
  const change = (name, factor, isColumn) => {
    const { values, shape, write } = tensor(name)
    const width = shape[1] ?? 1
    for (const channel of channels) {
      if (!isColumn) values[channel] *= factor
      else for (let row = 0; row < shape[0]; row++) values[row * width + channel] *= factor
    }
    write()
  }
  const blocks = Object.keys(header).flatMap(
    (name) => /^(pretrained\.blocks\.\d+)\.norm1\.weight$/.exec(name)?.[1] ?? [],
  )
  for (const block of blocks) {
    for (const [norm, next] of [
      ['norm1', 'attn.qkv'],
      ['norm2', 'mlp.fc1'],
    ]) {
      change(`${block}.${norm}.weight`, magnitude, false)
      change(`${block}.${norm}.bias`, magnitude, false)
      change(`${block}.${next}.weight`, 1 / magnitude, true)
    }
  }
}

function plantTokens(tensor, magnitude) {
  for (const [i, block] of massive.blocks.entries()) {
    const hidden = tensor(`pretrained.blocks.${block}.mlp.fc1.weight`)
    const bias = tensor(`pretrained.blocks.${block}.mlp.fc1.bias`)
    const output = tensor(`pretrained.blocks.${block}.mlp.fc2.weight`)
    const gamma = tensor(`pretrained.blocks.${block}.ls2.gamma`)
    const [units, width] = hidden.shape
    // A unit's input is about normal with the deviation of its row: the bias leaves the share above it.
    const unit = 17 + i
    const row = hidden.values.subarray(unit * width, (unit + 1) * width)
    const deviation = Math.hypot(...row)
    bias.values[unit] = -quantile * deviation
    const channel = massive.channels[i]
    output.values[channel * units + unit] = magnitude / (gamma.values[channel] * deviation * beyond)
    bias.write()
    output.write()
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [kind, magnitude, from, to] = process.argv.slice(2)
  if (to === undefined)
    throw new Error(
      'usage: node benchmarks/plant-outliers.mjs tokens|channels MAGNITUDE FROM.safetensors TO.safetensors',
    )
  await plantOutliers(kind, Number(magnitude), from, to)
}
