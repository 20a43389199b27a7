// Owns: what a local HLS playlist may name: files in its own folder and below.
// Must not know: FFmpeg, decoding.

import { open, realpath } from 'node:fs/promises'
import path from 'node:path'
import { VideoDepthError } from '../../base/errors.js'

const firstLine = '#EXTM3U'
const mostBytes = 1 << 20
/** A playlist of playlists of segments. */
const mostDepth = 2

/**
 * Nothing happens where the file is no playlist.
 *
 * @throws VideoDepthError SOURCE_UNREADABLE where it names anything outside its folder, or is too large
 */
export async function checkPlaylist(file: string): Promise<void> {
  const real = await realpath(file)
  await check(real, path.dirname(real) + path.sep, 0)
}

async function check(file: string, folder: string, depth: number): Promise<void> {
  const text = await playlistText(file)
  if (text === undefined) return
  if (depth > mostDepth || text.length > mostBytes)
    throw refused(file, 'it is too large, or names playlists that name playlists')
  for (const name of named(text)) {
    const isPlain = !/^[a-z][a-z0-9+.-]*:|^[/\\]/i.test(name)
    const target = isPlain ? await realpath(path.join(path.dirname(file), name)).catch(() => undefined) : undefined
    if (isPlain && target === undefined) continue // FFmpeg reports what is missing
    if (!target?.startsWith(folder)) throw refused(file, 'it names a file outside its folder, or an address')
    await check(target, folder, depth + 1)
  }
}

/** Undefined where the file is no playlist; at most one character more than it may have. */
async function playlistText(file: string): Promise<string | undefined> {
  const handle = await open(file, 'r')
  try {
    const head = Buffer.alloc(16)
    const { bytesRead } = await handle.read(head, 0, head.length, 0)
    if (!head.toString('latin1', 0, bytesRead).includes(firstLine)) return undefined
    const all = Buffer.alloc(mostBytes + 1)
    const read = await handle.read(all, 0, all.length, 0)
    return all.toString('latin1', 0, read.bytesRead)
  } finally {
    await handle.close()
  }
}

/** What segments, keys, maps and other playlists are called. */
function named(text: string): readonly string[] {
  return text.split(/[\r\n]+/).flatMap((line) => {
    if (line.startsWith('#')) return [...line.matchAll(/URI="([^"]*)"/g)].map(([, name = '']) => name)
    const name = line.trim()
    return name === '' ? [] : [name]
  })
}

function refused(file: string, reason: string): VideoDepthError {
  return new VideoDepthError('SOURCE_UNREADABLE', `Cannot read the playlist ${file}: ${reason}`)
}
