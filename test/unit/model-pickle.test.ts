// Owns: tests of the restricted pickle reader against hostile and damaged pickles.
// Must not know: checkpoints' files.

import t from 'tap'
import { VideoDepthError } from '../../dist/esm/base/errors.js'
import { readPickle } from '../../dist/esm/prepare/checkpoint/pickle.js'
import { PickleDict, PickleList } from '../../dist/esm/prepare/checkpoint/pickle-values.js'
import { torchHost, TorchTensor } from '../../dist/esm/prepare/checkpoint/torch-objects.js'
import { pickleStateDict, pickleTensor, PickleWriter } from '../support/pickle-writer.js'

const read = (bytes: Uint8Array) => readPickle(bytes, torchHost)

t.test('a state_dict becomes descriptions of tensors', (t) => {
  const tensor = { storage: 'FloatStorage', key: '0', elements: 6, shape: [2, 3] }
  const value = read(pickleStateDict(new Map([['a.weight', tensor]])))
  const found = value instanceof PickleDict ? value.entries.get('a.weight') : undefined
  t.ok(found instanceof TorchTensor)
  if (found instanceof TorchTensor) {
    t.same([found.shape, found.strides, found.offset], [[2, 3], [3, 1], 0])
    t.same([found.storage.key, found.storage.type, found.storage.elements], ['0', 'float32', 6])
  }
  t.end()
})

t.test('opcodes of protocol 4', (t) => {
  const writer = new PickleWriter().raw(0x95, 9, 0, 0, 0, 0, 0, 0, 0)
  writer.op('}').raw(0x94).op('(').raw(0x8c, 1).text('k').raw(0x94, 0x8a, 1, 0xff)
  writer.raw(0x8c, 1).text('l').op(']').op('(').raw(0x4b, 7).op('N').op('e').op('u')
  const value = read(writer.finish())
  t.ok(value instanceof PickleDict)
  if (value instanceof PickleDict) {
    t.equal(value.entries.get('k'), -1)
    const list = value.entries.get('l')
    t.same(list instanceof PickleList ? list.items : undefined, [7, null])
  }
  t.end()
})

const forbidden: [string, string, (w: PickleWriter) => void][] = [
  [
    'os.system by GLOBAL',
    'posix.system',
    (w) =>
      w
        .global('posix', 'system')
        .tuple(() => w.string('touch owned'))
        .op('R'),
  ],
  ['a builtin', 'builtins.eval', (w) => w.global('builtins', 'eval')],
  ['a name by STACK_GLOBAL', 'os.system', (w) => w.string('os').string('system').raw(0x93)],
  [
    'a neighbour of an allowed global',
    'torch._utils._rebuild_tensor',
    (w) => w.global('torch._utils', '_rebuild_tensor'),
  ],
  ['an attribute path', 'collections.OrderedDict.__class__', (w) => w.global('collections', 'OrderedDict.__class__')],
  ['a storage of another module', 'evil.FloatStorage', (w) => w.global('evil', 'FloatStorage')],
  ['an inherited property as a name', 'torch.constructor', (w) => w.global('torch', 'constructor')],
  ['INST', 'opcode INST', (w) => w.op('(').text('iposix\nsystem\n')],
  ['OBJ', 'opcode OBJ', (w) => w.op('(').op('o')],
  ['NEWOBJ', 'opcode NEWOBJ', (w) => w.global('collections', 'OrderedDict').op(')').raw(0x81)],
  ['an extension', 'opcode EXT1', (w) => w.raw(0x82, 1)],
  ['DUP', 'opcode DUP', (w) => w.op('}').op('2')],
  [
    'BUILD on a tensor',
    'opcode BUILD',
    (w) => {
      pickleTensor(w, { storage: 'FloatStorage', key: '0', elements: 1, shape: [1] })
      w.op('}').op('b')
    },
  ],
  ['a call of a storage type', 'a call', (w) => w.global('torch', 'FloatStorage').op(')').op('R')],
]

for (const [what, named, write] of forbidden) {
  t.test(`refused by name: ${what}`, (t) => {
    const writer = new PickleWriter()
    write(writer)
    const error = thrown(() => read(writer.finish()))
    t.equal(error.code, 'CHECKPOINT_FORBIDDEN')
    t.match(error.message, named)
    t.end()
  })
}

