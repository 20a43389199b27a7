// Owns: depth maps out of a NumPy archive, unpacked as they are read, and the archive's word for what they are.
// Must not know: other formats, what a value means.

import type { Entry } from 'yauzl'
import type { Plane } from '../plane.js'
import type { DepthKind } from '../../base/frame.js'
import { checkFrames, checkUnpacked } from './claims.js'
import type { DepthSequence } from './depth-sequence.js'
import {
  keptBytes,
  npyHeaderBytes,
  npyPrefixBytes,
  Numbers,
  numberType,
  parseNpyHeader,
  type NpyHeader,
  type NumberType,
} from './npy.js'
import { checkedKind } from './side-file.js'
import { stackShape } from './stack-file.js'
import { readError } from './unreadable.js'
import { ZipArchive, type ZipMember } from './zip-members.js'

/** Upstream's and our name of the array, and our name of the text that says what its values are. */
const preferred = 'depths.npy'
const kindName = 'kind.npy'

/**
 * The array `depths` of the archive, or its only one: [frames, height, width]. Its checksum is compared after the last frame that is
 * read, for which the rest of the array is unpacked too.
 *
 * @throws VideoDepthError SOURCE_UNREADABLE
 */
export async function openNpzStack(path: string): Promise<DepthSequence> {
  const { frames, kind } = await inArchive(path, async (archive) => {
    const [length] = await inMember(archive, arrayOf(archive.entries), async (member) => {
      const { shape, type } = await arrayHeader(member)
      checkArray(shape, type, archive.size)
      return shape
    })
    return { frames: length, kind: await kindOf(archive) }
  })
  async function* planes(from: number, to: number): AsyncGenerator<Plane> {
    try {
      yield* archivePlanes(path, from, to)
    } catch (cause) {
      throw readError(path, cause)
    }
  }
  return { name: path, length: frames, kind, frames: planes }
}

async function* archivePlanes(path: string, from: number, to: number): AsyncGenerator<Plane> {
  const archive = await ZipArchive.open(path)
  try {
    const member = await archive.member(arrayOf(archive.entries))
    try {
      const { shape, type } = await arrayHeader(member)
      checkArray(shape, type, archive.size) // again: the file may be another one by now
      const [, height, width] = shape
      const size = height * width * type.bytes
      for await (const _ of member.next(from * size));
      for (let i = from; i < to; i++) {
        const numbers = new Numbers(height * width, type)
        for await (const part of member.next(size, type.bytes)) numbers.add(part)
        yield { data: numbers.values, width, height }
      }
      await member.end()
    } finally {
      member.close()
    }
  } finally {
    await archive.close()
  }
}

/** @throws Error where the array asks for more than such an archive can hold */
function checkArray([frames, height, width]: Sides, type: NumberType, archiveBytes: number): void {
  checkFrames(frames, archiveBytes)
  checkUnpacked(frames * height * width * type.bytes, archiveBytes)
  checkUnpacked(height * width * keptBytes(type), archiveBytes)
}

type Sides = readonly [frames: number, height: number, width: number]

/** Compares what the header says with the member's size. @throws Error */
async function arrayHeader(member: ZipMember): Promise<{ shape: Sides; type: NumberType }> {
  const { descr, shape, start } = await header(member)
  const type = numberType(descr)
  const sides = stackShape(shape)
  const expected = start + sides.reduce((product, side) => product * side, type.bytes)
  if (member.size === expected) return { shape: sides, type }
  throw new Error(`expected ${expected} bytes of ${sides.join('×')} values, found ${member.size}`)
}

async function header(member: ZipMember): Promise<NpyHeader> {
  const prefix = await member.bytes(npyPrefixBytes)
  return parseNpyHeader(Buffer.concat([prefix, await member.bytes(npyHeaderBytes(prefix) - prefix.length)]))
}

/** NumPy's text of one element; undefined in an archive of another or an older writer. @throws Error */
async function kindOf(archive: ZipArchive): Promise<DepthKind | undefined> {
  const entry = archive.entries.find(({ fileName }) => fileName === kindName)
  if (entry === undefined) return undefined
  return inMember(archive, entry, async (member) => {
    const { descr, start } = await header(member)
    const [, letter, digits] = /^[<|]([US])(\d{1,2})$/.exec(descr) ?? []
    const size = Number(digits) * (letter === 'U' ? 4 : 1)
    if (letter === undefined || member.size !== start + size)
      throw new Error(`expected one text for kind, found ${member.size - start} bytes of ${JSON.stringify(descr)}`)
    const bytes = await member.bytes(size)
    await member.end()
    return checkedKind(bytes.toString('latin1').replaceAll('\0', '')) // both words are ASCII, of which UTF-32 adds zeros alone
  })
}

async function inArchive<T>(path: string, use: (archive: ZipArchive) => Promise<T>): Promise<T> {
  try {
    const archive = await ZipArchive.open(path)
    try {
      return await use(archive)
    } finally {
      await archive.close()
    }
  } catch (cause) {
    throw readError(path, cause)
  }
}

async function inMember<T>(archive: ZipArchive, entry: Entry, use: (member: ZipMember) => Promise<T>): Promise<T> {
  const member = await archive.member(entry)
  try {
    return await use(member)
  } finally {
    member.close()
  }
}

function arrayOf(found: readonly Entry[]): Entry {
  const arrays = found.filter(({ fileName }) => fileName.endsWith('.npy') && fileName !== kindName)
  const entry = arrays.find(({ fileName }) => fileName === preferred) ?? (arrays.length === 1 ? arrays[0] : undefined)
  if (entry !== undefined) return entry
  const shown = arrays.slice(0, 20).map(({ fileName }) => fileName)
  throw new Error(`expected an array named depths, or only one, found ${shown.join(', ') || 'none'}`)
}
