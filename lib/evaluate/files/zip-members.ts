// Owns: members of a ZIP archive as bytes in order, no more than are asked for, their checksums compared.
// Must not know: what the members hold.

import { Readable } from 'node:stream'
import { crc32 } from 'node:zlib'
import yauzl, { type Entry, type ZipFile } from 'yauzl'
import { openRegular, readExactly, type OpenFile } from '../../base/read-file.js'

const pieceBytes = 65_536

/** One owner, who closes it. */
export class ZipArchive {
  readonly entries: readonly Entry[]
  /** The archive's size, bytes. */
  readonly size: number
  readonly #file: OpenFile
  readonly #zip: ZipFile

  private constructor(file: OpenFile, zip: ZipFile, entries: readonly Entry[]) {
    this.#file = file
    this.size = file.size
    this.#zip = zip
    this.entries = entries
  }

  /** @throws Error */
  static async open(path: string): Promise<ZipArchive> {
    const file = await openRegular(path)
    try {
      const zip = await opened(file)
      return new ZipArchive(file, zip, await allEntries(zip))
    } catch (error) {
      await file.handle.close()
      throw error
    }
  }

  /** @throws Error */
  async member(entry: Entry): Promise<ZipMember> {
    return new ZipMember(entry, await memberStream(this.#zip, entry))
  }

  async close(): Promise<void> {
    await this.#file.handle.close()
  }
}

/** A member from its beginning. One owner, who closes it. */
export class ZipMember {
  /** Bytes. */
  readonly size: number
  readonly #stream: Readable
  readonly #chunks: AsyncIterator<Buffer>
  readonly #expected: number
  #checksum = 0
  #left: Buffer = Buffer.alloc(0)

  constructor(entry: Entry, stream: Readable) {
    this.size = entry.uncompressedSize
    this.#expected = entry.crc32
    this.#stream = stream
    this.#chunks = (stream as AsyncIterable<Buffer>)[Symbol.asyncIterator]()
  }

  /** The next bytes, exactly so many, in parts. @param unit every part is a multiple of it @throws Error where the member ends before */
  async *next(length: number, unit = 1): AsyncGenerator<Buffer, void, void> {
    for (let wanted = length; wanted > 0;) {
      if (this.#left.length < Math.min(unit, wanted)) await this.#more(wanted)
      const usable = Math.min(wanted, this.#left.length - (this.#left.length % unit))
      if (usable > 0) yield this.#left.subarray(0, usable)
      this.#left = this.#left.subarray(usable)
      wanted -= usable
    }
  }

  /** The next bytes together. */
  async bytes(length: number): Promise<Buffer> {
    const parts: Buffer[] = []
    for await (const part of this.next(length)) parts.push(Buffer.from(part))
    return Buffer.concat(parts)
  }

  /** Reads what is left and compares the checksum. @throws Error where it is another one */
  async end(): Promise<void> {
    this.#left = Buffer.alloc(0)
    while (await this.#chunk()) this.#left = Buffer.alloc(0)
    if (this.#checksum !== this.#expected)
      throw new Error(`expected checksum ${this.#expected.toString(16)}, found ${this.#checksum.toString(16)}`)
  }

  close(): void {
    this.#stream.destroy()
  }

  async #more(wanted: number): Promise<void> {
    const have = this.#left.length
    if (!(await this.#chunk())) throw new Error(`expected ${wanted} more bytes of the array, found ${have}`)
  }

  /** @returns false at the end */
  async #chunk(): Promise<boolean> {
    const chunk = await this.#chunks.next()
    if (chunk.done === true) return false
    this.#checksum = crc32(chunk.value, this.#checksum)
    this.#left = this.#left.length === 0 ? chunk.value : Buffer.concat([this.#left, chunk.value])
    return true
  }
}

/** The archive's library reads through this, so that it sees the very file that was found to be a regular one. */
class OpenFileReader extends yauzl.RandomAccessReader {
  constructor(readonly file: OpenFile) {
    super()
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from(pieces(this.file, start, end), { objectMode: false })
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    done: (error: Error | null) => void,
  ): void {
    readExactly(this.file.handle, buffer.subarray(offset, offset + length), position).then(() => done(null), done)
  }
}

async function* pieces({ handle }: OpenFile, start: number, end: number): AsyncGenerator<Buffer> {
  for (let at = start; at < end; at += pieceBytes) {
    const piece = Buffer.allocUnsafe(Math.min(pieceBytes, end - at))
    await readExactly(handle, piece, at)
    yield piece
  }
}

function opened(file: OpenFile): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    const options = { lazyEntries: true, autoClose: false } as const
    yauzl.fromRandomAccessReader(new OpenFileReader(file), file.size, options, (error, zip) =>
      error ? reject(error) : resolve(zip),
    )
  })
}

function allEntries(zip: ZipFile): Promise<Entry[]> {
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
