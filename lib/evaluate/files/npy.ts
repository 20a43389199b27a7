// Owns: NumPy's array format (NPY 1 to 3): the header, and numbers of any of its plain types.
// Must not know: where the bytes lie, what the array means.

/** A type of floating point or integers; booleans are 0 and 1. */
export interface NumberType {
  readonly letter: 'f' | 'i' | 'u' | 'b'
  /** Size of one value. */
  readonly bytes: number
  readonly littleEndian: boolean
}

export interface NpyHeader {
  /** NumPy's type string, such as '<f4'. */
  readonly descr: string
  readonly shape: readonly number[]
  /** Where the values begin. Bytes. */
  readonly start: number
}

const magic = '\x93NUMPY'
/** Enough to learn how long the header is. */
export const npyPrefixBytes = 12
/** A plain array's header takes 128; NumPy itself refuses more than 10,000. */
const mostHeaderBytes = 16_384

/**
 * How many bytes from the start the whole header takes.
 *
 * @param prefix at least `npyPrefixBytes` of the file, or all of it @throws Error saying what was found instead
 */
export function npyHeaderBytes(prefix: Uint8Array): number {
  const bytes = Buffer.from(prefix.buffer, prefix.byteOffset, prefix.byteLength)
  const found = bytes.toString('latin1', 0, magic.length)
  if (found !== magic || bytes.length < npyPrefixBytes)
    throw new Error(`expected an NPY array, found one that begins with ${JSON.stringify(found)}`)
  const version = bytes.readUInt8(6)
  if (version < 1 || version > 3) throw new Error(`expected version 1 to 3 of NPY, found ${version}`)
  const length = version === 1 ? 10 + bytes.readUInt16LE(8) : npyPrefixBytes + bytes.readUInt32LE(8)
  if (length <= mostHeaderBytes) return length
  throw new Error(`expected a header of at most ${mostHeaderBytes} bytes, found ${length}`)
}

/** @param header the bytes that `npyHeaderBytes` tells @throws Error saying what was expected and found */
export function parseNpyHeader(header: Uint8Array): NpyHeader {
  const text = Buffer.from(header).toString('latin1')
  const descr = /'descr':\s*'([^']*)'/.exec(text)?.[1]
  const sides = /'shape':\s*\(([^)]*)\)/.exec(text)?.[1]
  if (descr === undefined || sides === undefined)
    throw new Error(`expected a plain array, found ${JSON.stringify(text.slice(10, 200).trim())}`)
  if (!/'fortran_order':\s*False/.test(text))
    throw new Error('expected values in C order, found Fortran order (save numpy.ascontiguousarray of it)')
  return { descr, shape: parseShape(sides), start: header.length }
}

/** `2, 3, 4`, `2,` or nothing. */
function parseShape(text: string): number[] {
  const sides = text.split(',').map((side) => side.trim())
  if (sides.at(-1) === '') sides.pop()
  if (sides.every((side) => /^\d{1,15}$/.test(side))) return sides.map(Number)
  throw new Error(`expected whole numbers from 0 for the shape, found (${text.slice(0, 80)})`)
}

/** How many values an array of this shape has, each side of which is at least 1. @throws Error */
export function countOf(shape: readonly unknown[]): number {
  const areSides = shape.every((side) => Number.isSafeInteger(side) && (side as number) >= 1)
  const count = shape.reduce<number>((product, side) => product * (side as number), 1)
  if (areSides && Number.isSafeInteger(8 * count)) return count
  throw new Error(`expected a shape of whole numbers from 1, found ${JSON.stringify(shape).slice(0, 80)}`)
}

const sizes: Readonly<Record<NumberType['letter'], readonly number[]>> = {
  f: [2, 4, 8],
  i: [1, 2, 4, 8],
  u: [1, 2, 4, 8],
  b: [1],
}

/** The type that NumPy's string stands for, such as '<f4'. @throws Error */
export function numberType(descr: string): NumberType {
  const [, order, letter, digits] = /^([<>|=]?)([fiub])(\d)$/.exec(descr) ?? []
  const bytes = Number(digits)
  if (letter !== undefined && sizes[letter as NumberType['letter']].includes(bytes))
    return { letter: letter as NumberType['letter'], bytes, littleEndian: order !== '>' }
  throw new Error(`expected floating point numbers or integers, found type ${JSON.stringify(descr)}`)
}

/** float64 and integers of more than 16 bits are kept as float64, all others, exactly, as float32. */
const isWide = ({ letter, bytes }: NumberType): boolean => bytes > (letter === 'f' ? 4 : 2)

/** Bytes of one value where `Numbers` keeps it. */
export const keptBytes = (type: NumberType): number => (isWide(type) ? 8 : 4)

/** Numbers that come as bytes, in parts. */
export class Numbers {
  readonly values: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>
  readonly #type: NumberType
  #count = 0

  constructor(count: number, type: NumberType) {
    this.values = isWide(type) ? new Float64Array(count) : new Float32Array(count)
    this.#type = type
  }

  /** @param bytes of whole values, no more than are still to come */
  add(bytes: Uint8Array): void {
    const { values } = this
    const step = this.#type.bytes
    const read = reader(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), this.#type)
    for (let at = 0; at < bytes.length; at += step) values[this.#count++] = read(at)
  }
}

function reader(view: DataView, { letter, bytes, littleEndian: little }: NumberType): (at: number) => number {
  switch (`${letter}${bytes}`) {
    case 'f2':
      return (at) => fromHalf(view.getUint16(at, little))
    case 'f4':
      return (at) => view.getFloat32(at, little)
    case 'f8':
      return (at) => view.getFloat64(at, little)
    case 'i1':
      return (at) => view.getInt8(at)
    case 'i2':
      return (at) => view.getInt16(at, little)
    case 'i4':
      return (at) => view.getInt32(at, little)
    case 'i8':
      return (at) => Number(view.getBigInt64(at, little))
    case 'u2':
      return (at) => view.getUint16(at, little)
    case 'u4':
      return (at) => view.getUint32(at, little)
    case 'u8':
      return (at) => Number(view.getBigUint64(at, little))
    default:
      return (at) => view.getUint8(at)
  }
}

/** IEEE binary16, subnormal numbers, infinities and NaN included. */
export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}
