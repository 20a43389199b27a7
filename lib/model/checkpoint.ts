// Owns: an open checkpoint: its tensors by name, whatever the file's format, as float32.
// Must not know: what the tensors are for, where they go.

import { VideoDepthError } from '../errors.js'
import { FileReader } from './file-reader.js'
import { bytesPerFloat, firstNotFinite, toFloat32, type FloatType } from './float-formats.js'
import { openPth, resaveHint } from './pth.js'
import { maxHeaderBytes, openSafetensors } from './safetensors.js'
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
  /** Entries that the network cannot use: name → type (`int64`, `no tensor` …). */
  readonly otherEntries: ReadonlyMap<string, string>
  /**
   * A tensor's values, row-major, owned by the caller.
   *
   * @throws VideoDepthError WEIGHTS_NOT_FINITE, CHECKPOINT_UNREADABLE
   */
  read(name: string): Promise<Float32Array<ArrayBuffer>>
  close(): Promise<void>
}

/**
 * Opens a `.pth` or `.safetensors` file; which one it is, is read from its first bytes. Nothing in it is executed.
 *
 * @throws VideoDepthError CHECKPOINT_UNREADABLE, CHECKPOINT_FORBIDDEN
 */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  const file = await FileReader.open(path)
  try {
    return toCheckpoint(file, await openByContent(file))
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
    if (text[8] === '{' && length <= maxHeaderBytes) return openSafetensors(file)
  }
  if (text.startsWith('version https://git-lfs')) {
    throw file.error('it is a Git LFS pointer, not the file itself; fetch it with "git lfs pull" or download it')
  }
  if (/^\s*<(!doctype|html)/i.test(text)) {
    throw file.error('it is a web page; download from the "resolve" address, not the "blob" one')
  }
  throw file.error('it is neither a .pth as torch.save writes it nor a .safetensors file')
}

function toCheckpoint(file: FileReader, content: TensorFile): Checkpoint {
  const names = [...content.tensors.map(({ name }) => name), ...content.others.keys()]
  const wrapped = names.length > 0 && names.every((name) => name.startsWith('module.')) // DataParallel
  const plain = (name: string): string => (wrapped ? name.slice('module.'.length) : name)
  const stored = new Map<string, StoredTensor>()
  const tensors = new Map<string, TensorInfo>()
  const otherEntries = new Map([...content.others].map(([name, type]) => [plain(name), type]))
  for (const tensor of content.tensors) {
    const name = plain(tensor.name)
    if (!isFloatType(tensor.type)) {
      otherEntries.set(name, tensor.type)
      continue
    }
    stored.set(name, tensor)
    tensors.set(name, { name, dtype: tensor.type, shape: tensor.shape })
  }
  return {
    path: file.path,
    format: content.format,
    tensors,
    otherEntries,
    read: (name) => readTensor(file, stored.get(name), name),
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
