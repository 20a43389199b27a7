// Owns: an open checkpoint: its tensors by name, whatever the file's format, as float32.
// Must not know: what the tensors are for, where they go.

import { VideoDepthError } from '../../base/errors.js'
import { chooseWeights, type Entry } from './choose-weights.js'
import { FileReader } from '../../cache/file-reader.js'
import { bytesPerFloat, firstNotFinite, toFloat32, type FloatType } from './float-formats.js'
import { openPth, resaveHint } from './pth.js'
import { openSafetensors } from './safetensors.js'
import type { StoredTensor, TensorFile } from './stored-tensor.js'

export interface TensorInfo {
  readonly name: string
  readonly dtype: FloatType
  readonly shape: readonly number[]
}

/** One owner, who closes it. Tensors are read from the file when asked for, one at a time. */
export interface Checkpoint {
  readonly path: string
  readonly format: 'pth' | 'safetensors'
  readonly tensors: ReadonlyMap<string, TensorInfo>
  /** Entries among the weights that the network cannot use: name → type (`int64`, `no tensor` …). */
  readonly otherEntries: ReadonlyMap<string, string>
  /** Keys of all sets of weights in the file: one, unless there are averaged ones beside. */
  readonly weightsKeys: readonly string[]
  /** Full names of tensors that are not among these weights, such as an optimizer's. */
  readonly beside: readonly string[]
  /**
   * A tensor's values, row-major, owned by the caller.
   *
   * @throws VideoDepthError WEIGHTS_NOT_FINITE, CHECKPOINT_UNREADABLE
   */
  read(name: string): Promise<Float32Array<ArrayBuffer>>
  close(): Promise<void>
}

export interface CheckpointOptions {
  /** Under which key the weights lie; needed where the file holds several. */
  readonly weightsKey?: string | undefined
}

/**
 * Opens a `.pth` or `.safetensors` file; which one it is, is read from its first bytes. Nothing in it is executed.
 *
 * @throws VideoDepthError CHECKPOINT_UNREADABLE, CHECKPOINT_FORBIDDEN; CHECKPOINT_MISMATCH where it is not clear which
 *   weights are meant; INVALID_OPTION for weightsKey
 */
export async function openCheckpoint(path: string, { weightsKey }: CheckpointOptions = {}): Promise<Checkpoint> {
  const file = await FileReader.open(path)
  try {
    return toCheckpoint(file, await openByContent(file), weightsKey)
  } catch (error) {
    await file.close()
    throw error
  }
}

async function openByContent(file: FileReader): Promise<TensorFile> {
  const head = await file.read(0, Math.min(file.size, 64))
  const text = new TextDecoder('latin1').decode(head)
  if (text.startsWith('PK\x03\x04')) return openPth(file)
  if (/^\x80[\x02-\x05]/.test(text)) {
    throw file.error(`it is in PyTorch's format from before 1.6 (a bare pickle); ${resaveHint}`)
  }
  if (head.length > 8) {
    const length = Number(new DataView(head.buffer).getBigUint64(0, true))
    if (text[8] === '{' && length < file.size) return openSafetensors(file)
  }
  if (text.startsWith('version https://git-lfs')) {
    throw file.error('it is a Git LFS pointer, not the file itself; fetch it with "git lfs pull" or download it')
  }
  if (/^\s*<(!doctype|html)/i.test(text)) {
    throw file.error('it is a web page; download from the "resolve" address, not the "blob" one')
  }
  throw file.error('it is neither a .pth as torch.save writes it nor a .safetensors file')
}

interface Found extends Entry {
  readonly type: string
  readonly stored: StoredTensor | undefined
}

function toCheckpoint(file: FileReader, content: TensorFile, weightsKey: string | undefined): Checkpoint {
  const all: Found[] = [
    ...content.tensors.map((stored) => ({ ...stored, stored })),
    ...[...content.others].map(([name, type]) => ({ name, type, stored: undefined })),
  ]
  const { entries, keys, beside } = chooseWeights(file.path, all, weightsKey)
  const tensors = new Map<string, TensorInfo>()
  const otherEntries = new Map<string, string>()
  for (const [name, { type, shape }] of entries) {
    if (shape !== undefined && isFloatType(type)) tensors.set(name, { name, dtype: type, shape })
    else otherEntries.set(name, type)
  }
  return {
    path: file.path,
    format: content.format,
    tensors,
    otherEntries,
    weightsKeys: keys,
    beside,
    read: (name) => readTensor(file, entries.get(name)?.stored, name),
    close: () => file.close(),
  }
}

async function readTensor(
  file: FileReader,
  tensor: StoredTensor | undefined,
  name: string,
): Promise<Float32Array<ArrayBuffer>> {
  if (tensor === undefined || !isFloatType(tensor.type)) throw file.error(`it holds no tensor ${name}`)
  const values = toFloat32(await tensor.read(), tensor.type)
  const index = firstNotFinite(values)
  if (index >= 0) {
    const message = `Tensor ${name} of checkpoint ${file.path} holds ${values[index]} at element ${index}; its weights are unusable`
    throw new VideoDepthError('WEIGHTS_NOT_FINITE', message)
  }
  return values
}

function isFloatType(type: string): type is FloatType {
  return Object.hasOwn(bytesPerFloat, type)
}
