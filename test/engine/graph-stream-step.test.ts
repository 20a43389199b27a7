// Owns: tests of the stream step's own rules: streams beside each other, cutting by pixels, masks, handed types.
// Must not know: engines, upstream's cache rules.

import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import t, { type Test } from 'tap'
import { prepareDepthDecoder, prepareGraphs, prepareStreamStep } from '../../dist/esm/prepare/graph/prepare-graphs.js'
import { prepareWeights, type PreparedWeights } from '../../dist/esm/prepare/graph/prepare-weights.js'
import { buildStreamStep } from '../../dist/esm/prepare/graph/stream-step.js'
import { cpuVariant } from '../../dist/esm/prepare/graph/variant.js'
import { weightsIndex } from '../../dist/esm/prepare/graph/weights-file.js'
import { tinyPth } from '../support/checkpoint-files.js'
import { largestError, relativeError } from '../support/compare.js'
import { clip, errorOf } from '../support/fp16-stages.js'
import { joined, runWindow, split, TestGraph, type Outputs } from '../support/run-graphs.js'

const grid = { rows: 3, cols: 5 }
const slots = 6

const tinyWeights = (t: Test, precision: 'fp32' | 'fp16' = 'fp32'): Promise<PreparedWeights> =>
  prepareWeights({ checkpoint: tinyPth, cacheDir: t.testdir(), precision })

/** Values of about ±1 that differ from place to place and from stream to stream. */
const values = (length: number, stream: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => Math.sin(i * 12.9898 + stream * 78.233 + 1))

type Feeds = Record<string, Float32Array | BigInt64Array>

/** What one stream has seen and sees: another number of slots, at other positions, for each. */
function feedsOf(graph: TestGraph, inputs: readonly string[], stream: number, streams: number): Feeds {
  const feeds: Feeds = {
    positions: BigInt64Array.from({ length: slots + 1 }, (_, i) => BigInt((i * 3 + stream * 7) % 32)),
    mask: Float32Array.from({ length: slots + 1 }, (_, i) => (i < slots && (i + stream) % 3 === 0 ? -Infinity : 0)),
  }
  for (const name of inputs.filter((input) => input !== 'positions' && input !== 'mask')) {
    feeds[name] = values(graph.shape(name).reduce((a, b) => a * b, 1) / streams, stream + name.length)
  }
  return feeds
}

/** Feeds of several streams as those of one run. */
function together(streams: readonly Feeds[]): Feeds {
  const joinedFeeds: Feeds = {}
  for (const name of Object.keys(streams[0] ?? {})) {
    const parts = streams.map((feeds) => feeds[name])
    joinedFeeds[name] = parts.some((part) => part instanceof BigInt64Array)
      ? BigInt64Array.from(parts.flatMap((part) => [...(part as BigInt64Array)]))
      : joined(parts as Float32Array[])
  }
  return joinedFeeds
}

const inputNames = (ports: { readonly inputs: object }): string[] => Object.keys(ports.inputs)

t.test('streams in one run get what each gets alone', async (t) => {
  const weights = await tinyWeights(t)
  const alone = await prepareStreamStep(weights, { ...grid, stateSlots: slots, streams: 1 })
  const three = await prepareStreamStep(weights, { ...grid, stateSlots: slots, streams: 3 })
  const names = inputNames(alone.ports)
  const single = await TestGraph.use(alone.path, undefined, async (graph) => {
    const results: { feeds: Feeds; found: Outputs }[] = []
    for (const stream of [0, 1, 2]) {
      const feeds = feedsOf(graph, names, stream, 1)
      results.push({ feeds, found: await graph.run(feeds) })
    }
    return results
  })
  const found = await TestGraph.use(three.path, undefined, (graph) =>
    graph.run(together(single.map(({ feeds }) => feeds))),
  )
  t.equal(Object.keys(found).length, 9)
  for (const [name, value] of Object.entries(found)) {
    for (const [stream, part] of split(value, 3).entries())
      // Matrix products of other sizes are summed in another order.
      t.ok(relativeError(part, single[stream]?.found[name]) < 1e-5, `${name} of stream ${stream}`)
  }
  const [first, second] = single
  t.ok(largestError(first?.found['path3'], second?.found['path3']) > 0.01, 'and streams differ')
})

