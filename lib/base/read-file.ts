// Owns: reading bytes of files that may be hostile: regular files only, no more than the caller allows, in pieces that Node takes.
// Must not know: what the bytes mean, which error code their reader gives a failure.

import { constants, type Stats } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'

/** Node ends the process where a single read is of 2³¹ bytes or more. */
const pieceBytes = 2 ** 30

/** One owner, who closes it. */
export interface OpenFile {
  readonly handle: FileHandle
  /** Bytes, when it was opened. */
  readonly size: number
}

/**
 * Opens a regular file for reading. A FIFO, socket or device is refused without waiting for anybody, as it may never end.
 *
 * @throws Error "it is a FIFO, not a file" and so on; the system's own where it cannot be opened
 */
export async function openRegular(path: string): Promise<OpenFile> {
  checkRegular(await stat(path)) // before it is opened: opening a device can have effects
  // O_NONBLOCK (not on Windows): what took the file's place since then does not keep us waiting either.
  const handle = await open(path, constants.O_RDONLY | ((constants.O_NONBLOCK as number | undefined) ?? 0))
  try {
    const found = await handle.stat()
    checkRegular(found)
    return { handle, size: found.size }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** Opens a regular file for `use` and closes it afterwards. @throws as `openRegular`, and what `use` throws */
export async function withRegular<T>(path: string, use: (file: OpenFile) => Promise<T>): Promise<T> {
  const file = await openRegular(path)
  try {
    return await use(file)
  } finally {
    await file.handle.close()
  }
}

/**
 * Fills `bytes`, of any length, with those of the file from `position` on. The caller has compared what it allocates with the
 * file's size.
 *
 * @throws Error where the file ends before; the system's own
 */
export async function readExactly(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const length = Math.min(bytes.length - done, pieceBytes)
    const { bytesRead } = await handle.read(bytes, done, length, position + done)
    if (bytesRead === 0) throw new Error(`expected ${position + bytes.length} bytes, found ${position + done}`)
    done += bytesRead
  }
}

/**
 * All bytes of a regular file, in memory of their own.
 *
 * @param mostBytes a larger file is refused before anything is allocated
 * @throws as `openRegular`; Error where the file is larger
 */
export function readWhole(path: string, mostBytes: number): Promise<Buffer<ArrayBuffer>> {
  return withRegular(path, async ({ handle, size }) => {
    if (size > mostBytes) throw new Error(`expected at most ${mostBytes} bytes, found ${size}`)
    const bytes = Buffer.from(new ArrayBuffer(size))
    await readExactly(handle, bytes, 0)
    return bytes
  })
}

function checkRegular(found: Stats): void {
  if (found.isFile()) return
  const kinds: readonly (readonly [boolean, string])[] = [
    [found.isDirectory(), 'a folder'],
    [found.isFIFO(), 'a FIFO'],
    [found.isSocket(), 'a socket'],
  ]
  const kind = kinds.find(([is]) => is)?.[1] ?? 'a device'
  throw new Error(`it is ${kind}, not a file`)
}
