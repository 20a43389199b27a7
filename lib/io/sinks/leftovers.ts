// Owns: removing what killed processes left beside outputs, and giving folders back that they had moved away.
// Must not know: file formats, what is being written now.

import { lstat, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isGone, ownProcess, type ProcessMark } from './process-mark.js'
import { parseTemporary, stemOf, uncutName, type TemporaryName } from './temporary-names.js'

interface Leftover extends TemporaryName {
  readonly path: string
  readonly changedMs: number
}

/**
 * Removes temporary files and folders whose process has ended. What a running process has, or one of another machine or
 * container, stays; so does everything that cannot be removed. An earlier output that was moved away gets its name back
 * where nothing has taken it.
 *
 * @param expected a name that is about to be made in the folder
 */
export async function removeLeftovers(folder: string, expected: string): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  const stems = new Set(names.map(stemOf))
  const found = (await Promise.all(names.map((name) => leftover(folder, name)))).filter((each) => each !== undefined)
  found.sort((a, b) => b.changedMs - a.changedMs) // the latest earlier output is the one to give back
  for (const { path, purpose, stem } of found) {
    if (purpose !== 'old' || stems.has(stem)) {
      await rm(path, { recursive: true, force: true }).catch(() => undefined)
      continue
    }
    const name = uncutName(stem) ?? (stemOf(expected) === stem ? expected : undefined)
    if (name === undefined) continue
    await rename(path, join(folder, name)).catch(() => undefined)
    stems.add(stem)
  }
}

/** Another user of what lies at `stem` in the folder, as far as can be told: a process here that runs. */
export async function otherUser(folder: string, stem: string, own: string): Promise<ProcessMark | undefined> {
  for (const name of await readdir(folder)) {
    const parsed = parseTemporary(name)
    if (parsed?.purpose !== 'lock' || parsed.stem !== stem || name === own) continue
    if (parsed.owner.system === ownProcess().system && !isGone(parsed.owner, Infinity)) return parsed.owner
  }
  return undefined
}

async function leftover(folder: string, name: string): Promise<Leftover | undefined> {
  const parsed = parseTemporary(name)
  if (parsed === undefined) return undefined
  const path = join(folder, name)
  const changedMs = (await lstat(path).catch(() => undefined))?.ctimeMs
  return changedMs !== undefined && isGone(parsed.owner, changedMs) ? { ...parsed, path, changedMs } : undefined
}
