// Owns: the manifest of a converted checkpoint, and whether the weights file beside it is what was written.
// Must not know: checkpoints, graphs.

import path from 'node:path'
import type { Architecture } from '../checkpoint/architecture.js'
import { mostBlocks, type NetworkDimensions } from '../checkpoint/layout.js'
import { fileSize, writeAtomically } from '../../cache/cache-folder.js'
import { fileHash, fileIdentity, rememberHash, type HashOptions, type HashRecord } from '../../cache/file-hash.js'
import { readSealed, sealedText } from '../../cache/json-record.js'
import { weightsIndex } from './weights-file.js'
import type { Precision } from './weights.js'

/** Written after the weights file, so its presence says that the file is complete. */
interface Manifest {
  readonly dimensions: NetworkDimensions
  readonly weightsBytes: number
  /** Hash of the weights file, hex. */
  readonly weightsSha256: string
}

function manifestName(precision: Precision): string {
  return `weights.${precision}.json`
}

/** Says which file was last found to be what was written; another one is read in full again. */
function verifiedRecord(folder: string, precision: Precision): HashRecord {
  return { folder, name: `weights.${precision}.verified.json` }
}

/** @param weightsSha256 of the bytes that were written, so that they need not be read now */
export async function writeManifest(
  folder: string,
  precision: Precision,
  architecture: Architecture,
  weightsSha256: string,
): Promise<void> {
  const { taps: _taps, size: _size, ...dimensions } = architecture
  const index = weightsIndex(architecture, precision)
  const manifest: Manifest = { dimensions, weightsBytes: index.bytes, weightsSha256 }
  const identity = await fileIdentity(path.join(folder, index.file))
  await rememberHash(identity, verifiedRecord(folder, precision), weightsSha256)
  await writeAtomically(folder, manifestName(precision), (file) => file.writeFile(sealedText(manifest)))
}

/**
 * Undefined where weights have to be converted: never done, or the file is not what was written. The file is read in
 * full, which `onProgress` tells, only where it is another one than when it was last read or written: by path, size,
 * time and inode.
 */
export async function readManifest(
  folder: string,
  precision: Precision,
  options: HashOptions,
): Promise<NetworkDimensions | undefined> {
  try {
    const manifest = await readSealed<Manifest>(folder, manifestName(precision))
    if (manifest === undefined || !areSound(manifest.dimensions)) return undefined
    const { dimensions, weightsBytes, weightsSha256 } = manifest
    const index = weightsIndex(dimensions, precision)
    const file = path.join(folder, index.file)
    const size = await fileSize(file)
    if (size !== weightsBytes || size !== index.bytes) return undefined
    const sha256 = await fileHash(await fileIdentity(file), verifiedRecord(folder, precision), options)
    return sha256 === weightsSha256 ? dimensions : undefined
  } catch {
    options.signal?.throwIfAborted()
    return undefined
  }
}

/** What follows from them takes time and memory: bounded by what a checkpoint may say. */
function areSound({ outChannels, ...others }: NetworkDimensions): boolean {
  const isCount = (value: unknown, most: number): boolean =>
    typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most
  return (
    isCount(others.depth, mostBlocks) &&
    [...outChannels, ...Object.values(others)].every((count) => isCount(count, 2 ** 20))
  )
}
