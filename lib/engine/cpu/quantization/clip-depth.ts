// Owns: what a model gives for a clip, as one window.
// Must not know: which arithmetic, what the depth is compared with.

import { setImmediate as breathe } from 'node:timers/promises'
import type { RgbFrame } from '../../../base/frame.js'
import { patchSize } from '../../../prepare/checkpoint/input-size.js'
import type { NativeAddon } from '../../../native/types.js'
import { rgbPicture } from '../../../base/pixel-format.js'
import type { CpuModel, Floats, Grid } from '../network.js'

export interface ClipOptions {
  /** As large as the network's input. */
  readonly clip: AsyncIterable<RgbFrame> | Iterable<RgbFrame>
  /** How many. */
  readonly frames: number
  readonly grid: Grid
  readonly threads: number
  readonly addon: Pick<NativeAddon, 'preprocess'>
  /** Looked at between two calls of the network; rejects with its reason. */
  readonly signal: AbortSignal
  /** @param fraction 0…1 */
  readonly onProgress: (fraction: number) => void
}

/** @returns the network's map of each frame */
export async function clipDepth(model: CpuModel, options: ClipOptions): Promise<Floats[]> {
  const { clip, frames, grid, threads, addon, signal, onProgress } = options
  const preparation = { signal, onProgress: () => undefined }
  const network = await model.network(grid, preparation)
  let done = 0
  const pause = async (): Promise<void> => {
    onProgress(done++ / (2 * frames + 1))
    await breathe() // lets an abort in
    signal.throwIfAborted()
  }
  try {
    await network.loadWindows(frames, preparation)
    const window: object[] = []
    for await (const frame of clip) {
      await pause()
      addon.preprocess(rgbPicture(frame), network.pixels, grid.cols * patchSize, grid.rows * patchSize, threads)
      const features = network.newFeatures()
      await network.encode(features)
      window.push(features)
    }
    await pause()
    await network.head(window)
    const maps: Floats[] = []
    for (const [position, features] of window.entries()) {
      await pause()
      const map = network.newMap()
      await network.decode(position, features, map)
      maps.push(map)
    }
    return maps
  } finally {
    await network.release()
  }
}
