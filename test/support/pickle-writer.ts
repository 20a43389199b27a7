// Owns: writing pickles byte by byte, honest and hostile ones, for tests.
// Must not know: the reader under test.

/** Appends opcodes of protocol 2; `raw` takes whatever a hostile file would hold. */
export class PickleWriter {
  readonly #parts: Uint8Array[] = [Uint8Array.of(0x80, 2)]

  raw(...bytes: number[]): this {
    this.#parts.push(Uint8Array.from(bytes))
    return this
  }

  text(value: string): this {
    this.#parts.push(new TextEncoder().encode(value))
    return this
  }

  op(letter: string): this {
    return this.text(letter)
  }

  string(value: string): this {
    const bytes = new TextEncoder().encode(value)
    return this.raw(0x58, ...uint32(bytes.length)).text(value)
  }

  int(value: number): this {
    return this.raw(0x4a, ...uint32(value))
  }

  global(module: string, name: string): this {
    return this.text(`c${module}\n${name}\n`)
  }

  tuple(write: () => void): this {
    this.op('(')
    write()
    return this.op('t')
  }

  finish(): Uint8Array {
    this.op('.')
    return Buffer.concat(this.#parts)
  }
}

function uint32(value: number): number[] {
  return [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, (value >>> 24) & 255]
}

export interface PickledTensor {
  readonly storage: string
  readonly key: string
  /** Elements of the storage. */
  readonly elements: number
  readonly offset?: number
  readonly shape: readonly number[]
  readonly strides?: readonly number[]
}

export function pickleTensor(writer: PickleWriter, tensor: PickledTensor): void {
  const { storage, key, elements, offset = 0, shape, strides = contiguous(shape) } = tensor
  writer.global('torch._utils', '_rebuild_tensor_v2').tuple(() => {
    writer
      .tuple(() => writer.string('storage').global('torch', storage).string(key).string('cpu').int(elements))
      .op('Q')
    writer.int(offset)
    writer.tuple(() => shape.forEach((extent) => writer.int(extent)))
    writer.tuple(() => strides.forEach((stride) => writer.int(stride)))
    writer.raw(0x89) // requires_grad
    writer.global('collections', 'OrderedDict').op(')').op('R')
  })
  writer.op('R')
}

/** An OrderedDict as torch.save pickles it, optionally below further keys. */
export function pickleStateDict(
  tensors: ReadonlyMap<string, PickledTensor>,
  below: readonly string[] = [],
): Uint8Array {
  const writer = new PickleWriter()
  for (const key of below) writer.op('}').string(key)
  writer.global('collections', 'OrderedDict').op(')').op('R').op('(')
  for (const [name, tensor] of tensors) {
    writer.string(name)
    pickleTensor(writer, tensor)
  }
  writer.op('u')
  for (const _ of below) writer.op('s')
  return writer.finish()
}

function contiguous(shape: readonly number[]): number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1))
}
