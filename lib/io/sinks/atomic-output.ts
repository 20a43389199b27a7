// Owns: outputs that appear under their final name complete, or not at all.
// Must not know: file formats, depth.

import { open, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { makeFolder } from '../../base/make-folder.js'
import { removeLeftovers } from './leftovers.js'
import { errorCode, outputError, unwritable } from './output-errors.js'
import { outputTarget } from './output-target.js'
import { temporaryBeside } from './temporary-names.js'

/** Files that are flushed at a time. */
const parallel = 4
/** Attempts to commit a folder; another process may thwart each by a commit of its own. */
const mostAttempts = 20

/** A file under construction. An existing one is replaced in `commit`; where that is a link, the file that it names. */
export class AtomicFile {
  readonly path: string
  /** Write here; it exists, empty, from the start. */
  readonly temporary: string
  readonly #target: string

  private constructor(path: string, target: string) {
    this.path = path
    this.#target = target
    this.temporary = temporaryBeside(target, 'partial')
  }

  /** Creates missing folders above it; fails at once where the file cannot be written. */
  static async create(path: string): Promise<AtomicFile> {
    try {
      const file = new AtomicFile(path, await outputTarget(path, 'file'))
      await prepareFolder(file.#target)
      await (await open(file.temporary, 'wx')).close()
      return file
    } catch (cause) {
      throw outputError(path, cause)
    }
  }

  async commit(): Promise<string> {
    try {
      await sync(this.temporary)
      await rename(this.temporary, this.#target)
      await syncFolder(dirname(this.#target))
      return this.path
    } catch (cause) {
      throw outputError(this.path, cause)
    }
  }

  async discard(): Promise<void> {
    await rm(this.temporary, { force: true })
  }
}

/** @param write makes the file under a temporary name */
export async function writeFileAtomically(path: string, write: (temporary: string) => Promise<unknown>): Promise<void> {
  const output = await AtomicFile.create(path)
  try {
    await write(output.temporary)
    await output.commit()
  } catch (error) {
    await output.discard()
    throw outputError(path, error)
  }
}

/** A folder under construction. An existing one is replaced in `commit`, but only if it holds nothing that is not ours. */
export class AtomicFolder {
  readonly path: string
  readonly temporary: string
  readonly #target: string
  readonly #isOurs: (name: string) => boolean

  private constructor(path: string, target: string, isOurs: (name: string) => boolean) {
    this.path = path
    this.#target = target
    this.temporary = temporaryBeside(target, 'partial')
    this.#isOurs = isOurs
  }

  /** @param isOurs which names an earlier output of the same kind may have left in it */
  static async create(path: string, isOurs: (name: string) => boolean): Promise<AtomicFolder> {
    try {
      const folder = new AtomicFolder(path, await outputTarget(path, 'folder'), isOurs)
      await prepareFolder(folder.#target)
      await folder.#checkReplaceable()
      await makeFolder(folder.temporary)
      return folder
    } catch (cause) {
      throw outputError(path, cause)
    }
  }

  async commit(): Promise<string> {
    try {
      await syncFiles(this.temporary)
      const earlier = await this.#replace()
      await syncFolder(dirname(this.#target))
      for (const old of earlier) await rm(old, { recursive: true, force: true })
      return this.path
    } catch (cause) {
      throw outputError(this.path, cause)
    }
  }

  async discard(): Promise<void> {
    await rm(this.temporary, { recursive: true, force: true })
  }

  /** @returns where the folders lie that had the name before: usually one, more where other processes made theirs meanwhile */
  async #replace(): Promise<readonly string[]> {
    const earlier: string[] = []
    for (let attempt = 1; ; attempt++) {
      if (await this.#checkReplaceable()) {
        const old = temporaryBeside(this.#target, 'old')
        if (await movedAway(this.#target, old)) earlier.push(old)
      }
      try {
        await rename(this.temporary, this.#target)
        return earlier
      } catch (cause) {
        if (attempt < mostAttempts && isTaken(cause)) continue
        await this.#restore(earlier.at(-1))
        throw cause
      }
    }
  }

  async #restore(old: string | undefined): Promise<void> {
    if (old === undefined) return
    await rename(old, this.#target).catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw unwritable(this.path, `the earlier folder is now ${old} and cannot be given its name back: ${reason}`)
    })
  }

  async #checkReplaceable(): Promise<boolean> {
    const names = await readdir(this.#target).catch((error: unknown) => {
      if (errorCode(error) === 'ENOENT') return undefined
      throw error
    })
    const foreign = names?.find((name) => !this.#isOurs(name))
    if (foreign !== undefined) throw unwritable(this.path, `the folder exists and holds other files (${foreign})`)
    return names !== undefined
  }
}

/** @param target a path without links in its last part */
async function prepareFolder(target: string): Promise<void> {
  const folder = dirname(target)
  await makeFolder(folder)
  await removeLeftovers(folder, basename(target))
}

/** False where another process was faster. */
async function movedAway(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to)
    return true
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false
    throw error
  }
}

function isTaken(error: unknown): boolean {
  return ['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(errorCode(error) ?? '') // EPERM: Windows'
}

async function syncFiles(folder: string): Promise<void> {
  const names = await readdir(folder)
  for (let from = 0; from < names.length; from += parallel)
    await Promise.all(names.slice(from, from + parallel).map((name) => sync(join(folder, name))))
  await syncFolder(folder)
}

/** A file system that cannot flush a file says so, and is then as safe as it gets. */
async function sync(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.sync().catch((error: unknown) => {
      if (!['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(errorCode(error) ?? '')) throw error
    })
  } finally {
    await file.close()
  }
}

/** Makes a rename last through a power cut; not every system can open a folder, and none needs to. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined)
  await folder?.sync().catch(() => undefined)
  await folder?.close()
}
