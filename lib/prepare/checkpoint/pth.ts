// Owns: `.pth` archives as torch.save writes them: a ZIP of stored records around one pickle.
// Must not know: which tensors a network needs, float conversion.

import { crc32 } from 'node:zlib'
import yauzl from 'yauzl'
import { VideoDepthError } from '../../base/errors.js'
import type { FileReader } from '../../cache/file-reader.js'
import { readPickle } from './pickle.js'
import { PickleDict, PickleList, PickleTuple, type PickleValue } from './pickle-values.js'
import type { StoredTensor, TensorFile } from './stored-tensor.js'
import { torchHost, TorchTensor } from './torch-objects.js'

/** Far above any state_dict's pickle, also with an optimizer's; bounds the time and memory that a hostile one takes. */
const maxPickleBytes = 8 * 1024 * 1024
/** Dicts and lists in each other, and what they hold in all: more than any training script saves. */
const maxDepth = 8
const maxEntries = 1 << 21
const maxRecords = 100_000
const chunkBytes = 4 * 1024 * 1024

export const resaveHint = 'load it with PyTorch and re-save it: torch.save(model.state_dict(), "checkpoint.pth")'

/** Record names without the archive's own folder. */
interface Archive {
  readonly zip: yauzl.ZipFile
  readonly records: ReadonlyMap<string, yauzl.Entry>
  /** Records that views are read from, once they were found to match their checksums. */
  readonly checked: Set<yauzl.Entry>
}

export async function openPth(file: FileReader): Promise<TensorFile> {
  const archive = await readDirectory(file)
  await checkKind(file, archive)
  const pickle = archive.records.get('data.pkl')
  if (pickle === undefined) throw file.error('it is a ZIP, but holds no data.pkl as torch.save writes it')
  if (pickle.uncompressedSize > maxPickleBytes) throw file.error(`its pickle is larger than ${maxPickleBytes} bytes`)
  return collect(file, archive, readPickle(await readRecord(file, archive, pickle), torchHost))
}

async function readDirectory(file: FileReader): Promise<Archive> {
  try {
    const options = { lazyEntries: true, autoClose: false, strictFileNames: true }
    const zip = await yauzl.fromRandomAccessReaderPromise(new Reader(file), file.size, options)
    const byName = new Map<string, yauzl.Entry>()
    for await (const entry of zip.eachEntry()) {
      if (byName.size >= maxRecords) throw file.error(`it holds more than ${maxRecords} records`)
      if (byName.has(entry.fileName)) throw file.error(`record ${entry.fileName} is there twice`)
      byName.set(entry.fileName, entry)
    }
    return { zip, records: withoutFolder(byName), checked: new Set() }
  } catch (error) {
    if (error instanceof VideoDepthError) throw error
    throw file.error(
      `it is a damaged or truncated ZIP (${error instanceof Error ? error.message : String(error)})`,
      error,
    )
  }
}

function withoutFolder(records: ReadonlyMap<string, yauzl.Entry>): Map<string, yauzl.Entry> {
  const pickle = [...records.keys()].find((name) => /^[^/]+\/data\.pkl$/.test(name))
  const folder = pickle === undefined ? '' : pickle.slice(0, -'data.pkl'.length)
  const inside = [...records].filter(([name]) => name.startsWith(folder))
  return new Map(inside.map(([name, entry]) => [name.slice(folder.length), entry]))
}

async function checkKind(file: FileReader, archive: Archive): Promise<void> {
  const names = [...archive.records.keys()]
  if (names.includes('constants.pkl') || names.some((name) => name.startsWith('code/'))) {
    throw file.error(`it is a TorchScript archive, which holds a program; ${resaveHint}`)
  }
  const byteOrder = archive.records.get('byteorder')
  if (byteOrder === undefined) return // older than PyTorch 2.1: little-endian
  if (byteOrder.uncompressedSize > 16) throw file.error('its byte order is neither little nor big')
  const text = new TextDecoder().decode(await readRecord(file, archive, byteOrder))
  if (text !== 'little')
    throw file.error(`its byte order is ${JSON.stringify(text)}; re-save it on a little-endian machine`)
}

/** All tensors, however deep they lie. */
function collect(file: FileReader, archive: Archive, root: PickleValue): TensorFile {
  const tensors = new Map<string, StoredTensor>()
  const others = new Map<string, string>()
  for (const [name, value] of leaves(file, root)) {
    if (!(value instanceof TorchTensor)) others.set(name, 'no tensor')
    else if (tensors.has(name)) throw file.error(`it holds two tensors named ${name}`)
    else tensors.set(name, storedTensor(file, archive, name, value))
  }
  if (tensors.size === 0) throw file.error(`it holds no state_dict; ${resaveHint}`)
  return { format: 'pth', tensors: [...tensors.values()], others }
}

/** Tensors, and whatever else stands in dicts, with their keys joined by dots. Keys are strings and numbers. */
function leaves(file: FileReader, root: PickleValue): [string, PickleValue][] {
  const found: [string, PickleValue][] = []
  let count = 0
  const visit = (value: PickleValue, keys: readonly (string | number)[]): void => {
    // One dict may stand in many places: counted is how often it is visited.
    if (++count > maxEntries) throw file.error(`it holds more than ${maxEntries} entries`)
    const inner = keys.length < maxDepth ? entriesOf(value) : undefined
    const isNamed = value instanceof TorchTensor || typeof keys.at(-1) === 'string'
    if (inner !== undefined) for (const [key, item] of inner) if (isKey(key)) visit(item, [...keys, key])
    if (inner === undefined && isNamed) found.push([keys.join('.'), value])
  }
  visit(root, [])
  return found
}

