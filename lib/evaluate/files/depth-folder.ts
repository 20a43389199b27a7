// Owns: depth maps as the files of a folder, and the mapping that our PNG outputs leave beside theirs.
// Must not know: how a file is read, what is done with the maps.

import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Plane } from '../plane.js'
import type { DepthKind } from '../../base/frame.js'
import { isDepthImage, readDepthImage, depthExtensions } from './depth-image.js'
import type { DepthSequence } from './depth-sequence.js'
import { checkedKind, parseObject, readText } from './side-file.js'
import { readError, unreadable } from './unreadable.js'

/** value = offset + step · pixel */
interface Mapping {
  readonly offset: number
  readonly step: number
}

const naturalOrder = new Intl.Collator('en', { numeric: true })

/**
 * A folder's PNG, NPY, EXR or PFM files in natural order (`2.png` before `10.png`); hidden ones are passed over. Where
 * `scale.json` (png16 output) or `frames.jsonl` (live PNGs) lies beside them, pixels become the values that they stand for.
 *
 * @throws VideoDepthError SOURCE_UNREADABLE, SOURCE_EMPTY
 */
export async function openDepthFolder(folder: string): Promise<DepthSequence> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw readError(folder, cause)
  })
  const files = names
    .filter((name) => !name.startsWith('.') && isDepthImage(name))
    .sort((a, b) => naturalOrder.compare(a, b) || (a < b ? -1 : 1))
  if (files.length === 0)
    throw unreadable(folder, `expected files that end in ${depthExtensions.join(', ')}, found none`)
  return describedSequence(
    folder,
    files.map((name) => join(folder, name)),
  )
}

/** Files in the order given, of any folders, with what lies beside them. @throws VideoDepthError SOURCE_UNREADABLE */
export async function describedSequence(name: string, files: readonly string[]): Promise<DepthSequence> {
  const folders = new Map<string, string[]>()
  for (const file of files) {
    const inFolder = folders.get(dirname(file))
    if (inFolder === undefined) folders.set(dirname(file), [file])
    else inFolder.push(file)
  }
  const mappings = new Map<string, Mapping>()
  const kinds = new Set<DepthKind | undefined>()
  for (const [folder, inFolder] of folders) {
    const found = await described(
      folder,
      inFolder.map((file) => basename(file)),
    )
    kinds.add(found.kind)
    found.mappings?.forEach((mapping, i) => mappings.set(inFolder[i] as string, mapping))
  }
  const [kind, ...others] = kinds
  if (others.length > 0) throw unreadable(name, `expected frames of one kind, found ${[kind, ...others].join(' and ')}`)
  return fileSequence(name, files, kind, mappings)
}

/** Files in the order given; `mappings` by their paths. */
export function fileSequence(
  name: string,
  files: readonly string[],
  kind?: DepthKind,
  mappings?: ReadonlyMap<string, Mapping>,
): DepthSequence {
  async function* planes(from: number, to: number): AsyncGenerator<Plane> {
    for (const file of files.slice(from, to)) {
      const plane = await readDepthImage(file)
      const mapping = mappings?.get(file)
      yield mapping === undefined ? plane : mapped(plane, mapping)
    }
  }
  return { name, length: files.length, kind, frames: planes }
}

function mapped({ data, width, height }: Plane, { offset, step }: Mapping): Plane {
  return { data: Float64Array.from(data, (pixel) => offset + step * pixel), width, height }
}

interface Described {
  readonly kind?: DepthKind | undefined
  readonly mappings?: readonly Mapping[]
}

/** @param files names in the folder */
async function described(folder: string, files: readonly string[]): Promise<Described> {
  for (const [name, parse] of sideFiles) {
    const path = join(folder, name)
    try {
      return parse(await readText(path), files)
    } catch (cause) {
      if (!isMissing(cause)) throw readError(path, cause)
    }
  }
  return {}
}

const sideFiles = [
  ['scale.json', ofAll],
  ['frames.jsonl', ofEach],
] as const

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT'

function ofAll(text: string, files: readonly string[]): Described {
  const scale = parseObject(text)
  const mapping = checkedMapping(scale, 'the frames')
  return { kind: checkedKind(scale['kind']), mappings: files.map(() => mapping) }
}

/** Lines of one kind, or none: lines of an earlier version do not say it. */
function ofEach(text: string, files: readonly string[]): Described {
  const lines = text.split('\n').filter((line) => line !== '')
  const byFile = new Map(lines.map(parseObject).map((line) => [line['file'], line]))
  const found = files.map((file) => byFile.get(file))
  const [kind, ...others] = new Set(found.map((line) => checkedKind(line?.['kind'])))
  if (others.length > 0) throw new Error(`expected frames of one kind, found ${[kind, ...others].join(' and ')}`)
  return { kind, mappings: found.map((line, i) => checkedMapping(line, files[i] as string)) }
}

function checkedMapping(found: Readonly<Record<string, unknown>> | undefined, file: string): Mapping {
  const [offset, step] = [found?.['offset'], found?.['step']]
  if (isFinite(offset) && isFinite(step)) return { offset, step }
  throw new Error(`expected an offset and a step for ${file}, found none`)
}

const isFinite = (value: unknown): value is number => Number.isFinite(value)
