// Owns: a checkpoint of a published size with seeded random weights, for speed and memory where no real one is at hand.
// Must not know: benchmarks. Run: node benchmarks/seeded-checkpoint.mjs S|B|L FILE.safetensors

import { open } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { expectedTensors } from '../dist/esm/prepare/checkpoint/layout.js'
import { recipes } from '../dist/esm/prepare/checkpoint/recipe.js'

/**
 * Activations stay healthy and every part matters: deviations of 1.2/√fan-in, LayerScale 0.3, output bias 1.
 *
 * @param depth encoder blocks, where fewer than the size's own will do
 */
export async function writeSeededCheckpoint(size, file, seed = 7, depth = undefined) {
  const recipe = recipes().find((candidate) => candidate.size === size)
  if (recipe === undefined) throw new Error(`Expected S, B or L for size, received ${size}`)
  const dimensions = {
    ...recipe.dimensions,
    heads: recipe.dimensions.embedWidth / 64,
    depth: depth ?? recipe.dimensions.depth,
  }
  const tensors = [...expectedTensors(dimensions)]
  const header = {}
  let offset = 0
  for (const [name, shape] of tensors) {
    const bytes = 4 * elements(shape)
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + bytes] }
    offset += bytes
  }
  const text = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  const output = await open(file, 'w')
  try {
    await output.write(length)
    await output.write(text)
    const random = gaussian(seed)
    for (const [name, shape] of tensors) await output.write(new Uint8Array(values(name, shape, random).buffer))
  } finally {
    await output.close()
  }
}

function elements(shape) {
  return shape.reduce((a, b) => a * b, 1)
}

function values(name, shape, random) {
  const data = new Float32Array(elements(shape))
  if (name.endsWith('pos_encoder.pe')) return sinusoids(data, shape[2])
  const [mean, deviation] = distribution(name, shape)
  for (let i = 0; i < data.length; i++) data[i] = mean + deviation * random()
  if (name === 'head.scratch.output_conv2.2.weight') return data.map(Math.abs)
  return data
}

function distribution(name, shape) {
  if (name === 'head.scratch.output_conv2.2.bias') return [1, 0]
  if (name.endsWith('gamma')) return [0.3, 0.1]
  if (/norm.*weight$/.test(name)) return [1, 0.1]
  if (name.endsWith('bias')) return [0, 0.05]
  if (/pos_embed|token/.test(name)) return [0, 0.5]
  if (/resize_layers\.[01]\.weight/.test(name)) return [0, 1 / Math.sqrt(shape[0])]
  return [0, 1.2 / Math.sqrt(elements(shape.slice(1)))]
}

function sinusoids(data, width) {
  for (let i = 0; i < data.length; i++) {
    const [position, channel] = [Math.floor(i / width), i % width]
    const angle = position * Math.exp((channel - (channel % 2)) * (-Math.log(10000) / width))
    data[i] = channel % 2 === 0 ? Math.sin(angle) : Math.cos(angle)
  }
  return data
}

/** Box-Muller on mulberry32. */
function gaussian(seed) {
  let state = seed >>> 0
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [size, file] = process.argv.slice(2)
  if (file === undefined) throw new Error('usage: node benchmarks/seeded-checkpoint.mjs S|B|L FILE.safetensors')
  await writeSeededCheckpoint(size, file)
}
