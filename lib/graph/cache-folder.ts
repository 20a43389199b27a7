// Owns: files of the cache: where they are by default, atomic writing, leftovers, the wording of failures.
// Must not know: what the files hold.

import { randomBytes } from 'node:crypto'
import { open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { VideoDepthError } from '../errors.js'
import { makeFolder } from '../make-folder.js'

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
    for (const name of await readdir(folder)) {
      if (name.startsWith(temporaryPrefix)) await removeIfLeftover(path.join(folder, name))
    }
  } catch (error) {
    throw cacheError(folder, error)
  }
}

async function removeIfLeftover(file: string): Promise<void> {
  const age = Date.now() - ((await stat(file).catch(() => undefined))?.mtimeMs ?? Date.now())
  if (age > leftoverAgeMs) await rm(file, { force: true })
}

/**
 * Writes a file under a temporary name, flushes it and renames it: readers see all of it or nothing, also when
 * several processes write the same one. What `write` throws is passed on, system errors as CACHE_UNWRITABLE.
 *
 * @param mode of the file, less the process's umask
 */
export async function writeAtomically(
  folder: string,
  name: string,
  write: (file: FileHandle) => Promise<void>,
  mode = 0o666,
): Promise<void> {
  const temporary = path.join(folder, `${temporaryPrefix}${name}-${process.pid}-${randomBytes(6).toString('hex')}`)
  try {
    const file = await open(temporary, 'wx', mode)
    try {
      await write(file)
      await file.sync()
    } finally {
      await file.close()
    }
    await replace(temporary, path.join(folder, name))
  } catch (error) {
    throw cacheError(folder, error)
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined)
  }
}

async function replace(temporary: string, target: string): Promise<void> {
  try {
    await rename(temporary, target)
  } catch (error) {
    // Windows refuses while another process has the target open; that one was written by the same rules.
    const [ours, theirs] = await Promise.all([stat(temporary), stat(target).catch(() => undefined)])
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

function cacheError(folder: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const reason = reasons.get(code) ?? error.message
  const message = `Cannot write the graph cache in ${folder}: ${reason}. Set cacheDir to a folder with room that can be written to`
  return new VideoDepthError('CACHE_UNWRITABLE', message, { cause: error })
}
