// Owns: files of the cache: where they are by default, atomic writing, leftovers, the wording of failures.
// Must not know: what the files hold.

import { randomBytes } from 'node:crypto'
import { lstat, open, readdir, rename, rm, stat, writeFile, type FileHandle } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { VideoDepthError } from '../base/errors.js'
import { makeFolder } from '../base/make-folder.js'

const temporaryPrefix = '.tmp-'
/** A writer touches its file more often than that. */
const leftoverAgeMs = 10 * 60 * 1000

/** `$XDG_CACHE_HOME/video-depth`, or the system's own place for caches. */
export function defaultCacheDir(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  const { XDG_CACHE_HOME: xdg, LOCALAPPDATA: local } = env
  if (xdg !== undefined && path.isAbsolute(xdg)) return path.join(xdg, 'video-depth')
  if (platform === 'darwin') return path.join(os.homedir(), 'Library', 'Caches', 'video-depth')
  if (platform === 'win32')
    return path.join(local ?? path.join(os.homedir(), 'AppData', 'Local'), 'video-depth', 'cache')
  return path.join(os.homedir(), '.cache', 'video-depth')
}

/** Makes the folder and removes what killed writers left in it. */
export async function openCacheFolder(folder: string): Promise<void> {
  try {
    await makeFolder(folder)
  } catch (error) {
    throw cacheError(folder, error)
  }
  await removeLeftovers(folder)
}

/** Removes what killed processes left in any folder of a cache. */
export async function removeAllLeftovers(cacheDir: string): Promise<void> {
  const models = path.join(cacheDir, 'models')
  const names = await readdir(models).catch(() => [])
  const folders = ['checkpoints', 'plans', ...names.map((name) => path.join('models', name))]
  for (const folder of folders) await removeLeftovers(path.join(cacheDir, folder))
}

/** Best effort: what cannot be removed now is in nobody's way. Folders are not ours, whatever their names. */
async function removeLeftovers(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  const files = names.filter((name) => name.startsWith(temporaryPrefix)).map((name) => path.join(folder, name))
  if (files.length === 0) return
  const nowMs = await folderTimeMs(folder).catch(() => undefined)
  for (const file of files) {
    const found = await lstat(file).catch(() => undefined)
    if (nowMs === undefined || found === undefined || found.isDirectory()) continue
    if (nowMs - found.mtimeMs > leftoverAgeMs) await rm(file, { force: true }).catch(() => undefined)
  }
}

/** The clock that the folder's files are dated by: this machine's may be ahead, or the folder be another machine's. */
async function folderTimeMs(folder: string): Promise<number> {
  const probe = path.join(folder, temporaryName('clock'))
  await writeFile(probe, '')
  try {
    return (await stat(probe)).mtimeMs
  } finally {
    await rm(probe, { force: true })
  }
}

function temporaryName(name: string): string {
  return `${temporaryPrefix}${name}-${process.pid}-${randomBytes(6).toString('hex')}`
}

/** Another process may take what is being written for a leftover. */
const mostTries = 3

/**
 * Writes a file under a temporary name, flushes it and renames it: readers see all of it or nothing, also when
 * several processes write the same one. What `write` throws is passed on, system errors as CACHE_UNWRITABLE. Where the
 * temporary file is removed meanwhile, all is written once more.
 *
 * @param mode of the file, less the process's umask
 */
export async function writeAtomically(
  folder: string,
  name: string,
  write: (file: FileHandle) => Promise<void>,
  mode = 0o666,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    const temporary = path.join(folder, temporaryName(name))
    try {
      await writeFlushed(temporary, write, mode)
      await replace(temporary, path.join(folder, name))
      return
    } catch (error) {
      if (systemCode(error) !== 'ENOENT' || tries === mostTries) throw cacheError(folder, error)
    } finally {
      await rm(temporary, { force: true }).catch(() => undefined)
    }
  }
}

async function writeFlushed(
  temporary: string,
  write: (file: FileHandle) => Promise<void>,
  mode: number,
): Promise<void> {
  const file = await open(temporary, 'wx', mode)
  try {
    await write(file)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function replace(temporary: string, target: string): Promise<void> {
  try {
    await rename(temporary, target)
  } catch (error) {
    const [ours, theirs] = await Promise.all([stat(temporary), stat(target).catch(() => undefined)])
    if (theirs?.isDirectory() === true) {
      // No file of the cache is a folder: it is in the way of one.
      await rm(target, { recursive: true, force: true })
      await rename(temporary, target)
      return
    }
    // Windows refuses while another process has the target open; that one was written by the same rules.
    if (theirs?.size !== ours.size) throw error
  }
}

/** Size in bytes, −1 where there is no such file. */
export async function fileSize(file: string): Promise<number> {
  const found = await stat(file).catch(() => undefined)
  return found?.isFile() === true ? found.size : -1
}

const reasons: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'permission denied'],
  ['EPERM', 'permission denied'],
  ['EROFS', 'the file system is read-only'],
  ['ENOSPC', 'no space is left on the device'],
  ['EDQUOT', 'the disk quota is used up'],
  ['EFBIG', 'a file would exceed the allowed size'],
  ['ENOTDIR', 'part of the path is not a folder'],
  ['EEXIST', 'the path is not a folder'],
])

/** Empty for what the system did not say. */
function systemCode(error: unknown): string {
  const isSystems = error instanceof Error && 'syscall' in error
  return isSystems && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

function cacheError(folder: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error
  const reason = reasons.get(systemCode(error)) ?? error.message
  const message = `Cannot write the graph cache in ${folder}: ${reason}. Set cacheDir to a folder with room that can be written to`
  return new VideoDepthError('CACHE_UNWRITABLE', message, { cause: error })
}
