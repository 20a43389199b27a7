// Owns: making a folder with its parents.
// Must not know: what goes into it, how a failure is worded.

import { mkdir, stat } from 'node:fs/promises'
import path from 'node:path'

/**
 * As `mkdir(folder, { recursive: true })`, which never returns (Node.js 20 to 24) where a parent exists but takes no
 * entries and says ENOENT, as /proc does. Others may make the same folders at the same time.
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await makeOne(folder)
  } catch (error) {
    const parent = path.dirname(folder)
    if (codeOf(error) !== 'ENOENT' || parent === folder) throw error
    await makeFolder(parent)
    await makeOne(folder) // where a parent takes no entries, this fails again and that is the reason
  }
}

async function makeOne(folder: string): Promise<void> {
  try {
    await mkdir(folder)
  } catch (error) {
    // Whatever the reason: of a folder that is there, some systems say that it may not be written or is busy.
    const found = await stat(folder).catch(() => undefined)
    if (found?.isDirectory() !== true) throw error
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
