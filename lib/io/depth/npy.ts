// Owns: NumPy's array format (NPY 1 to 3): the header, and numbers of any of its plain types.
// Must not know: where the bytes lie, what the array means.

/** Of floating point and integers; booleans as 0 and 1. */
export interface NumberType {
  readonly letter: 'f' | 'i' | 'u' | 'b'
  /** Of one value. */
  readonly bytes: number
  readonly littleEndian: boolean
}

export interface NpyHeader {
  readonly type: NumberType
  readonly shape: readonly number[]
  /** Where the values begin. Bytes. */
  readonly start: number
}

const magic = '\x93NUMPY'
/** Enough to learn how long the header is. */
export const npyPrefixBytes = 12

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
  return bytes.readUInt8(6) === 1 ? 10 + bytes.readUInt16LE(8) : npyPrefixBytes + bytes.readUInt32LE(8)
}

/** @param header the bytes that `npyHeaderBytes` tells @throws Error saying what was expected and found */
export function parseNpyHeader(header: Uint8Array): NpyHeader {
  const text = Buffer.from(header).toString('latin1')
  const descr = /'descr':\s*'([^']*)'/.exec(text)?.[1]
  const shape = /'shape':\s*\(([^)]*)\)/.exec(text)?.[1]?.match(/\d+/g)?.map(Number)
  if (descr === undefined || shape === undefined)
    throw new Error(`expected a plain array of numbers, found ${JSON.stringify(text.slice(10).trim())}`)
  if (!/'fortran_order':\s*False/.test(text))
    throw new Error('expected values in C order, found Fortran order (save numpy.ascontiguousarray of it)')
  return { type: numberType(descr), shape, start: header.length }
}

const sizes: Readonly<Record<NumberType['letter'], readonly number[]>> = {
  f: [2, 4, 8],
  i: [1, 2, 4, 8],
  u: [1, 2, 4, 8],
  b: [1],
}

/** Of NumPy's type string, such as '<f4'. @throws Error */
export function numberType(descr: string): NumberType {
  const [, order, letter, digits] = /^([<>|=]?)([fiub])(\d)$/.exec(descr) ?? []
  const bytes = Number(digits)
  if (letter !== undefined && sizes[letter as NumberType['letter']].includes(bytes))
    return { letter: letter as NumberType['letter'], bytes, littleEndian: order !== '>' }
  throw new Error(`expected floating point numbers or integers, found type ${JSON.stringify(descr)}`)
}

/** float64 and integers of more than 16 bits come as float64, all others, exactly, as float32. */
export function decodedNumbers(bytes: Uint8Array, type: NumberType): Float32Array | Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const count = Math.floor(bytes.byteLength / type.bytes)
  const isWide = type.bytes > (type.letter === 'f' ? 4 : 2)
  const values = isWide ? new Float64Array(count) : new Float32Array(count)
  const read = reader(view, type)
  for (let i = 0; i < count; i++) values[i] = read(i * type.bytes)
  return values
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