t.test('cutting by pixels changes nothing', async (t) => {
  const weights = await tinyWeights(t)
  const index = weightsIndex(weights.architecture, 'fp32')
  const shape = { ...grid, stateSlots: slots, streams: 2 }
  const found: Outputs[] = []
  for (const limit of [Infinity, 7]) {
    const graph = buildStreamStep(weights.architecture, index, shape, 'fp32', cpuVariant, limit)
    const file = path.join(weights.folder, 'cut.onnx')
    await writeFile(file, graph.serialize())
    const names = inputNames(graph.ports())
    found.push(
      await TestGraph.use(file, undefined, (loaded) =>
        loaded.run(together([0, 1].map((stream) => feedsOf(loaded, names, stream, 2)))),
      ),
    )
  }
  for (const [name, value] of Object.entries(found[1] ?? {})) t.ok(relativeError(value, found[0]?.[name]) < 1e-5, name)
  t.equal(Object.keys(found[1] ?? {}).length, 9)
})

t.test('what a mask hides has no part in the result, and a row that hides everything gives no NaN', async (t) => {
  for (const precision of ['fp32', 'fp16'] as const) {
    const weights = await tinyWeights(t, precision)
    const step = await prepareStreamStep(weights, { ...grid, stateSlots: slots, streams: 1 })
    await TestGraph.use(step.path, undefined, async (graph) => {
      const feeds = feedsOf(graph, inputNames(step.ports), 0, 1)
      const mask = Float32Array.from({ length: slots + 1 }, (_, i) => (i < slots ? -Infinity : 0))
      const found = await graph.run({ ...feeds, mask })
      const others = Object.entries(feeds).map(([name, data]): [string, Float32Array | BigInt64Array] =>
        name.startsWith('remembered') ? [name, (data as Float32Array).map((value) => 1 - 3 * value)] : [name, data],
      )
      const again = await graph.run({ ...Object.fromEntries(others), mask })
      t.equal(largestError(again['path3'], found['path3']), 0, `${precision}: other states that are not seen`)
      const nothing = await graph.run({ ...feeds, mask: mask.map(() => -Infinity) })
      t.ok(
        nothing['path3']?.every((value) => Number.isFinite(value)),
        `${precision}: nothing is seen`,
      )
    })
  }
})

t.test('float32 graphs between float16 ports, and the float32 decoder behind the fp16 plan', async (t) => {
  const cacheDir = t.testdir()
  const fp32 = await prepareWeights({ checkpoint: tinyPth, cacheDir, precision: 'fp32' })
  const fp16 = await prepareWeights({ checkpoint: tinyPth, cacheDir, precision: 'fp16' })
  const shape = { ...grid, windowLength: 2, encoderBatch: 1, decoderBatch: 1 }
  const frames = await clip(grid, 2)
  const wanted = await runWindow(await prepareGraphs(fp32, shape), frames)
  const handed = { ...cpuVariant, handed: 'float16' } as const
  const between = await runWindow(await prepareGraphs(fp32, shape, handed), frames)
  // Only what is handed is rounded, to 2⁻¹¹.
  t.ok(errorOf('', between.depth, wanted.depth).relative < 1e-3)
  const plan = await prepareGraphs(fp16, shape)
  const { path: depthDecoder } = await prepareDepthDecoder(fp32, shape, handed)
  const mixed = await runWindow({ ...plan, depthDecoder }, frames)
  t.ok(errorOf('', mixed.depth, wanted.depth).relative < 1e-2)
  const wide = await runWindow(await prepareGraphs(fp16, shape, { ...cpuVariant, handed: 'float32' }), frames)
  t.ok(errorOf('', wide.depth, wanted.depth).relative < 1e-2)
})
