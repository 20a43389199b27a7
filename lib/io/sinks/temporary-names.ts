// Owns: names of temporary files and folders beside outputs, and cutting names to what a file system takes.
// Must not know: which of them are still needed, file formats.

import { createHash, randomBytes } from 'node:crypto'
import { basename, dirname, join, resolve } from 'node:path'
import { ownProcess, type ProcessMark } from './process-mark.js'

/** Most bytes of a name on the file systems that are in use. */
export const mostNameBytes = 255
/** A longer name is cut in the names of its temporary files, which so have at most 143 bytes, eCryptfs's limit. */
const mostStemBytes = 73
/** `~` and eight digits. */
const hashBytes = 9

/** `partial`: under construction; `spill`: parked depth; `old`: an earlier folder, until the new one has its name; `lock`: in use. */
export type Purpose = 'partial' | 'spill' | 'old' | 'lock'

export interface TemporaryName {
  /** Name of what it is for, cut where that is long. */
  readonly stem: string
  readonly purpose: Purpose
  readonly owner: ProcessMark
}

const pattern = /^\.(.+)\.(partial|spill|old|lock)-([0-9a-f]{8})-([0-9a-f]{8})-(\d+)-(\d+)-[0-9a-f]{8}$/su

/** A hidden name in the same folder, so that a rename stays within one file system; it tells whose it is. */
export function temporaryBeside(path: string, purpose: Purpose, owner: ProcessMark = ownProcess()): string {
  const full = resolve(path)
  const { machine, system, pid, start } = owner
  const mark = [machine, system, pid, start, randomBytes(4).toString('hex')].join('-')
  return join(dirname(full), `.${stemOf(basename(full))}.${purpose}-${mark}`)
}

/** Undefined for any other name. */
export function parseTemporary(name: string): TemporaryName | undefined {
  const found = pattern.exec(name)
  if (found === null) return undefined
  const [, stem = '', purpose = '', machine = '', system = '', pid = '', start = ''] = found
  return { stem, purpose: purpose as Purpose, owner: { machine, system, pid: Number(pid), start } }
}

export function stemOf(name: string): string {
  return fittedName(name, mostStemBytes)
}

/** The name itself where a stem was surely not cut: what is cut stays longer. */
export function uncutName(stem: string): string | undefined {
  return Buffer.byteLength(stem) <= mostStemBytes - hashBytes ? stem : undefined
}

/**
 * At most `most` bytes of UTF-8: the name, or as many of its characters as fit, `~`, and a hash of the whole, so that two
 * long names stay two.
 */
export function fittedName(name: string, most: number): string {
  if (Buffer.byteLength(name) <= most) return name
  let bytes = hashBytes
  let kept = ''
  for (const character of name) {
    bytes += Buffer.byteLength(character)
    if (bytes > most) break
    kept += character
  }
  return `${kept}~${hash8(name)}`
}

function hash8(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}
