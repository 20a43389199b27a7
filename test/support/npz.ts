// Owns: reading NumPy archives (.npz of .npy members) into typed arrays, for fixtures.
// Must not know: what the arrays mean.

import yauzl, { type Entry, type ZipFile } from 'yauzl'

export interface NpyArray {
  /** NumPy's type string, such as '<f4' or '|u1'. */
  readonly dtype: string
  readonly shape: readonly number[]
  /** Row-major. */
  readonly data: Float32Array | Float64Array | Uint8Array | Uint16Array | Int32Array | BigInt64Array
}

const readers: Readonly<Record<string, (bytes: ArrayBuffer) => NpyArray['data']>> = {
  '<f4': (bytes) => new Float32Array(bytes),
  '<f8': (bytes) => new Float64Array(bytes),
  '|u1': (bytes) => new Uint8Array(bytes),
  '<u2': (bytes) => new Uint16Array(bytes),
  '<i4': (bytes) => new Int32Array(bytes),
  '<i8': (bytes) => new BigInt64Array(bytes),
}

/** Arrays of numbers by name, without the `.npy` of the member; our own `kind`, a text, is left out. */
export async function readNpz(path: string): Promise<Map<string, NpyArray>> {
  const zip = await openZip(path)
  return new Promise((resolve, reject) => {
    const arrays = new Map<string, NpyArray>()
    zip.on('error', reject)
    zip.on('end', () => resolve(arrays))
    zip.on('entry', (entry: Entry) => {
      readEntry(zip, entry).then((bytes) => {
        const name = entry.fileName.replace(/\.npy$/, '')
        if (name !== 'kind') arrays.set(name, parseNpy(bytes))
        zip.readEntry()
      }, reject)
    })
    zip.readEntry()
  })
}

/** One array of an archive, which must be float32. */
export async function readFloats(
  path: string,
  name: string,
): Promise<{ shape: readonly number[]; data: Float32Array }> {
  const array = (await readNpz(path)).get(name)
  if (!(array?.data instanceof Float32Array)) throw new Error(`${path} holds no float32 array named ${name}`)
  return { shape: array.shape, data: array.data }
}

/** One .npy file's bytes. */
export function parseNpy(bytes: Uint8Array): NpyArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const magic = Buffer.from(bytes.subarray(0, 6)).toString('latin1')
  if (magic !== '\x93NUMPY') throw new Error(`Expected an .npy file, received ${JSON.stringify(magic)}`)
  const long = view.getUint8(6) >= 2
  const start = long ? 12 : 10
  const end = start + (long ? view.getUint32(8, true) : view.getUint16(8, true))
  const header = Buffer.from(bytes.subarray(start, end)).toString('latin1')
  const dtype = /'descr':\s*'([^']+)'/.exec(header)?.[1] ?? ''
  const shape = /'shape':\s*\(([^)]*)\)/
    .exec(header)?.[1]
    ?.split(',')
    .filter((part) => part.trim() !== '')
    .map(Number)
  const read = readers[dtype]
  if (read === undefined || shape === undefined || !header.includes("'fortran_order': False")) {
    throw new Error(`Expected a row-major array of ${Object.keys(readers).join(', ')}, received ${header.trim()}`)
  }
  const data = read(new Uint8Array(bytes.subarray(end)).buffer) // a copy: an array's offset must be aligned
  const count = shape.reduce((a, b) => a * b, 1)
  if (data.length !== count) throw new Error(`Expected ${count} values, received ${data.length}`)
  return { dtype, shape, data }
}

function openZip(path: string): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    yauzl.open(path, { lazyEntries: true }, (error, zip) => (error ? reject(error) : resolve(zip)))
  })
}

function readEntry(zip: ZipFile, entry: Entry): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => {
      if (error) {
        reject(error)
        return
      }
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('error', reject)
      stream.on('end', () => resolve(Buffer.concat(chunks)))
    })
  })
}
