// Owns: what a path given for an output stands for: links followed; devices, the input, and two outputs in one place refused.
// Must not know: file formats, how outputs are written.

import type { Stats } from 'node:fs'
import { readlink, realpath, stat } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { invalidOption } from '../../base/errors.js'
import { errorCode, unwritable } from './output-errors.js'

/** As Linux follows. */
const mostLinks = 40

/**
 * The absolute path that a rename has to end at: that of the link's target where `path` is a link, so that a link stays one.
 *
 * @throws `OUTPUT_UNWRITABLE` where something is there that a rename would destroy or could not replace
 */
export async function outputTarget(path: string, kind: 'file' | 'folder'): Promise<string> {
  if (path.includes('\0')) throw unwritable(JSON.stringify(path), 'a path cannot hold a zero byte')
  const found = await present(path)
  if (found !== undefined && kind === 'file') {
    if (found.isDirectory()) throw unwritable(path, 'it is a folder')
    if (!found.isFile()) throw unwritable(path, 'it is a device, a pipe or a socket, no file')
  }
  const target = await followed(path)
  const there = await present(target)
  if (found !== undefined && (there?.ino !== found.ino || there.dev !== found.dev))
    throw unwritable(path, 'it is a link to what has no name of its own')
  if (kind === 'folder' && there?.isDirectory() === true && there.dev !== (await stat(dirname(target))).dev)
    throw unwritable(path, 'a file system is mounted there, which cannot be replaced: name a folder inside it')
  return target
}

/** Undefined where nothing is. A name that is too long shows here, not after the work: temporary ones are shorter. */
function present(path: string): Promise<Stats | undefined> {
  return stat(path).catch((error: unknown) => {
    if (['ENOENT', 'ELOOP'].includes(errorCode(error) ?? '')) return undefined
    throw error
  })
}

async function followed(path: string): Promise<string> {
  let full = resolve(path)
  for (let links = 0; links < mostLinks; links++) {
    const link = await readlink(full).catch(() => undefined)
    if (link === undefined) return full
    // Folders in the link may be links themselves, so `..` in it is the file system's to follow.
    const written = isAbsolute(link) ? link : `${await realpath(dirname(full))}${sep}${link}`
    full = join(await realFolder(dirname(written), path), basename(written))
  }
  throw unwritable(path, 'its links lead in a circle')
}

function realFolder(folder: string, path: string): Promise<string> {
  return realpath(folder).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') throw unwritable(path, `it is a link into ${folder}, which is missing`)
    throw error
  })
}

/**
 * The one that is finished later would replace the other, or find its own folder in use.
 *
 * @throws INVALID_OPTION where two paths are the same, or one lies in the other
 */
export async function checkApart(paths: readonly string[]): Promise<void> {
  const full = await Promise.all(paths.map(fullPath))
  for (const [i, path] of full.entries())
    for (const [j, other] of full.entries())
      if (i !== j && isWithin(other, path))
        throw invalidOption(`another place than ${paths[i]}`, 'a second output', paths[j])
}

/**
 * Where an output is the file that is read, or a folder around it, the input would be lost.
 *
 * @throws INVALID_OPTION
 */
export async function checkNotInput(input: string, outputs: readonly string[]): Promise<void> {
  const read = await fullPath(input)
  for (const output of outputs)
    if (isWithin(read, await fullPath(output)))
      throw invalidOption('another place than the input', 'the output', output)
}

/** True of the folder itself too. */
function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path)
  return way.split(sep)[0] !== '..' && !isAbsolute(way) // absolute: on another of Windows' drives
}

/** Without links, as far as it exists. */
async function fullPath(path: string): Promise<string> {
  const full = resolve(path)
  const found = await realpath(full).catch(() => undefined)
  if (found !== undefined || full === dirname(full)) return found ?? full
  return join(await fullPath(dirname(full)), basename(full))
}
