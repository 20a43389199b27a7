// Owns: depth maps out of a NumPy archive, unpacked as they are read.
// Must not know: other formats, what a value means.

import type { Readable } from 'node:stream'
import yauzl, { type Entry, type ZipFile } from 'yauzl'
import type { Plane } from '../../evaluate/plane.js'
import type { DepthSequence } from './depth-sequence.js'
import { decodedNumbers, npyHeaderBytes, npyPrefixBytes, parseNpyHeader, type NpyHeader } from './npy.js'
import { stackShape } from './stack-file.js'
import { readError } from './unreadable.js'

/** Upstream's and our name of the array. */
const preferred = 'depths.npy'

/** The array `depths` of the archive, or its only one: [frames, height, width]. @throws VideoDepthError SOURCE_UNREADABLE */
export async function openNpzStack(path: string): Promise<DepthSequence> {
  const { shape } = await read(path, (bytes) => bytes.header())
  const [frames, height, width] = stackShape(path, shape)
  async function* planes(from: number, to: number): AsyncGenerator<Plane> {
    const archive = await Archive.open(path)
    try {
      const { type } = await archive.header()
      const size = height * width * type.bytes
      for (let i = 0; i < to; i++) {
        const bytes = await archive.next(size)
        if (i >= from) yield { data: decodedNumbers(bytes, type), width, height }
      }
    } catch (cause) {
      throw readError(path, cause)
    } finally {
      archive.close()
    }
  }
  return { name: path, length: frames, kind: undefined, frames: planes }
}

async function read<T>(path: string, use: (archive: Archive) => Promise<T>): Promise<T> {
  const archive = await Archive.open(path)
  try {
    return await use(archive)
  } catch (cause) {
    throw readError(path, cause)
  } finally {
    archive.close()
  }
}

/** One member of an archive, from its beginning. */
class Archive {
  readonly #zip: ZipFile
  readonly #stream: Readable
  readonly #chunks: AsyncIterator<Buffer>
  #left: Buffer = Buffer.alloc(0)

  private constructor(zip: ZipFile, stream: Readable) {
    this.#zip = zip
    this.#stream = stream
    this.#chunks = (stream as AsyncIterable<Buffer>)[Symbol.asyncIterator]()
  }

  /** @throws VideoDepthError SOURCE_UNREADABLE */
  static async open(path: string): Promise<Archive> {
    try {
      const zip = await opened(path)
      try {
        return new Archive(zip, await memberStream(zip, chosen(await entries(zip))))
      } catch (error) {
        zip.close()
        throw error
      }
    } catch (cause) {
      throw readError(path, cause)
    }
  }

  async header(): Promise<NpyHeader> {
    const prefix = await this.next(npyPrefixBytes)
    return parseNpyHeader(Buffer.concat([prefix, await this.next(npyHeaderBytes(prefix) - prefix.length)]))
  }

  /** Exactly so many bytes. */
  async next(length: number): Promise<Buffer> {
    const parts: Buffer[] = [this.#left]
    let have = this.#left.length
    while (have < length) {
      const chunk = await this.#chunks.next()
      if (chunk.done === true) throw new Error(`expected ${length} more bytes of the array, found ${have}`)
      parts.push(chunk.value)
      have += chunk.value.length
    }
    const bytes = Buffer.concat(parts)
    this.#left = bytes.subarray(length)
    return bytes.subarray(0, length)
  }

  close(): void {
    this.#stream.destroy()
    this.#zip.close()
  }
}

function chosen(found: readonly Entry[]): Entry {
  const arrays = found.filter(({ fileName }) => fileName.endsWith('.npy'))
  const entry = arrays.find(({ fileName }) => fileName === preferred) ?? (arrays.length === 1 ? arrays[0] : undefined)
  if (entry !== undefined) return entry
  const names = arrays.map(({ fileName }) => fileName).join(', ') || 'none'
  throw new Error(`expected an array named depths, or only one, found ${names}`)
}

function opened(path: string): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    yauzl.open(path, { lazyEntries: true, autoClose: false }, (error, zip) => (error ? reject(error) : resolve(zip)))
  })
}

function entries(zip: ZipFile): Promise<Entry[]> {
  return new Promise((resolve, reject) => {
    const found: Entry[] = []
    zip.on('error', reject)
    zip.on('end', () => resolve(found))
    zip.on('entry', (entry: Entry) => {
      found.push(entry)
      zip.readEntry()
    })
    zip.readEntry()
  })
}

function memberStream(zip: ZipFile, entry: Entry): Promise<Readable> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => (error ? reject(error) : resolve(stream)))
  })
}
