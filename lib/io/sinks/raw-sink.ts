// Owns: depth as a bare float32 file with a JSON description beside it.
// Must not know: other formats, the pipeline.

import { open, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { DepthMap } from '../../base/frame.js'
import { AtomicFile } from './atomic-output.js'
import { bytesOf, writeAll } from './depth-spill.js'
import { guardedSink } from './guarded-sink.js'
import { outputError } from './output-errors.js'
import type { DepthSink } from './sink.js'

/**
 * Writes [frames, height, width] float32, little-endian, C order, to `path`, frame by frame, and `path` + `.json`:
 * file, dtype, order, shape, kind, unit (`m` for metric, null for disparity) and timestampsMs.
 */
export async function rawSink(path: string): Promise<DepthSink> {
  const data = await AtomicFile.create(path)
  const description = await AtomicFile.create(`${path}.json`).catch(async (error: unknown) => {
    await data.discard()
    throw error
  })
  const discard = async (): Promise<void> => {
    await Promise.all([data.discard(), description.discard()])
  }
  const file = await open(data.temporary, 'r+').catch(async (cause: unknown) => {
    await discard()
    throw outputError(path, cause)
  })
  const timestampsMs: number[] = []
  let first: DepthMap | undefined
  const failed = (cause: unknown): never => {
    throw outputError(path, cause)
  }
  return guardedSink(path, {
    write: async (frame) => {
      first ??= { ...frame, data: new Float32Array(0) }
      timestampsMs.push(frame.timestampMs)
      await writeAll(file, bytesOf(frame.data)).catch(failed)
    },
    finish: async () => {
      await file.close().catch(failed)
      if (first === undefined) throw new Error('no frame was written')
      const text = describe(basename(path), first, timestampsMs)
      await writeFile(description.temporary, text).catch(failed)
      return [await data.commit(), await description.commit()]
    },
    discard: async () => {
      await file.close().catch(() => undefined)
      await discard()
    },
  })
}

function describe(file: string, { width, height, kind }: DepthMap, timestampsMs: readonly number[]): string {
  const shape = [timestampsMs.length, height, width]
  const unit = kind === 'metric' ? 'm' : null
  return `${JSON.stringify({ file, dtype: '<f4', order: 'C', shape, kind, unit, timestampsMs }, undefined, 2)}\n`
}
