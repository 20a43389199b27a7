// Owns: videos under mutation: no crash, no hang, no hoard, only the package's own errors.
// Must not know: what exactly comes out of a damaged file.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { fieldVideo } from '../support/field-video.js'
import { makeVideo, steady } from '../support/make-video.js'
import { mutationRun, mutationTimeoutMs, oneFile, type MutatedReader, type Seed } from '../support/mutation.js'

t.setTimeout(mutationTimeoutMs)
const folder = t.testdir()

async function seed(name: string, codec: 'h264' | 'hevc' = 'h264'): Promise<Seed> {
  const recipe = { path: join(folder, name), codec, width: 64, height: 48, times: steady(12, 25), keyInterval: 6 }
  return oneFile(name, await readFile(await makeVideo(recipe)))
}

t.test('videos', async (t) => {
  const readers: MutatedReader[] = [
    { name: 'mp4', seeds: [await seed('a.mp4')] },
    { name: 'mkv', seeds: [await seed('a.mkv')] },
    { name: 'ts', seeds: [await seed('a.ts')] },
    { name: 'avi', seeds: [await seed('a.avi')] },
    { name: 'flv', seeds: [await seed('a.flv')] },
    { name: 'hevc', seeds: [await seed('b.mp4', 'hevc')] },
    { name: 'raw', seeds: [oneFile('a.h264', fieldVideo(8))] },
  ]
  await mutationRun(t, new URL('../support/media-video-readers.js', import.meta.url), readers, 25)
})
