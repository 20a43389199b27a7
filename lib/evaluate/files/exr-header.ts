// Owns: the header of an OpenEXR file of one part with scan lines.
// Must not know: compressed pixels, what channels mean.

export interface ExrChannel {
  readonly name: string
  /** Type and size of one value. */
  readonly type: 'uint' | 'half' | 'float'
  readonly bytes: number
}

export interface ExrHeader {
  /** In the order in which a line holds them. */
  readonly channels: readonly ExrChannel[]
  /** Index in `compressions`. */
  readonly compression: number
  /** The pixels that are stored. */
  readonly data: ExrWindow
  /** The picture, which stored pixels may leave empty in part, or exceed. */
  readonly display: ExrWindow
  /** Where the table of block offsets begins. Bytes. */
  readonly end: number
}

/** Pixels; `left` and `top` are numbers of a column and a line. */
export interface ExrWindow {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

/** Lines that are packed together. */
export interface ExrBlock {
  readonly channels: readonly ExrChannel[]
  readonly width: number
  readonly lines: number
}

/** By number, with the lines in a block. */
export const compressions: readonly { readonly name: string; readonly lines: number }[] = [
  { name: 'none', lines: 1 },
  { name: 'RLE', lines: 1 },
  { name: 'ZIPS', lines: 1 },
  { name: 'ZIP', lines: 16 },
  { name: 'PIZ', lines: 32 },
  { name: 'PXR24', lines: 16 },
  { name: 'B44', lines: 32 },
  { name: 'B44A', lines: 32 },
  { name: 'DWAA', lines: 32 },
  { name: 'DWAB', lines: 256 },
]

const magic = 20000630
const types = [
  { type: 'uint', bytes: 4 },
  { type: 'half', bytes: 2 },
  { type: 'float', bytes: 4 },
] as const
/** Version field: tiles, deep data, several parts. */
const unsupported = [
  [0x200, 'tiles'],
  [0x800, 'deep data'],
  [0x1000, 'several parts'],
] as const

/** @throws Error saying what was expected and found; RangeError where it is cut short */
export function parseExrHeader(bytes: Buffer): ExrHeader {
  if (bytes.length < 8 || bytes.readUInt32LE(0) !== magic) throw new Error('expected an OpenEXR file, found another')
  const version = bytes.readUInt32LE(4)
  for (const [flag, name] of unsupported)
    if ((version & flag) !== 0) throw new Error(`expected one part with scan lines, found ${name}`)
  const attributes = new Map<string, Buffer>()
  let at = 8
  while (bytes.readUInt8(at) !== 0) {
    const [name, afterName] = textAt(bytes, at)
    const [, afterType] = textAt(bytes, afterName)
    const size = bytes.readInt32LE(afterType)
    if (size < 0 || size > bytes.length - afterType - 4)
      throw new RangeError(`expected an attribute within the file, found one of ${size} bytes`)
    attributes.set(name, bytes.subarray(afterType + 4, afterType + 4 + size))
    at = afterType + 4 + size
  }
  const attribute = (name: string): Buffer => {
    const found = attributes.get(name)
    if (found === undefined) throw new Error(`expected an attribute ${name}, found none`)
    return found
  }
  const data = windowOf('dataWindow', attribute('dataWindow'))
  const display = attributes.get('displayWindow')
  return {
    channels: parseChannels(attribute('channels')),
    compression: attribute('compression').readUInt8(0),
    data,
    display: display === undefined ? data : windowOf('displayWindow', display),
    end: at + 1,
  }
}

/** @throws Error where it has no pixels */
function windowOf(name: string, bytes: Buffer): ExrWindow {
  const [left, top, right, bottom] = [0, 4, 8, 12].map((offset) => bytes.readInt32LE(offset)) as Box
  if (right >= left && bottom >= top) return { left, top, width: right - left + 1, height: bottom - top + 1 }
  throw new Error(`expected a ${name} with pixels, found one from ${left}, ${top} to ${right}, ${bottom}`)
}

type Box = [left: number, top: number, right: number, bottom: number]

function parseChannels(bytes: Buffer): ExrChannel[] {
  const channels: ExrChannel[] = []
  let at = 0
  while (bytes.readUInt8(at) !== 0) {
    const [name, next] = textAt(bytes, at)
    const type = types[bytes.readInt32LE(next)]
    const [xSampling, ySampling] = [bytes.readInt32LE(next + 8), bytes.readInt32LE(next + 12)]
    if (type === undefined || xSampling !== 1 || ySampling !== 1)
      throw new Error(
        `expected channels of full size, found ${JSON.stringify(name.slice(0, 40))} with another sampling or type`,
      )
    channels.push({ name, ...type })
    at = next + 16
  }
  return channels
}

/** Text that ends with a 0, and where the next begins. */
function textAt(bytes: Buffer, at: number): [text: string, next: number] {
  const end = bytes.indexOf(0, at)
  if (end < 0) throw new RangeError('it is cut short in its header')
  return [bytes.toString('latin1', at, end), end + 1]
}