function entriesOf(value: PickleValue): Iterable<[PickleValue, PickleValue]> | undefined {
  if (value instanceof PickleDict) return value.entries
  return value instanceof PickleList || value instanceof PickleTuple ? value.items.entries() : undefined
}

const isKey = (key: PickleValue): key is string | number => typeof key === 'string' || typeof key === 'number'

function storedTensor(file: FileReader, archive: Archive, name: string, tensor: TorchTensor): StoredTensor {
  const { storage } = tensor
  const entry = archive.records.get(`data/${storage.key}`)
  if (entry === undefined) throw file.error(`record data/${storage.key} of tensor ${name} is missing`)
  const bytes = storage.elements * storage.bytesPerElement
  if (entry.uncompressedSize !== bytes) {
    throw file.error(
      `record data/${storage.key} of tensor ${name} has ${entry.uncompressedSize} bytes instead of ${bytes}`,
    )
  }
  checkStored(file, entry)
  const { shape, strides, offset } = tensor
  const origin = [storage.key, offset, shape.join('×'), strides.join('×')].join(' ')
  return { name, type: storage.type, shape, origin, read: () => readTensor(file, archive, entry, name, tensor) }
}

function checkStored(file: FileReader, entry: yauzl.Entry): void {
  if (entry.compressionMethod !== 0 || entry.isEncrypted() || entry.compressedSize !== entry.uncompressedSize) {
    throw file.error(`record ${entry.fileName} is compressed or encrypted; ${resaveHint}`)
  }
}

async function readTensor(
  file: FileReader,
  archive: Archive,
  entry: yauzl.Entry,
  name: string,
  tensor: TorchTensor,
): Promise<Uint8Array<ArrayBuffer>> {
  const { shape, strides, offset, storage } = tensor
  const size = storage.bytesPerElement
  const elements = shape.reduce((a, b) => a * b, 1)
  // An expanded view (stride 0) could claim gigabytes of a storage of one element; weights have no use for one.
  if (elements > storage.elements)
    throw file.error(`tensor ${name} (${shape.join('×')}) is a view of a storage of ${storage.elements} elements`)
  if (elements === storage.elements && isContiguous(shape, strides)) return readRecord(file, archive, entry)
  if (elements === 0) return new Uint8Array(0)
  await checkRecord(file, archive, entry)
  const start = await dataStart(file, archive, entry)
  if (isContiguous(shape, strides)) return file.read(start + offset * size, elements * size)
  const span = 1 + shape.reduce((sum, extent, i) => sum + (extent - 1) * (strides[i] ?? 0), 0)
  return gather(await file.read(start + offset * size, span * size), shape, strides, size)
}

function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let step = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    const extent = shape[i] ?? 1
    if (extent !== 1 && strides[i] !== step) return false
    step *= extent
  }
  return true
}

/** Copies a strided view into row-major order. */
function gather(
  source: Uint8Array,
  shape: readonly number[],
  strides: readonly number[],
  size: number,
): Uint8Array<ArrayBuffer> {
  const elements = shape.reduce((a, b) => a * b, 1)
  const out = new Uint8Array(elements * size)
  const index = shape.map(() => 0)
  let from = 0
  for (let to = 0; to < elements; to++) {
    for (let b = 0; b < size; b++) out[to * size + b] = source[from * size + b] ?? 0
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (index[axis] ?? 0) + 1
      from += strides[axis] ?? 0
      index[axis] = next
      if (next < (shape[axis] ?? 0)) break
      from -= next * (strides[axis] ?? 0)
      index[axis] = 0
    }
  }
  return out
}

/** A whole record, checked against its checksum: a flipped bit would otherwise become a wrong depth map. */
async function readRecord(file: FileReader, archive: Archive, entry: yauzl.Entry): Promise<Uint8Array<ArrayBuffer>> {
  checkStored(file, entry)
  const bytes = await file.read(await dataStart(file, archive, entry), entry.uncompressedSize)
  let checksum = 0
  for (let done = 0; done < bytes.length; done += chunkBytes)
    checksum = crc32(bytes.subarray(done, done + chunkBytes), checksum)
  compareChecksum(file, entry, checksum)
  return bytes
}

/** The same check for a record of which parts are read: in pieces, as many tensors may share a large one, and once. */
async function checkRecord(file: FileReader, archive: Archive, entry: yauzl.Entry): Promise<void> {
  if (archive.checked.has(entry)) return
  const start = await dataStart(file, archive, entry)
  let checksum = 0
  for (let done = 0; done < entry.uncompressedSize; done += chunkBytes) {
    checksum = crc32(await file.read(start + done, Math.min(chunkBytes, entry.uncompressedSize - done)), checksum)
  }
  compareChecksum(file, entry, checksum)
  archive.checked.add(entry)
}

function compareChecksum(file: FileReader, entry: yauzl.Entry, checksum: number): void {
  if (checksum === entry.crc32) return
  throw file.error(`record ${entry.fileName} does not match its checksum; the file is damaged, download it again`)
}

async function dataStart(file: FileReader, archive: Archive, entry: yauzl.Entry): Promise<number> {
  try {
    const { fileDataStart } = await archive.zip.readLocalFileHeaderPromise(entry, { minimal: true })
    return fileDataStart
  } catch (cause) {
    throw file.error(
      `record ${entry.fileName} is damaged (${cause instanceof Error ? cause.message : String(cause)})`,
      cause,
    )
  }
}

/** Lets yauzl read through the file that the checkpoint owns. */
class Reader extends yauzl.RandomAccessReader {
  readonly #file: FileReader

  constructor(file: FileReader) {
    super()
    this.#file = file
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (err: Error | null) => void,
  ): void {
    this.#file.readInto(buffer.subarray(offset, offset + length), position).then(() => callback(null), callback)
  }
}
