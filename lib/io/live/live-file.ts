// Owns: what lies behind a path that is to be played: a camera, a file, or neither.
// Must not know: addresses, FFmpeg.

import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { VideoDepthError } from '../../base/errors.js'
import { checkFile } from '../sources/video-source.js'

/** The kernel's number of Video4Linux, whatever name a device was given. */
const cameraMajor = 81

export async function isCamera(path: string): Promise<boolean> {
  if (process.platform !== 'linux' || typeof path !== 'string') return false
  const found = await stat(path).catch(() => undefined)
  return found?.isCharacterDevice() === true && major(found.rdev) === cameraMajor
}

/** As the C library composes device numbers. */
function major(device: number): number {
  return Math.floor(device / 2 ** 8) % 2 ** 12
}

/** @throws VideoDepthError SOURCE_UNREADABLE; opening a FIFO would wait for its writer, and nothing could end that */
export async function checkLiveFile(path: string): Promise<void> {
  const found = await checkFile(path)
  if (found.isFile()) return
  throw new VideoDepthError(
    'SOURCE_UNREADABLE',
    `Expected a file, a V4L2 device or an address, ${path} is ${kindOf(found)}. Raw frames can be read from standard ` +
      `input: cat ${path} | video-depth live - --size WIDTHxHEIGHT`,
  )
}

function kindOf(found: Stats): string {
  if (found.isFIFO()) return 'a FIFO'
  return found.isSocket() ? 'a socket' : 'a device'
}
