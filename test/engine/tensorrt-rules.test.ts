// Owns: tests of the rules behind plans that need no engine: ladder, batches, figures; and of the thread that makes graphs.
// Must not know: caches, engines.

import type { Worker } from 'node:worker_threads'
import t from 'tap'
import { compareMaps, whyWrong } from '../../dist/esm/engine/tensorrt/compare-maps.js'
import { GraphSource } from '../../dist/esm/engine/tensorrt/graph-source.js'
import { ladder, ladderStart } from '../../dist/esm/engine/tensorrt/ladder.js'
import { graphRequests, windowBatch, type WindowSpec } from '../../dist/esm/engine/tensorrt/plan-spec.js'
import { tinyPth } from '../support/checkpoint-files.js'

t.test('known bad versions', (t) => {
  t.match(ladderStart('fp16', '10.6.0', '9.0'), { index: 0, rejected: [] })
  t.match(ladderStart('fp16', '10.3.0', '8.6'), {
    index: ladder.length - 1,
    rejected: [
      { variant: 'fp16', reason: 'TensorRT 10.3.0 is known to give wrong FP16 results for networks of this kind' },
    ],
  })
  t.equal(ladderStart('fp16', '10.4.0', '8.6').index, ladder.length - 1)
  t.equal(ladderStart('fp16', '10.30.0', '8.6').index, 0)
  t.equal(ladder[ladderStart('fp16', '10.16.1', '12.0').index]?.trunk.variant.attention, 'unfused')
  t.equal(ladderStart('fp16', '10.16.0', '12.0').index, 0)
  t.equal(ladderStart('fp16', '10.16.1', '9.0').index, 0)
  t.equal(ladderStart('fp32', '10.3.0', '9.0').rejected.length, 0)
  t.end()
})

t.test('batches of windows divide the new frames', (t) => {
  t.same([16, 32, 48].map(windowBatch), [5, 11, 17])
  const spec: WindowSpec = { use: 'windows', inputWidth: 518, inputHeight: 280, windowLength: 32 }
  const [rung] = ladder
  t.match(rung && graphRequests(spec, rung).map(({ shape }) => shape), [
    { rows: 20, cols: 37, encoderBatch: 11 },
    { rows: 20, cols: 37, windowLength: 32 },
    { rows: 20, cols: 37, decoderBatch: 11 },
  ])
  t.end()
})

t.test('figures of the self-check', async (t) => {
  const reference = Float32Array.from({ length: 100 }, (_, i) => 1 + i)
  const same = await compareMaps([reference], [reference])
  t.same(same, { cosine: 1, relativeError: 0, largestError: 0, nonFinite: 0 })
  t.equal(whyWrong(same), '')
  const scaled = reference.map((value) => value * 1.005)
  t.equal(whyWrong(await compareMaps([scaled], [reference])), '', 'half a percent')
  t.match(
    whyWrong(await compareMaps([reference, reference.map((value) => value * 1.02)], [reference, reference])),
    /relative error 2\.0e-2/,
  )
  const broken = reference.slice()
  broken[3] = Number.NaN
  const found = await compareMaps([broken], [reference])
  t.equal(whyWrong(found), '1 value is not finite')
  t.equal(found.largestError, 0, 'of the finite ones')
  const flat = new Float32Array(100).fill(2)
  const { largestError } = await compareMaps([flat.map((value, i) => value + (i === 7 ? 0.5 : 0))], [flat])
  t.equal(largestError, 0.5, 'of a flat reference: as it is')
  t.match(whyWrong(await compareMaps([new Float32Array(100)], [reference])), /cosine NaN/)
  await t.rejects(compareMaps([reference.subarray(1)], [reference]))
})

t.test('the event loop goes on between two maps', async (t) => {
  const map = new Float32Array(100).fill(1)
  let hasTicked = false
  setImmediate(() => (hasTicked = true))
  await compareMaps([map, map], [map, map])
  t.equal(hasTicked, true)
})

t.test('an error of the thread that makes graphs, between two requests, is told to the next one', async (t) => {
  let worker: Worker | undefined
  process.once('worker', (started: Worker) => (worker = started))
  const preparation = { signal: new AbortController().signal, onProgress: () => undefined }
  const used = GraphSource.use({ checkpoint: tinyPth, cacheDir: t.testdir() }, preparation, async (graphs) => {
    await new Promise((resolve) => setImmediate(resolve))
    worker?.emit('error', new Error('out of memory'))
    await graphs.weights('fp16')
  })
  await t.rejects(used, {
    code: 'ENGINE_CRASHED',
    message: 'The thread that makes graphs ended unexpectedly (out of memory)',
  })
  t.ok(worker)
})
