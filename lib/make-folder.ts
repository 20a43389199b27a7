// Owns: making a folder with its parents.
// Must not know: what goes into it, how a failure is worded.

import { mkdir, stat } from 'node:fs/promises'
import path from 'node:path'

/**
 * As `mkdir(folder, { recursive: true })`, which never returns (Node.js 20 to 24) where a parent exists but takes no
 * entries and says ENOENT, as /proc does.
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EEXIST' && (await stat(folder)).isDirectory()) return
    const parent = path.dirname(folder)
    if (code !== 'ENOENT' || parent === folder || (await exists(parent))) throw error
    await makeFolder(parent)
    await makeFolder(folder)
  }
}

const exists = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  )
