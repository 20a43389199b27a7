// Owns: depth as numbered 16-bit PNGs that appear as the frames come, with a line about each.
// Must not know: other formats, the pipeline.

import { open, readdir, rename, rm, writeFile, type FileHandle } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { invalidOption } from '../../base/errors.js'
import { makeFolder } from '../../base/make-folder.js'
import { checkPath, known } from '../../base/known-options.js'
import { checkRange, rangeOf, type DepthRange } from './depth-range.js'
import { writeAll } from './depth-spill.js'
import { encodedPng, mappingOver, millimetres, quantised, type Mapping } from './grey16.js'
import { guardedSink, type SinkSteps } from './guarded-sink.js'
import { otherUser, removeLeftovers } from './leftovers.js'
import { outputError, unwritable } from './output-errors.js'
import type { DepthSink } from './sink.js'
import { parseTemporary, temporaryBeside } from './temporary-names.js'

/** Options of `pngSequenceSink`. */
export interface PngSequenceOptions {
  /**
   * What 0 and 65535 stand for. `millimetres` (default for metric depth, refused for disparity): the pixel is the depth in
   * mm, nearer than 65.535 m. `frame` (default for disparity): the least and greatest value of each frame. Or fixed bounds.
   * Values outside are clamped.
   */
  readonly range?: 'millimetres' | 'frame' | DepthRange
}

type Frame = Parameters<SinkSteps['write']>[0]

const linesName = 'frames.jsonl'
const digits = 6

/**
 * Files `000000.png`, `000001.png` … called by the frames' indices, each of which appears complete or not at all, and
 * `frames.jsonl` with a line for each once it is there: `{file, index, timestampMs, kind, unit, offset, step}`, where
 * value = offset + pixel · step, in `unit` (`m` for metric depth, null for disparity).
 * What was written stays after an abort. An existing folder must hold nothing else, and no other process on this machine may
 * be writing into it; what an earlier run left in it is removed when the first frame comes.
 *
 * @throws `OUTPUT_UNWRITABLE`, `OUTPUT_FULL`, `INVALID_OPTION`
 */
export async function pngSequenceSink(folder: string, options: PngSequenceOptions = {}): Promise<DepthSink> {
  known(options, 'options', { range: true })
  checkPath(folder, 'folder')
  const range = checkSequenceRange(options.range)
  const lock = await lockFolder(folder)
  const sequence = new PngSequence(folder, range, lock)
  return guardedSink(folder, {
    write: (frame) =>
      sequence.write(frame).catch((cause: unknown) => {
        throw outputError(folder, cause)
      }),
    finish: async () => {
      await sequence.close()
      return [folder]
    },
    discard: () => sequence.close(),
  })
}

class PngSequence {
  readonly #folder: string
  readonly #range: PngSequenceOptions['range']
  readonly #lock: string
  #lines: FileHandle | undefined

  /** @param lock the file that keeps other processes away; removed at the end */
  constructor(folder: string, range: PngSequenceOptions['range'], lock: string) {
    this.#folder = folder
    this.#range = range
    this.#lock = lock
  }

  async write(frame: Frame): Promise<void> {
    const mapping = await this.#mapping(frame)
    this.#lines ??= await this.#begin()
    const file = `${String(frame.index).padStart(digits, '0')}.png`
    const png = await encodedPng(await quantised(frame.data, mapping), frame.width, frame.height)
    await replaceFile(join(this.#folder, file), png)
    const { index, timestampMs, kind } = frame
    const line = { file, index, timestampMs, kind, unit: kind === 'metric' ? 'm' : null, ...mapping }
    await writeAll(this.#lines, Buffer.from(`${JSON.stringify(line)}\n`))
  }

  async close(): Promise<void> {
    await this.#lines?.close()
    this.#lines = undefined
    await rm(this.#lock, { force: true })
  }

  async #begin(): Promise<FileHandle> {
    const lock = basename(this.#lock)
    for (const name of await ownFiles(this.#folder))
      if (name !== lock) await rm(join(this.#folder, name), { force: true })
    return open(join(this.#folder, linesName), 'wx')
  }

  async #mapping({ data, kind }: Frame): Promise<Mapping> {
    const range = this.#range ?? (kind === 'metric' ? 'millimetres' : 'frame')
    if (range === 'millimetres') {
      if (kind === 'metric') return millimetres
      throw invalidOption("'frame' or { min, max } for disparity, which has no unit,", 'range', range)
    }
    const { min, max } = range === 'frame' ? await rangeOf(data) : range
    return mappingOver(min, max)
  }
}

function checkSequenceRange(range: PngSequenceOptions['range']): PngSequenceOptions['range'] {
  if (range === undefined || range === 'millimetres' || range === 'frame') return range
  const checked = checkRange(range)
  if (typeof checked === 'object') return checked
  throw invalidOption("'millimetres', 'frame' or { min, max }", 'range', checked)
}

/**
 * Two that begin at the same moment may both be refused, but never both go on.
 *
 * @returns the path of a file that says who writes into the folder
 */
async function lockFolder(folder: string): Promise<string> {
  const lock = temporaryBeside(join(folder, linesName), 'lock')
  try {
    await makeFolder(resolve(folder))
    await removeLeftovers(resolve(folder), linesName)
    await ownFiles(folder)
    await writeFile(lock, '', { flag: 'wx' })
    const other = await otherUser(folder, linesName, basename(lock))
    if (other !== undefined) throw unwritable(folder, `process ${other.pid} is writing into it`)
    return lock
  } catch (cause) {
    await rm(lock, { force: true }).catch(() => undefined)
    throw outputError(folder, cause)
  }
}

/** Names in the folder, all of which are a sequence's. @throws VideoDepthError OUTPUT_UNWRITABLE naming another one */
async function ownFiles(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder)
  const isOurs = (name: string): boolean => name === linesName || /^(\d{6,}\.png|\.\d{6,}\.png\.partial-.*)$/.test(name)
  const foreign = names.find((name) => !isOurs(parseTemporary(name)?.stem ?? name))
  if (foreign === undefined) return names
  throw unwritable(folder, `the folder exists and holds other files (${foreign})`)
}

/** A reader sees the whole file or none; a power cut may lose it, which a live output can bear. */
async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = temporaryBeside(path, 'partial')
  try {
    await writeFile(temporary, bytes)
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}
