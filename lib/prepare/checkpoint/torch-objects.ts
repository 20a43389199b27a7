// Owns: the few PyTorch globals that a state_dict needs, as plain descriptions of tensors.
// Must not know: pickle bytes, files, what the tensors are for.

import {
  damaged,
  forbidden,
  PickleDict,
  PickleInert,
  PickleObject,
  PickleTuple,
  type PickleValue,
} from './pickle-values.js'
import type { PickleHost } from './pickle.js'

/** Types that tensors may have. Only the first four can be read; the others are there to be named in messages. */
const storageTypes = new Map<string, { type: string; bytes: number }>([
  ['FloatStorage', { type: 'float32', bytes: 4 }],
  ['HalfStorage', { type: 'float16', bytes: 2 }],
  ['BFloat16Storage', { type: 'bfloat16', bytes: 2 }],
  ['DoubleStorage', { type: 'float64', bytes: 8 }],
  ['LongStorage', { type: 'int64', bytes: 8 }],
  ['IntStorage', { type: 'int32', bytes: 4 }],
  ['ShortStorage', { type: 'int16', bytes: 2 }],
  ['CharStorage', { type: 'int8', bytes: 1 }],
  ['ByteStorage', { type: 'uint8', bytes: 1 }],
  ['BoolStorage', { type: 'bool', bytes: 1 }],
  ['ComplexFloatStorage', { type: 'complex64', bytes: 8 }],
  ['ComplexDoubleStorage', { type: 'complex128', bytes: 16 }],
])

/** More elements than any storage or tensor of the network has; keeps every product below 2^53. */
const maxElements = 2 ** 31

class StorageType extends PickleObject {
  readonly type: string
  readonly bytes: number
  constructor(type: string, bytes: number) {
    super()
    this.type = type
    this.bytes = bytes
  }
}

class Callable extends PickleObject {
  readonly apply: (args: readonly PickleValue[]) => PickleValue
  constructor(apply: (args: readonly PickleValue[]) => PickleValue) {
    super()
    this.apply = apply
  }
}

/** One record of the archive. */
class TorchStorage extends PickleObject {
  readonly key: string
  readonly type: string
  readonly bytesPerElement: number
  readonly elements: number
  constructor(key: string, type: string, bytesPerElement: number, elements: number) {
    super()
    this.key = key
    this.type = type
    this.bytesPerElement = bytesPerElement
    this.elements = elements
  }
}

/** A view of a storage. It lies inside and has no more elements: checked when it was made. */
export class TorchTensor extends PickleObject {
  readonly storage: TorchStorage
  /** Elements. */
  readonly offset: number
  readonly shape: readonly number[]
  /** Elements. */
  readonly strides: readonly number[]
  constructor(storage: TorchStorage, offset: number, shape: readonly number[], strides: readonly number[]) {
    super()
    this.storage = storage
    this.offset = offset
    this.shape = shape
    this.strides = strides
  }
}

const inert = new PickleInert()

const callables: ReadonlyMap<string, Callable> = new Map([
  ['collections.OrderedDict', new Callable(orderedDict)],
  ['collections.defaultdict', new Callable(() => new PickleDict())],
  ['torch._utils._rebuild_tensor_v3', new Callable(() => inert)], // of types that no network here has, such as uint16
  ['torch._utils._rebuild_tensor_v2', new Callable(rebuildTensor)],
  ['torch._utils._rebuild_parameter', new Callable(rebuildParameter)],
])

const untyped = { type: 'untyped', bytes: 1 }

/** What training scripts save beside their tensors: settings, counters, states of random number generators. Data alone. */
const inertGlobals: ReadonlySet<string> = new Set([
  ...['Size', 'device', 'float64', 'float32', 'float16', 'bfloat16'].map((name) => `torch.${name}`),
  ...['int64', 'int32', 'int16', 'int8', 'uint8', 'bool'].map((name) => `torch.${name}`),
  ...['uint16', 'uint32', 'uint64', 'float8_e4m3fn', 'float8_e5m2'].map((name) => `torch.${name}`),
  ...['set', 'frozenset', 'list', 'dict', 'int', 'float', 'bool', 'str'].flatMap((name) => [
    `builtins.${name}`,
    `__builtin__.${name}`,
  ]),
  ...['multiarray.scalar', 'multiarray._reconstruct'].flatMap((name) => [`numpy.core.${name}`, `numpy._core.${name}`]),
  ...['numpy.dtype', 'numpy.ndarray', '_codecs.encode', 'collections.Counter'],
  ...['argparse.Namespace', 'pathlib.PosixPath', 'pathlib.WindowsPath'],
])

export const torchHost: PickleHost = {
  global(module, name) {
    const full = `${module}.${name}`
    if (inertGlobals.has(full)) return inert
    const storage = full === 'torch.storage.UntypedStorage' ? untyped : module === 'torch' && storageTypes.get(name)
    const found = storage ? new StorageType(storage.type, storage.bytes) : callables.get(full)
    if (found === undefined) throw forbidden(full)
    return found
  },
  call(callable, args) {
    if (!(callable instanceof Callable)) throw forbidden('a call of something that is no function')
    return callable.apply(args)
  },
  persistent: storageOf,
}

function orderedDict(args: readonly PickleValue[]): PickleDict {
  if (args.length > 0) throw damaged('an OrderedDict is made with arguments')
  return new PickleDict()
}

function storageOf(id: PickleValue): TorchStorage {
  const [kind, type, key, , elements] = id instanceof PickleTuple ? id.items : []
  if (kind !== 'storage' || !(type instanceof StorageType) || typeof key !== 'string' || !isCount(elements)) {
    throw damaged('a storage is not named as torch.save names it')
  }
  return new TorchStorage(key, type.type, type.bytes, elements)
}

function rebuildParameter([tensor]: readonly PickleValue[]): TorchTensor {
  if (!(tensor instanceof TorchTensor)) throw damaged('a parameter holds no tensor')
  return tensor
}

function rebuildTensor([storage, offset, size, stride]: readonly PickleValue[]): TorchTensor {
  if (!(storage instanceof TorchStorage) || !isCount(offset)) throw damaged('a tensor has no storage or offset')
  const shape = counts(size)
  const strides = counts(stride)
  if (shape.length !== strides.length || shape.length > 8) throw damaged('a tensor has no proper shape')
  let elements = 1
  for (const extent of shape) elements = Math.min(elements * extent, 2 * maxElements)
  // An expanded view (stride 0) is harmless beside the weights, unless it claims more than any file could hold.
  if (elements > storage.elements && elements >= maxElements) {
    const extents = shape.length === 0 ? 'one element' : `${shape.join('×')} elements`
    throw damaged(`a tensor of ${extents} is a view of a storage of ${storage.elements}`)
  }
  const last = shape.reduce((sum, extent, i) => sum + (extent - 1) * (strides[i] ?? 0), offset)
  if (elements > 0 && last >= storage.elements) throw damaged('a tensor reaches beyond its storage')
  return new TorchTensor(storage, offset, shape, strides)
}

function counts(value: PickleValue | undefined): number[] {
  const items = value instanceof PickleTuple ? value.items : [undefined]
  return items.map((item) => {
    if (!isCount(item)) throw damaged('a tensor has no proper shape')
    return item
  })
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= maxElements
}
