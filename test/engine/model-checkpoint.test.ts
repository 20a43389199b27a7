// Owns: tests of reading checkpoint files: both formats, their variants, and every kind of damage.
// Must not know: graphs, engines.

import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import t, { type Test } from 'tap'
import { readArchitecture } from '../../dist/esm/prepare/checkpoint/architecture.js'
import { openCheckpoint } from '../../dist/esm/prepare/checkpoint/checkpoint.js'
import { describeCheckpoint } from '../../dist/esm/prepare/checkpoint/describe.js'
import * as files from '../support/checkpoint-files.js'
import { pickleStateDict, PickleWriter, type PickledTensor } from '../support/pickle-writer.js'

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const { failure, small } = files

function inFolder(t: Test): (name: string) => string {
  const folder = t.testdir()
  return (name) => path.join(folder, name)
}

t.test('the fixture: names, shapes and values', async (t) => {
  const checkpoint = await openCheckpoint(files.tinyPth)
  t.teardown(() => checkpoint.close())
  t.equal(checkpoint.format, 'pth')
  t.equal(checkpoint.otherEntries.size, 0)
  t.same(checkpoint.tensors.get('pretrained.pos_embed'), {
    name: 'pretrained.pos_embed',
    dtype: 'float32',
    shape: [1, 101, 128],
  })
  const values = await checkpoint.read('head.scratch.output_conv2.2.bias')
  t.same([...values], [1])
  await t.rejects(checkpoint.read('nothing'), { code: 'CHECKPOINT_UNREADABLE' })
})

t.test('every format and type of the fixture gives the same architecture and values', async (t) => {
  const file = inFolder(t)
  const tensors = await files.tinyTensors()
  const architecture = readArchitecture(tensors)
  t.match(architecture, {
    embedWidth: 128,
    depth: 4,
    heads: 2,
    features: 32,
    gridSize: 10,
    temporalLength: 32,
    taps: [0, 1, 2, 3],
  })
  // float16: half a unit of 11 bits, or of the subnormals; bfloat16 was truncated: one unit of 8 bits.
  const tolerances = { float32: 0, float16: 2 ** -11, bfloat16: 2 ** -7 } as const
  for (const type of ['float32', 'float16', 'bfloat16'] as const) {
    for (const format of ['pth', 'safetensors'] as const) {
      const target = file(`${type}.bin`)
      if (format === 'pth') await files.writeZip(target, files.pthRecords(tensors, type))
      else await files.writeSafetensors(target, tensors, type)
      const checkpoint = await openCheckpoint(target)
      t.equal(checkpoint.format, format)
      t.same(readArchitecture(checkpoint.tensors), architecture)
      let worst = 0
      for (const [name, { values }] of tensors) {
        const read = await checkpoint.read(name)
        for (const [i, value] of values.entries()) {
          worst = Math.max(worst, (Math.abs((read[i] ?? Number.NaN) - value) - 2 ** -25) / Math.abs(value || 1))
        }
      }
      await checkpoint.close()
      t.ok(worst <= tolerances[type], `${type} ${format}: ${worst}`)
    }
  }
})

t.test('nested state_dicts, module. prefix, ZIP64, another folder name', async (t) => {
  const file = inFolder(t)
  const cases: [Map<string, Uint8Array>, files.ZipOptions][] = [
    [files.pthRecords(small(), 'float32', ['state_dict']), {}],
    [files.pthRecords(small(), 'float32', ['model']), { zip64: true }],
    [
      files.pthRecords(new Map([['module.a', { shape: [6], values: Float32Array.of(1, 2, 3, 4, 5, 6) }]])),
      { folder: 'x y' },
    ],
  ]
  for (const [records, options] of cases) {
    await files.writeZip(file('a.pth'), records, options)
    const checkpoint = await openCheckpoint(file('a.pth'))
    t.same([...(await checkpoint.read('a'))], [1, 2, 3, 4, 5, 6])
    await checkpoint.close()
  }
})

