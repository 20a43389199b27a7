// Owns: how mutated videos are read.
// Must not know: how they are mutated.

import { openVideo } from '../../dist/esm/io/sources/video-source.js'
import type { Readers } from './mutation.js'

export const readers: Readers = Object.fromEntries(
  ['mp4', 'mkv', 'ts', 'avi', 'flv', 'hevc', 'raw'].map((name) => [
    name,
    async (path: string): Promise<number> => {
      let count = 0
      for await (const frame of await openVideo(path)) count += frame.data.length > 0 ? 1 : 0
      return count
    },
  ]),
)
