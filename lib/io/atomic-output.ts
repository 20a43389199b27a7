// Owns: outputs that appear under their final name complete, or not at all.
// Must not know: file formats, depth.

import { randomBytes } from 'node:crypto'
import { open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { makeFolder } from '../make-folder.js'
import { errorCode, outputError, unwritable } from './output-errors.js'

/** A hidden name in the same folder, so that the final rename stays within one file system. */
export function besides(path: string, purpose: string): string {
  const full = resolve(path)
  return join(dirname(full), `.${basename(full)}.${purpose}-${process.pid}-${randomBytes(4).toString('hex')}`)
}

/** A file under construction. An existing one is replaced in `commit`. */
export class AtomicFile {
  readonly path: string
  /** Write here; it exists, empty, from the start. */
  readonly temporary: string

  private constructor(path: string, temporary: string) {
    this.path = path
    this.temporary = temporary
  }

  /** Creates missing folders above it; fails at once where the file cannot be written. */
  static async create(path: string): Promise<AtomicFile> {
    const file = new AtomicFile(path, besides(path, 'partial'))
    try {
      if (await isFolder(path)) throw unwritable(path, 'it is a folder')
      await makeFolder(dirname(resolve(path)))
      await (await open(file.temporary, 'wx')).close()
      return file
    } catch (cause) {
      throw outputError(path, cause)
    }
  }

  async commit(): Promise<string> {
    try {
      await sync(this.temporary)
      await rename(this.temporary, this.path)
      await syncFolder(dirname(resolve(this.path)))
      return this.path
    } catch (cause) {
      throw outputError(this.path, cause)
    }
  }

  async discard(): Promise<void> {
    await rm(this.temporary, { force: true })
  }
}

/** A folder under construction. An existing one is replaced in `commit`, but only if it holds nothing that is not ours. */
export class AtomicFolder {
  readonly path: string
  readonly temporary: string
  readonly #isOurs: (name: string) => boolean

  private constructor(path: string, isOurs: (name: string) => boolean) {
    this.path = path
    this.temporary = besides(path, 'partial')
    this.#isOurs = isOurs
  }

  /** @param isOurs which names an earlier output of the same kind may have left in it */
  static async create(path: string, isOurs: (name: string) => boolean): Promise<AtomicFolder> {
    const folder = new AtomicFolder(path, isOurs)
    try {
      await folder.#checkReplaceable()
      await makeFolder(resolve(folder.temporary))
      return folder
    } catch (cause) {
      throw outputError(path, cause)
    }
  }

  async commit(): Promise<string> {
    try {
      const exists = await this.#checkReplaceable()
      const old = besides(this.path, 'old')
      if (exists) await rename(this.path, old)
      await rename(this.temporary, this.path).catch(async (cause: unknown) => {
        if (exists) await this.#restore(old)
        throw cause
      })
      await syncFolder(dirname(resolve(this.path)))
      if (exists) await rm(old, { recursive: true, force: true })
      return this.path
    } catch (cause) {
      throw outputError(this.path, cause)
    }
  }

  async discard(): Promise<void> {
    await rm(this.temporary, { recursive: true, force: true })
  }

  async #restore(old: string): Promise<void> {
    await rename(old, this.path).catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw unwritable(this.path, `the earlier folder is now ${old} and cannot be given its name back: ${reason}`)
    })
  }

  async #checkReplaceable(): Promise<boolean> {
    const names = await readdir(this.path).catch((error: unknown) => {
      if (errorCode(error) === 'ENOENT') return undefined
      throw error
    })
    const foreign = names?.find((name) => !this.#isOurs(name))
    if (foreign !== undefined) throw unwritable(this.path, `the folder exists and holds other files (${foreign})`)
    return names !== undefined
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
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
