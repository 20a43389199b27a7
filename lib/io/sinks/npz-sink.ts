// Owns: depth as NumPy's compressed archive, as upstream's `--save_npz` writes it, and beside it a word for what the values are.
// Must not know: other formats, the pipeline.

import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ZipFile } from 'yazl'
import type { DepthKind } from '../../base/frame.js'
import { AtomicFile } from './atomic-output.js'
import type { DepthSpill } from './depth-spill.js'
import { outputError } from './output-errors.js'
import type { SpillOutput } from './spilled-sink.js'

/**
 * `numpy.load(path)['depths']`: [frames, height, width] float32, C order, deflated; ZIP64 where it exceeds 4 GiB.
 * `['kind']`: the text 'disparity', or 'metric' for metres.
 */
export async function npzOutput(path: string): Promise<SpillOutput> {
  const file = await AtomicFile.create(path)
  return {
    path,
    render: (spill) =>
      writeArchive(spill, file.temporary).catch((cause: unknown) => {
        throw outputError(path, cause)
      }),
    commit: async () => [await file.commit()],
    discard: () => file.discard(),
  }
}

/** The zip format's first day, as NumPy writes it, so that equal depth gives equal bytes. Zip takes the local time. */
const noTime = { mtime: new Date(1980, 0, 1), forceDosTimestamp: true }

async function writeArchive(spill: DepthSpill, path: string): Promise<void> {
  const { width, height, count, kind } = spill.facts
  const header = npyHeader('<f4', [count, height, width])
  const size = header.byteLength + count * height * width * Float32Array.BYTES_PER_ELEMENT
  const array = Readable.from(parts(header, spill), { objectMode: false })
  const zip = new ZipFile()
  zip.addReadStream(array, 'depths.npy', { compress: true, size, ...noTime })
  zip.addBuffer(npyText(kind), 'kind.npy', noTime)
  zip.end()
  // yazl pipes without passing errors on, so each end has to bring down the other.
  array.once('error', (error) => zip.outputStream.emit('error', error))
  zip.once('error', (error) => zip.outputStream.emit('error', error))
  try {
    await pipeline(zip.outputStream, createWriteStream(path))
  } finally {
    array.destroy()
  }
}

async function* parts(header: Uint8Array, spill: DepthSpill): AsyncGenerator<Uint8Array, void, void> {
  yield header
  yield* spill.bytes()
}

/** An array without a shape: one text in UTF-32. */
function npyText(kind: DepthKind): Buffer {
  const text = Buffer.alloc(4 * kind.length)
  for (let i = 0; i < kind.length; i++) text.writeUInt32LE(kind.charCodeAt(i), 4 * i)
  return Buffer.concat([npyHeader(`<U${kind.length}`, []), text])
}

/** NPY format 1.0: magic, version, length, a Python literal padded with spaces to a multiple of 64 bytes, newline. */
function npyHeader(descr: string, shape: readonly number[]): Uint8Array {
  const literal = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`
  const prefixBytes = 10
  const total = Math.ceil((prefixBytes + literal.length + 1) / 64) * 64
  const header = Buffer.alloc(total, ' ')
  header.write('\x93NUMPY\x01\x00', 'latin1')
  header.writeUInt16LE(total - prefixBytes, 8)
  header.write(literal, prefixBytes, 'latin1')
  header[total - 1] = 0x0a
  return header
}