t.test('views of storages: transposed, offset, expanded', async (t) => {
  const file = inFolder(t)
  const base = { storage: 'FloatStorage', key: '0', elements: 6 }
  const views = new Map<string, PickledTensor>([
    ['transposed', { ...base, shape: [3, 2], strides: [1, 3] }],
    ['tail', { ...base, offset: 3, shape: [3] }],
    ['column', { ...base, offset: 1, shape: [2], strides: [3] }],
    ['expanded', { ...base, shape: [2, 3], strides: [0, 1] }],
    ['scalar', { ...base, offset: 5, shape: [] }],
    ['larger', { ...base, shape: [1000], strides: [0] }],
    ['empty', { ...base, shape: [0, 3], strides: [3, 1] }],
  ])
  const records = files.pthRecords(small()).set('data.pkl', pickleStateDict(views))
  await files.writeZip(file('a.pth'), records)
  const checkpoint = await openCheckpoint(file('a.pth'))
  t.teardown(() => checkpoint.close())
  const read = async (name: string): Promise<number[]> => [...(await checkpoint.read(name))]
  t.same(await read('transposed'), [1, 4, 2, 5, 3, 6])
  t.same(await read('tail'), [4, 5, 6])
  t.same(await read('column'), [2, 5])
  t.same(await read('expanded'), [1, 2, 3, 1, 2, 3])
  t.same(await read('scalar'), [6])
  t.same(await read('empty'), [])
  await t.rejects(read('larger'), {
    code: 'CHECKPOINT_UNREADABLE',
    message: /tensor larger \(1000\) is a view of a storage of 6/,
  })
})

t.test('a pickle that asks for more is refused before anything is read', async (t) => {
  const file = inFolder(t)
  const evil = new PickleWriter().global('posix', 'system')
  evil.tuple(() => evil.string('true')).op('R')
  await files.writeZip(file('a.pth'), files.pthRecords(small()).set('data.pkl', evil.finish()))
  const error = await failure(file('a.pth'))
  t.equal(error.code, 'CHECKPOINT_FORBIDDEN')
  t.match(error.message, /posix\.system/)
})

