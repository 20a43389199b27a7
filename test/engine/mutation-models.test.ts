// Owns: a mutation run over checkpoints, pickles, snapshots and the cache's records.
// Must not know: how files are mutated, how a reader works.

import { readFile } from 'node:fs/promises'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { crc32 } from 'node:zlib'
import t from 'tap'
import { prepareEncoder } from '../../dist/esm/prepare/graph/prepare-graphs.js'
import { prepareWeights } from '../../dist/esm/prepare/graph/prepare-weights.js'
import * as files from '../support/checkpoint-files.js'
import { EchoEngine, frame, streamOn } from '../support/echo-engine.js'
import { mutationRun, mutationTimeoutMs, oneFile, type Seed } from '../support/mutation.js'
import { pickleStateDict } from '../support/pickle-writer.js'

t.setTimeout(mutationTimeoutMs)
const module = new URL('../support/mutation-models.js', import.meta.url)

/** Small ones, with the right names and shapes of all that one block needs. */
function small(): files.TestTensors {
  return new Map(
    ['a.weight', 'a.bias', 'b.weight'].map((name, i) => [
      name,
      { shape: [2, 3 + i], values: Float32Array.from({ length: 2 * (3 + i) }, (_, k) => k + i) },
    ]),
  )
}

t.test('mutated files of models', async (t) => {
  const folder = t.testdir()
  const at = (name: string): string => path.join(folder, name)
  await files.writeZip(at('a.pth'), files.pthRecords(small()))
  await files.writeZip(at('nested.pth'), files.pthRecords(small(), 'float16', ['state_dict', 'model']), { zip64: true })
  await files.writeSafetensors(at('a.safetensors'), small())
  const read = async (name: string): Promise<Seed> => oneFile(name, await readFile(at(name)))
  const pickled = files.pthRecords(small()).get('data.pkl') ?? new Uint8Array(0)
  const view = { storage: 'FloatStorage', key: '0', elements: 6, shape: [3, 2], strides: [1, 3] }
  const stream = streamOn(new EchoEngine(), { sceneCuts: true })
  for (const value of [1, 2]) await stream.push(frame(value))
  await mutationRun(t, module, [
    { name: 'pth', seeds: [await read('a.pth'), await read('nested.pth')] },
    { name: 'safetensors', seeds: [await read('a.safetensors')] },
    {
      name: 'pickle',
      seeds: [oneFile('a.pkl', pickled), oneFile('b.pkl', pickleStateDict(new Map([['a', view]]), ['model']))],
    },
    { name: 'snapshot', seeds: [oneFile('a.snapshot', await stream.snapshot())], guarded: true, repair: withChecksum },
  ])
  const slower = [
    { name: 'described', seeds: [oneFile('tiny.pth', await readFile(files.tinyPth))] },
    { name: 'cache', seeds: [await cacheSeed(at('cache'))], guarded: true },
    { name: 'whole cache', seeds: [await wholeSeed(at('whole'))], guarded: true },
  ]
  await mutationRun(t, module, slower, 30)
})

function withChecksum(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 20) return bytes
  const repaired = bytes.slice()
  new DataView(repaired.buffer).setUint32(16, crc32(repaired.subarray(20)), true)
  return repaired
}

const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => path.relative(folder, path.join(parentPath, name)))

/** One checkpoint's folder. */
async function cacheSeed(cacheDir: string): Promise<Seed> {
  const weights = await prepareWeights({ checkpoint: files.tinyPth, cacheDir, precision: 'fp32' })
  await prepareEncoder(weights, { rows: 5, cols: 9, encoderBatch: 1 })
  const { folder } = weights
  return { files: contents(folder, filesOf(folder)), open: 'weights.fp32.json' }
}

/** With the checkpoint beside its records. */
async function wholeSeed(cacheDir: string): Promise<Seed> {
  await prepareWeights({ checkpoint: files.tinyPth, cacheDir, precision: 'fp32' })
  const [record = ''] = filesOf(path.join(cacheDir, 'checkpoints'))
  const records = filesOf(cacheDir).filter((name) => name.endsWith('.json'))
  return {
    files: { ...contents(cacheDir, records), 'tiny.pth': readFileSync(files.tinyPth) },
    open: path.join('checkpoints', record),
  }
}

function contents(folder: string, names: readonly string[]): Record<string, Uint8Array> {
  return Object.fromEntries(names.map((name) => [name, readFileSync(path.join(folder, name))]))
}
