// Owns: tests of recognising networks by tensor shapes, and of the recipes in engines/.
// Must not know: file formats.

import t from 'tap'
import { VideoDepthError } from '../../dist/esm/base/errors.js'
import { readArchitecture } from '../../dist/esm/prepare/checkpoint/architecture.js'
import { expectedTensors, type NetworkDimensions } from '../../dist/esm/prepare/checkpoint/layout.js'
import {
  defaultInputSize,
  licenseNote,
  matchRecipes,
  publishedInputSize,
  recipes,
} from '../../dist/esm/prepare/checkpoint/recipe.js'

type Shapes = Map<string, { shape: readonly number[] }>

function shapesOf(dimensions: NetworkDimensions): Shapes {
  return new Map([...expectedTensors(dimensions)].map(([name, shape]) => [name, { shape }]))
}

const withHeads = (d: Omit<NetworkDimensions, 'heads'>): NetworkDimensions => ({ ...d, heads: d.embedWidth / 64 })
const tiny = withHeads({
  embedWidth: 128,
  depth: 4,
  features: 32,
  outChannels: [32, 32, 64, 64],
  gridSize: 10,
  temporalLength: 32,
})

function thrown(run: () => unknown): VideoDepthError {
  try {
    run()
  } catch (error) {
    if (error instanceof VideoDepthError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

t.test('every recipe is found by its shapes, with its taps', (t) => {
  t.equal(recipes().length, 8)
  for (const recipe of recipes()) {
    const architecture = readArchitecture(shapesOf(withHeads(recipe.dimensions)))
    t.same(architecture.taps, recipe.taps, recipe.name)
    t.equal(architecture.size ?? null, recipe.size)
    t.equal(architecture.heads, recipe.dimensions.embedWidth / 64)
    t.ok(matchRecipes(architecture).includes(recipe))
    t.ok(['disparity', 'metric'].includes(recipe.kind))
    t.equal(defaultInputSize(architecture), recipe.inputSize)
    if (recipe.source !== null) t.equal(recipe.inputSize, publishedInputSize)
    t.equal(recipe.commercialUse, recipe.license === 'Apache-2.0')
  }
  t.end()
})

t.test('networks without a recipe get the published input size', (t) => {
  t.equal(defaultInputSize({ ...tiny, depth: 5 }), 518)
  t.end()
})

t.test('parameters of the published sizes', (t) => {
  const count = (name: string): number => {
    const recipe = recipes().find((r) => r.name === name)
    if (recipe === undefined) throw new Error(name)
    let total = 0
    for (const [tensor, shape] of expectedTensors(withHeads(recipe.dimensions))) {
      const counted = !/\.pe$|pos_embed$|mask_token$|refinenet4\.resConfUnit1/.test(tensor)
      if (counted) total += shape.reduce((a, b) => a * b, 1)
    }
    return Math.round(total / 1e5) / 10
  }
  // Upstream's table counts neither position tables nor what is never used.
  t.equal(count('video_depth_anything_vits'), 28.4)
  t.equal(count('video_depth_anything_vitb'), 113.1)
  t.equal(count('video_depth_anything_vitl'), 381.8)
  t.end()
})

t.test('licences', (t) => {
  const note = (size: string): string => licenseNote(recipes().filter((recipe) => recipe.size === size))
  t.match(note('S'), /Apache-2\.0\.$/)
  t.match(note('B'), /CC-BY-NC-4\.0: not for commercial use/)
  t.match(note('L'), /CC-BY-NC-4\.0: not for commercial use/)
  t.match(licenseNote([]), /not known/)
  t.end()
})

t.test('missing, surplus and misshapen tensors are named and counted', (t) => {
  const tensors = shapesOf(tiny)
  tensors.delete('head.scratch.layer2_rn.weight')
  tensors.set('head.extra.weight', { shape: [1] })
  tensors.set('pretrained.norm.weight', { shape: [64] })
  const error = thrown(() => readArchitecture(tensors))
  t.equal(error.code, 'CHECKPOINT_MISMATCH')
  t.match(error.message, '1 missing: head.scratch.layer2_rn.weight')
  t.match(error.message, '1 surplus: head.extra.weight')
  t.match(error.message, '1 misshapen: pretrained.norm.weight of [64] instead of [128]')
  t.end()
})

t.test('long lists are cut, with the count', (t) => {
  const tensors = shapesOf(tiny)
  for (const name of [...tensors.keys()]) if (name.startsWith('pretrained.blocks.1.')) tensors.delete(name)
  t.match(
    thrown(() => readArchitecture(tensors)).message,
    /14 missing: .*pretrained\.blocks\.1\.norm1\.weight.* and 4 more/,
  )
  t.end()
})

t.test('missing key tensors and odd widths', (t) => {
  for (const name of ['pretrained.cls_token', 'head.projects.2.weight', 'pretrained.pos_embed']) {
    const tensors = shapesOf(tiny)
    tensors.delete(name)
    const error = thrown(() => readArchitecture(tensors))
    t.equal(error.code, 'CHECKPOINT_MISMATCH')
    t.match(error.message, name)
  }
  t.match(thrown(() => readArchitecture(shapesOf({ ...tiny, embedWidth: 100 }))).message, /Encoder width 100/)
  t.match(thrown(() => readArchitecture(shapesOf({ ...tiny, features: 40 }))).message, /Head width 40/)
  const headless = shapesOf(tiny)
  for (const name of [...headless.keys()]) if (name.startsWith('pretrained.blocks.')) headless.delete(name)
  t.match(thrown(() => readArchitecture(headless)).message, /no encoder blocks/)
  t.end()
})

t.test('the unused mask token may be absent', (t) => {
  const tensors = shapesOf(tiny)
  tensors.delete('pretrained.mask_token')
  t.equal(readArchitecture(tensors).depth, 4)
  t.end()
})

t.test('other networks are recognised', (t) => {
  const cases: [RegExp, string[]][] = [
    [/Depth Anything V1 or V2, the image model/, ['pretrained.cls_token', 'depth_head.projects.0.weight']],
    [/ResNet/, ['conv1.weight', 'layer1.0.conv1.weight', 'fc.weight']],
    [/DINOv2 encoder alone/, ['cls_token', 'blocks.0.attn.qkv.weight']],
    [/transformers library/, ['backbone.embeddings.cls_token']],
    [/no temporal modules/, ['pretrained.cls_token', 'head.projects.0.weight']],
    [/another network \(foo, bar …\)/, ['foo', 'bar']],
    [/holds no tensors/, []],
  ]
  for (const [message, names] of cases) {
    const error = thrown(() => readArchitecture(new Map(names.map((name) => [name, { shape: [1] }]))))
    t.equal(error.code, 'CHECKPOINT_MISMATCH')
    t.match(error.message, message)
  }
  t.end()
})

t.test('taps: by recipe, by depth, or refused', (t) => {
  t.same(readArchitecture(shapesOf({ ...tiny, depth: 12 })).taps, [2, 5, 8, 11])
  t.same(readArchitecture(shapesOf({ ...tiny, depth: 24 })).taps, [4, 11, 17, 23])
  const [recipe] = recipes()
  const six = { ...recipe!, dimensions: { ...tiny, depth: 6 }, taps: [0, 2, 4, 5] as const }
  t.same(readArchitecture(shapesOf({ ...tiny, depth: 6 }), [six]).taps, [0, 2, 4, 5])
  const error = thrown(() => readArchitecture(shapesOf({ ...tiny, depth: 6 })))
  t.equal(error.code, 'CHECKPOINT_MISMATCH')
  t.equal(
    error.message,
    'The network has 6 encoder blocks, and no recipe in engines/ says which of them the head reads. ' +
      'Expected the shapes of a recipe, or 12 or 24 blocks.',
  )
  t.end()
})
