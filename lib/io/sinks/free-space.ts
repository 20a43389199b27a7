// Owns: whether what is to be written fits where it goes, as far as that can be known ahead.
// Must not know: file formats.

import { stat, statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { VideoDepthError } from '../../base/errors.js'

/** The least that an output will take. */
export interface LeastSize {
  readonly path: string
  readonly bytes: number
}

/**
 * Outputs on one file system are added up. File systems that do not say what is free pass.
 *
 * @param reason for the message: what takes so much
 * @throws `OUTPUT_FULL` where they surely do not fit
 */
export async function checkRoom(outputs: readonly LeastSize[], reason: string): Promise<void> {
  const needs = new Map<number, LeastSize>()
  for (const { path, bytes } of outputs) {
    const { dev } = await stat(dirname(resolve(path)))
    const first = needs.get(dev)
    needs.set(dev, { path: first?.path ?? path, bytes: (first?.bytes ?? 0) + bytes })
  }
  for (const { path, bytes } of needs.values()) {
    const free = await freeBytes(dirname(resolve(path)))
    if (bytes <= free) continue
    const text = `at least ${size(bytes)} are needed${reason}, ${size(free)} are free`
    throw new VideoDepthError('OUTPUT_FULL', `No space left for ${path}: ${text}`)
  }
}

/** Infinity where unknown. */
async function freeBytes(folder: string): Promise<number> {
  const found = await statfs(folder).catch(() => undefined)
  if (found === undefined || found.blocks === 0) return Infinity
  const isRoot = process.getuid?.() === 0 // part of many a file system is the superuser's
  return found.bsize * (isRoot ? found.bfree : found.bavail)
}

function size(bytes: number): string {
  const [value, unit] = bytes >= 1e9 ? [bytes / 1e9, 'GB'] : [bytes / 1e6, 'MB']
  return `${value.toFixed(1)} ${unit}`
}