const damaged: [string, (w: PickleWriter) => void][] = [
  ['an empty stack', (w) => w.op('R')],
  ['a tuple without mark', (w) => w.op('t')],
  ['an unknown memo', (w) => w.raw(0x68, 3)],
  ['memoizing nothing', (w) => w.raw(0x71, 0)],
  ['a mark as a result', (w) => w.op('(')],
  ['a string beyond the end', (w) => w.raw(0x58, 255, 255, 255, 127)],
  ['a string that is not UTF-8', (w) => w.raw(0x58, 1, 0, 0, 0, 0xff)],
  ['a byte that is no opcode', (w) => w.raw(0xff)],
  ['an assignment to a list', (w) => w.op(']').string('a').string('b').op('s')],
  ['half an assignment', (w) => w.op('}').op('(').string('a').op('u')],
  ['an append to a dict', (w) => w.op('}').string('a').op('a')],
  ['a persistent id that is no storage', (w) => w.string('x').op('Q')],
  [
    'a tensor beyond its storage',
    (w) => pickleTensor(w, { storage: 'FloatStorage', key: '0', elements: 5, shape: [2, 3] }),
  ],
  [
    'a tensor beyond its storage by offset',
    (w) => pickleTensor(w, { storage: 'FloatStorage', key: '0', elements: 6, offset: 1, shape: [2, 3] }),
  ],
  ['a negative extent', (w) => pickleTensor(w, { storage: 'FloatStorage', key: '0', elements: 6, shape: [-2, 3] })],
  [
    'an enormous expanded tensor',
    (w) =>
      pickleTensor(w, {
        storage: 'FloatStorage',
        key: '0',
        elements: 1,
        shape: [2147483647, 2147483647],
        strides: [0, 0],
      }),
  ],
  [
    'eight gibibytes of one element',
    (w) =>
      pickleTensor(w, {
        storage: 'FloatStorage',
        key: '0',
        elements: 1,
        shape: [2, 1024, 1024, 1024],
        strides: [0, 0, 0, 0],
      }),
  ],
  ['a stack that grows without end', (w) => w.raw(...new Array<number>(70_000).fill(0x4e))],
]

for (const [what, write] of damaged) {
  t.test(`damaged: ${what}`, (t) => {
    const writer = new PickleWriter()
    write(writer)
    t.equal(thrown(() => read(writer.finish())).code, 'CHECKPOINT_UNREADABLE')
    t.end()
  })
}

t.test('a view may overlap itself; one of absurd size says so', (t) => {
  const writer = new PickleWriter()
  pickleTensor(writer, { storage: 'FloatStorage', key: '0', elements: 5, shape: [65536, 65536], strides: [0, 0] })
  t.match(thrown(() => read(writer.finish())).message, /a tensor of 65536×65536 elements is a view of a storage of 5$/)
  const overlapping = { storage: 'FloatStorage', key: '0', elements: 6, shape: [2, 3], strides: [1, 2] }
  const expanded = { storage: 'FloatStorage', key: '0', elements: 1, shape: [1000], strides: [0] }
  for (const view of [overlapping, expanded]) t.ok(read(pickleStateDict(new Map([['a', view]]))) instanceof PickleDict)
  t.end()
})

t.test('other protocols and empty input', (t) => {
  for (const bytes of [[], [0x80], [0x80, 1], [0x80, 6, 0x4e, 0x2e], [0x28, 0x2e]]) {
    t.equal(thrown(() => read(Uint8Array.from(bytes))).code, 'CHECKPOINT_UNREADABLE')
  }
  t.end()
})

t.test('deep nesting and self-reference neither recurse nor pollute prototypes', (t) => {
  const deep = new PickleWriter()
  for (let i = 0; i < 60_000; i++) deep.op(']')
  for (let i = 1; i < 60_000; i++) deep.op('a')
  t.ok(read(deep.finish()) instanceof PickleList)
  const self = new PickleWriter().op(']').raw(0x71, 0).raw(0x68, 0).op('a')
  t.ok(read(self.finish()) instanceof PickleList)
  const polluting = new PickleWriter().op('}').string('__proto__').op('}').string('polluted').int(1).op('s').op('s')
  t.ok(read(polluting.finish()) instanceof PickleDict)
  t.notOk('polluted' in {})
  t.end()
})

t.test('every truncation of an honest pickle is refused', (t) => {
  const whole = pickleStateDict(new Map([['a', { storage: 'HalfStorage', key: '0', elements: 4, shape: [4] }]]))
  for (let length = 0; length < whole.length; length++) thrown(() => read(whole.subarray(0, length)))
  t.end()
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
