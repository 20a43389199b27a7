// Owns: tests of checkpoint files that are large, hostile, or hold more than weights.
// Must not know: graphs, engines.

import { execFileSync } from 'node:child_process'
import { open, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import t, { type Test } from 'tap'
import { prepareWeights } from '../../dist/esm/prepare/graph/prepare-weights.js'
import { openCheckpoint } from '../../dist/esm/prepare/checkpoint/checkpoint.js'
import * as files from '../support/checkpoint-files.js'
import { pickleTensor, PickleWriter } from '../support/pickle-writer.js'

const { failure, small } = files

function inFolder(t: Test): (name: string) => string {
  const folder = t.testdir()
  return (name) => path.join(folder, name)
}

t.test('what is no regular file is refused at once', { skip: process.platform === 'win32' && 'mkfifo' }, async (t) => {
  const file = inFolder(t)
  execFileSync('mkfifo', [file('fifo.pth')])
  await symlink('/dev/zero', file('endless.safetensors'))
  for (const [name, what] of [
    ['fifo.pth', 'a FIFO'],
    ['endless.safetensors', 'a device'],
    ['', 'a folder'],
  ] as const) {
    const refusal = { code: 'CHECKPOINT_UNREADABLE', message: new RegExp(`it is ${what}, not a file$`) }
    await t.rejects(openCheckpoint(file(name)), refusal)
    await t.rejects(prepareWeights({ checkpoint: file(name), cacheDir: file('cache'), precision: 'fp32' }), refusal)
  }
})

t.test('a tensor of more than 2³¹ bytes is read', async (t) => {
  t.setTimeout(600_000) // two gibibytes, on a machine that may be busy
  const file = inFolder(t)('large.safetensors')
  const elements = 2 ** 29 + 3
  const header = { a: { dtype: 'F32', shape: [elements], data_offsets: [0, 4 * elements] } }
  const head = files.safetensorsBytes(header, new Uint8Array(0))
  await writeFile(file, head)
  const handle = await open(file, 'r+') // sparse: it takes no room on the disk
  await handle.write(new Uint8Array(Float32Array.of(7, 8, 9).buffer), 0, 12, head.length + 4 * (elements - 3))
  await handle.close()
  const checkpoint = await openCheckpoint(file)
  t.teardown(() => checkpoint.close())
  const values = await checkpoint.read('a')
  t.same([values.length, values[0], [...values.subarray(-3)]], [elements, 0, [7, 8, 9]])
})

t.test('float64 is rounded to float32, and what that cannot hold is refused', async (t) => {
  const file = inFolder(t)
  const written = async (name: string, values: readonly number[]): Promise<string> => {
    const header = { a: { dtype: 'F64', shape: [values.length], data_offsets: [0, 8 * values.length] } }
    await writeFile(file(name), files.safetensorsBytes(header, new Uint8Array(Float64Array.from(values).buffer)))
    return file(name)
  }
  const checkpoint = await openCheckpoint(await written('a.safetensors', [0.1, -2, 1 + 2 ** -24]))
  t.same([...(await checkpoint.read('a'))], [Math.fround(0.1), -2, 1])
  await checkpoint.close()
  t.equal((await failure(await written('b.safetensors', [1, 1e300]))).code, 'WEIGHTS_NOT_FINITE')
})

t.test('headers and pickles that would take gigabytes are refused', async (t) => {
  const file = inFolder(t)
  await writeFile(file('a.safetensors'), files.safetensorsBytes({ a: 'x'.repeat(9 << 20) }, new Uint8Array(0)))
  t.match((await failure(file('a.safetensors'))).message, /its header of \d+ bytes exceeds 8388608/)
  const dicts = new Uint8Array(2 * 300_000 + 4).fill(0x7d)
  for (let i = 4; i < dicts.length; i += 2) dicts[i] = 0x61 // a list of empty dicts
  dicts.set([0x80, 2, 0x5d])
  dicts[dicts.length - 1] = 0x2e
  await files.writeZip(file('b.pth'), files.pthRecords(small()).set('data.pkl', dicts))
  t.match((await failure(file('b.pth'))).message, /makes more than 262144 objects/)
  await files.writeZip(file('c.pth'), files.pthRecords(small()).set('data.pkl', new Uint8Array((8 << 20) + 1)))
  t.match((await failure(file('c.pth'))).message, /pickle is larger than 8388608/)
})

t.test('what stands beside the tensors is not looked at, and not run', async (t) => {
  const file = inFolder(t)
  const writer = new PickleWriter().op('}').op('(')
  const object = (module: string, name: string): void => void writer.global(module, name).op(')').raw(0x81)
  writer.string('args')
  object('argparse', 'Namespace')
  writer.op('}').op('(').string('epochs').int(3).op('u').op('b')
  writer.string('schedule').global('collections', 'Counter').op('}').raw(0x85).op('R')
  writer.string('dtype').global('torch', 'float32')
  writer.string('metric').global('numpy.core.multiarray', 'scalar').op(')').op('R')
  writer.string('rng').op('(').int(3).op('N').op('t')
  writer.string('model').op('}').op('(').string('a')
  pickleTensor(writer, { storage: 'FloatStorage', key: '0', elements: 6, shape: [6] })
  await files.writeZip(file('a.pth'), files.pthRecords(small()).set('data.pkl', writer.op('u').op('u').finish()))
  const checkpoint = await openCheckpoint(file('a.pth'))
  t.same([...(await checkpoint.read('a'))], [1, 2, 3, 4, 5, 6])
  await checkpoint.close()
})

t.test('each set of weights has a place of its own in the cache', async (t) => {
  const file = inFolder(t)
  const both: files.TestTensors = new Map()
  for (const [name, { shape, values }] of await files.tinyTensors()) {
    both.set(`model.${name}`, { shape, values })
    both.set(`ema.module.${name}`, { shape, values: values.map((value) => value / 2) })
  }
  await files.writeSafetensors(file('both.safetensors'), both)
  const options = { checkpoint: file('both.safetensors'), cacheDir: file('cache'), precision: 'fp32' } as const
  await t.rejects(prepareWeights(options), { code: 'CHECKPOINT_MISMATCH', message: /keys "model", "ema"/ })
  const model = await prepareWeights({ ...options, weightsKey: 'model' })
  const ema = await prepareWeights({ ...options, weightsKey: 'ema' })
  t.not(model.folder, ema.folder)
  t.not(model.sha256, ema.sha256)
  t.ok((await prepareWeights({ ...options, weightsKey: 'ema' })).cacheHit)
  await t.rejects(prepareWeights({ ...options, weightsKey: 'emma' }), { code: 'INVALID_OPTION' })
})
