// Owns: depth maps as the files of a folder, and the mapping that our PNG outputs leave beside theirs.
// Must not know: how a file is read, what is done with the maps.

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Plane } from '../../evaluate/plane.js'
import type { DepthKind } from '../../frame.js'
import { isDepthImage, readDepthImage, depthExtensions } from './depth-image.js'
import type { DepthSequence } from './depth-sequence.js'
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
  const { kind, mappings } = await described(folder, names, files)
  return fileSequence(
    folder,
    files.map((name) => join(folder, name)),
    kind,
    mappings,
  )
}

/** Files in the order given. */
export function fileSequence(
  name: string,
  files: readonly string[],
  kind?: DepthKind,
  mappings?: readonly Mapping[],
): DepthSequence {
  async function* planes(from: number, to: number): AsyncGenerator<Plane> {
    for (const [i, file] of files.slice(from, to).entries()) {
      const plane = await readDepthImage(file)
      const mapping = mappings?.[from + i]
      yield mapping === undefined ? plane : mapped(plane, mapping)
    }
  }
  return { name, length: files.length, kind, frames: planes }
}

function mapped({ data, width, height }: Plane, { offset, step }: Mapping): Plane {
  return { data: Float64Array.from(data, (pixel) => offset + step * pixel), width, height }
}

interface Described {
  readonly kind?: DepthKind
  readonly mappings?: readonly Mapping[]
}

async function described(folder: string, names: readonly string[], files: readonly string[]): Promise<Described> {
  const name = ['scale.json', 'frames.jsonl'].find((each) => names.includes(each))
  if (name === undefined) return {}
  const path = join(folder, name)
  try {
    const text = await readFile(path, 'utf8')
    if (name === 'scale.json') {
      const scale = JSON.parse(text) as Mapping & { kind: DepthKind }
      return { kind: scale.kind, mappings: files.map(() => checkedMapping(scale)) }
    }
    const lines = text.split('\n').filter((line) => line !== '')
    const byFile = new Map(
      lines.map((line) => JSON.parse(line) as Mapping & { file: string }).map((line) => [line.file, line]),
    )
    return { mappings: files.map((file) => checkedMapping(byFile.get(file), file)) }
  } catch (cause) {
    throw readError(path, cause)
  }
}

function checkedMapping(found: Mapping | undefined, file = 'the frames'): Mapping {
  if (Number.isFinite(found?.offset) && Number.isFinite(found?.step)) return found as Mapping
  throw new Error(`expected an offset and a step for ${file}, found none`)
}
