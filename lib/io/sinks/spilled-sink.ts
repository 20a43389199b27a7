// Owns: a sink whose outputs are made in a second pass, all of them from one spill.
// Must not know: output formats.

import type { DepthMap } from '../../base/frame.js'
import { guardedSink } from './guarded-sink.js'
import { DepthSpill } from './depth-spill.js'
import type { DepthSink } from './sink.js'

/** Something that is made once all frames are known. */
export interface SpillOutput {
  readonly path: string
  /** Throws where no frames of this size can be written, before they have cost work and disk. */
  accept?(frame: DepthMap): void
  /** Writes it under temporary names. */
  render(spill: DepthSpill): Promise<void>
  /** Gives it its final names, which it returns. */
  commit(): Promise<readonly string[]>
  /** Removes what is temporary; safe at any time, `commit` included. */
  discard(): Promise<void>
}

/**
 * Spills to the folder of the first output. Nothing gets its final name before everything is rendered.
 *
 * @param outputs at least one; owned from here on, also where this fails
 * @param expectedFrames how many will come, 0 where unknown
 */
export async function spilledSink(outputs: readonly SpillOutput[], expectedFrames = 0): Promise<DepthSink> {
  const discardOutputs = async (): Promise<void> => {
    await Promise.all(outputs.map((output) => output.discard()))
  }
  const [first] = outputs
  if (first === undefined) throw new Error('a spilled sink needs an output')
  const spill = await DepthSpill.create(first.path, expectedFrames).catch(async (error: unknown) => {
    await discardOutputs()
    throw error
  })
  return guardedSink(outputs.map((output) => output.path).join(', '), {
    write: async (frame) => {
      for (const output of outputs) output.accept?.(frame)
      await spill.append(frame)
    },
    finish: async () => {
      for (const output of outputs) await output.render(spill)
      const paths: string[] = []
      for (const output of outputs) paths.push(...(await output.commit()))
      await spill.dispose()
      return paths
    },
    stop: () => spill.stop(),
    discard: async () => {
      await spill.dispose()
      await discardOutputs()
    },
  })
}
