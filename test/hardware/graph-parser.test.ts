// Owns: TensorRT's own ONNX parser as a judge of emitted graphs, where it can be had.
// Must not know: what the judge does, engines.

import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { encodeModel } from '../../dist/esm/prepare/graph/onnx-proto.js'
import { prepareDepthDecoder } from '../../dist/esm/prepare/graph/prepare-graphs.js'
import { cpuVariant } from '../../dist/esm/prepare/graph/variant.js'
import { bothPrecisions } from '../support/fp16-stages.js'
import { everyBatch, everyGraph, leastBatches } from '../support/every-graph.js'
import { tinyPth } from '../support/checkpoint-files.js'
import { readGraph } from '../support/onnx-reader.js'
import { seededCheckpoint } from '../support/seeded.js'

/**
 * A program that takes `--trt-lib FOLDER --json model.onnx…`, prints one JSON object a model and line, and exits with 0
 * where the parser in that folder takes them all with the types and shapes that they declare, strongly typed.
 */
const program = process.env['TENSORRT_PARSE_CHECK']
/** Folders with libnvonnxparser, separated by ':'. */
const folders = (process.env['TENSORRT_LIBS'] ?? '').split(':').filter((folder) => folder !== '')
const skip =
  (program === undefined || folders.length === 0) &&
  'TENSORRT_PARSE_CHECK (a program) and TENSORRT_LIBS (folders) do not say where a parser is'

const execute = promisify(execFile)

interface Verdict {
  readonly model: string
  readonly exit: number
  readonly verdict: string
  readonly compared: number
  readonly declared: number
}

async function judge(folder: string, models: readonly string[]): Promise<Verdict[]> {
  const options = { maxBuffer: 1 << 30 }
  const judged = execute(program ?? '', ['--trt-lib', folder, '--json', ...models], options)
  // It exits with another code where it rejects a model; the lines say which.
  const { stdout } = await judged.catch((error: unknown) => error as { stdout: string })
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Verdict)
}

const cases = [
  {
    name: 'the small network',
    checkpoint: () => Promise.resolve(tinyPth),
    grid: { rows: 5, cols: 9 },
    batches: everyBatch,
  },
  {
    name: 'S',
    checkpoint: (folder: string) => seededCheckpoint('S', folder),
    grid: { rows: 20, cols: 20 },
    batches: leastBatches,
  },
]

t.test('a graph with a cast left out is refused', { skip }, async (t) => {
  const { fp16 } = await bothPrecisions(tinyPth, t.testdir())
  const decoder = await prepareDepthDecoder(fp16, { rows: 5, cols: 9, decoderBatch: 1 }, cpuVariant)
  const graph = readGraph(await readFile(decoder.path))
  const cast = graph.nodes.find(({ operator }) => operator === 'Cast')
  if (cast === undefined) throw new Error('the decoder casts nothing')
  const rename = (name: string): string => (name === cast.output ? (cast.inputs[0] ?? '') : name)
  const nodes = graph.nodes
    .filter((node) => node !== cast)
    .map((node) => ({ ...node, inputs: node.inputs.map(rename) }))
  const broken = path.join(fp16.folder, 'broken.onnx')
  await writeFile(broken, encodeModel({ ...graph, nodes }, 'test'))
  for (const library of folders) {
    const verdicts = await judge(library, [decoder.path, broken])
    t.same(
      verdicts.map(({ exit }) => exit === 0),
      [true, false],
      library,
    )
  }
})

for (const { name, checkpoint, grid, batches } of cases) {
  t.test(`${name}: TensorRT's parser takes every graph as it is declared`, { skip }, async (t) => {
    const folder = t.testdir()
    const weights = await bothPrecisions(await checkpoint(folder), path.join(folder, 'cache'))
    const models = (await everyGraph(weights, grid, batches)).map((graph) => graph.path)
    for (const library of folders) {
      const verdicts = await judge(library, models)
      t.same(
        verdicts.map(({ model }) => model),
        models,
        `a verdict on each graph: ${library}`,
      )
      for (const { model, exit, verdict, compared, declared } of verdicts)
        t.ok(exit === 0 && compared === declared && declared > 0, `${path.basename(model)}: ${verdict}`)
    }
  })
}