t.test('unreadable files say why', async (t) => {
  const file = inFolder(t)
  const cases: [RegExp, (target: string) => Promise<void>][] = [
    [/no such file/, () => Promise.resolve()],
    [/neither a \.pth/, (target) => writeFile(target, '')],
    [/neither a \.pth/, (target) => writeFile(target, 'hello, this is no checkpoint')],
    [
      /before 1\.6.*torch\.save\(model\.state_dict\(\)/,
      (target) => writeFile(target, Buffer.from('80028a0a6cfc9c46f9206aa85019', 'hex')),
    ],
    [/Git LFS/, (target) => writeFile(target, 'version https://git-lfs.github.com/spec/v1\noid sha256:0\n')],
    [/web page/, (target) => writeFile(target, '<!DOCTYPE html><html></html>')],
    [
      /TorchScript.*re-save/,
      (target) => files.writeZip(target, files.pthRecords(small()).set('constants.pkl', text('x'))),
    ],
    [/no data\.pkl/, (target) => files.writeZip(target, new Map([['x', text('x')]]))],
    [
      /byte order is "big"/,
      (target) => files.writeZip(target, files.pthRecords(small()).set('byteorder', text('big'))),
    ],
    [/compressed/, (target) => files.writeZip(target, files.pthRecords(small()), { compress: true })],
    [
      /data\/0 of tensor a has 5 bytes instead of 24/,
      (target) => files.writeZip(target, files.pthRecords(small()).set('data/0', text('12345'))),
    ],
    [
      /data\/0 of tensor a is missing/,
      (target) => {
        const records = files.pthRecords(small())
        records.delete('data/0')
        return files.writeZip(target, records)
      },
    ],
    [
      /no state_dict/,
      (target) => files.writeZip(target, files.pthRecords(small()).set('data.pkl', new PickleWriter().int(3).finish())),
    ],
  ]
  for (const [i, [message, write]] of cases.entries()) {
    await write(file(`${i}`))
    const error = await failure(file(`${i}`))
    t.equal(error.code, 'CHECKPOINT_UNREADABLE', String(message))
    t.match(error.message, message)
  }
  t.match((await failure(t.testdirName)).message, /it is (not a file|a folder)/)
})

t.test('a flipped bit in a tensor is found', async (t) => {
  const file = inFolder(t)
  await files.writeZip(file('a.pth'), files.pthRecords(small()))
  const bytes = await readFile(file('a.pth'))
  const at = bytes.indexOf(Buffer.from(Float32Array.of(3, 4).buffer))
  bytes[at] = (bytes[at] ?? 0) ^ 1
  await writeFile(file('a.pth'), bytes)
  t.match((await failure(file('a.pth'))).message, /checksum/)
})

t.test('a flipped bit in a storage is found by every view of it, also of another part', async (t) => {
  const file = inFolder(t)
  const base = { storage: 'FloatStorage', key: '0', elements: 6 }
  for (const view of [
    { ...base, offset: 3, shape: [3] },
    { ...base, offset: 5, shape: [] },
    { ...base, shape: [3, 2], strides: [1, 3] },
  ]) {
    const pickle = pickleStateDict(new Map([['a', view]]))
    await files.writeZip(file('a.pth'), files.pthRecords(small()).set('data.pkl', pickle))
    const bytes = await readFile(file('a.pth'))
    const at = bytes.indexOf(Buffer.from(Float32Array.of(1, 2).buffer))
    bytes[at] = (bytes[at] ?? 0) ^ 1
    await writeFile(file('a.pth'), bytes)
    t.match((await failure(file('a.pth'))).message, /record archive\/data\/0 does not match its checksum/)
  }
})

t.test('every truncation of both formats is refused', async (t) => {
  const file = inFolder(t)
  await files.writeZip(file('a.pth'), files.pthRecords(small()))
  await files.writeSafetensors(file('a.safetensors'), small())
  for (const name of ['a.pth', 'a.safetensors']) {
    const whole = await readFile(file(name))
    for (let length = 0; length < whole.length; length += 1) {
      await writeFile(file('cut'), whole.subarray(0, length))
      const error = await failure(file('cut'))
      if (error.code !== 'CHECKPOINT_UNREADABLE') t.fail(`${name} cut to ${length}: ${error.code}`)
    }
  }
  const fixture = await readFile(files.tinyPth)
  for (let i = 1; i < 40; i++) {
    await writeFile(file('cut'), fixture.subarray(0, Math.floor((fixture.length * i) / 40)))
    t.equal((await failure(file('cut'))).code, 'CHECKPOINT_UNREADABLE')
  }
})

t.test('random damage never does anything else than fail cleanly or change values', async (t) => {
  const file = inFolder(t)
  await files.writeZip(file('a.pth'), files.pthRecords(small()))
  const whole = await readFile(file('a.pth'))
  let seed = 1
  const random = (): number => (seed = (seed * 48271) % 2147483647)
  for (let i = 0; i < 400; i++) {
    const bytes = Buffer.from(whole)
    bytes[random() % bytes.length] = random() & 255
    await writeFile(file('b.pth'), bytes)
    const outcome = await failure(file('b.pth')).then(
      ({ code }) => code,
      (error: unknown) => String(error),
    )
    if (
      !['CHECKPOINT_UNREADABLE', 'CHECKPOINT_FORBIDDEN', 'WEIGHTS_NOT_FINITE', 'Error: nothing was thrown'].includes(
        outcome,
      )
    )
      t.fail(outcome)
  }
})

t.test('safetensors headers that lie are refused', async (t) => {
  const file = inFolder(t)
  const tensor = (shape: unknown, offsets: unknown, dtype: unknown = 'F32') => ({ dtype, shape, data_offsets: offsets })
  const cases: [RegExp, unknown][] = [
    [/unknown type/, { a: tensor([2], [0, 8], 'F4') }],
    [/no proper shape/, { a: tensor([-2], [0, 8]) }],
    [/no proper offsets/, { a: tensor([2], [0]) }],
    [/has 4 bytes instead of 8/, { a: tensor([2], [0, 4]) }],
    [/ends at byte/, { a: tensor([1000], [0, 4000]) }],
    [/overlap/, { a: tensor([2], [0, 8]), b: tensor([2], [4, 12]) }],
    [/unknown type/, { a: 7 }],
  ]
  for (const [message, header] of cases) {
    await writeFile(file('a'), files.safetensorsBytes(header, new Uint8Array(16)))
    const error = await failure(file('a'))
    t.equal(error.code, 'CHECKPOINT_UNREADABLE')
    t.match(error.message, message)
  }
  await writeFile(file('b'), Buffer.concat([Buffer.from([16, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('{"a": nonsense}!')]))
  t.match((await failure(file('b'))).message, /not JSON/)
})

t.test('NaN and infinity name their tensor', async (t) => {
  const file = inFolder(t)
  for (const [type, value] of [
    ['float32', Number.NaN],
    ['float16', Infinity],
    ['bfloat16', -Infinity],
  ] as const) {
    await files.writeZip(
      file('a.pth'),
      files.pthRecords(new Map([['bad.weight', { shape: [2], values: Float32Array.of(1, value) }]]), type),
    )
    const error = await failure(file('a.pth'))
    t.equal(error.code, 'WEIGHTS_NOT_FINITE')
    t.match(error.message, /bad\.weight.*element 1/)
  }
})

t.test('a description for a person', async (t) => {
  const found = await describeCheckpoint(files.tinyPth, { checkFinite: true })
  t.match(found, { format: 'pth', tensorCount: 239, finite: true, dtypes: [{ dtype: 'float32', tensorCount: 239 }] })
  t.equal(found.tensorBytes, found.parameterCount * 4)
  t.match(found.recipes, [{ name: 'tiny' }])
  t.match(found.licenseNote, /Apache-2\.0/)
})
