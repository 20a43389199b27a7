// Owns: what a mutation run reads pictures with.
// Must not know: formats.

import type { Readers } from './mutation.js'
import { openImages } from '../../dist/esm/io/sources/image-source.js'
import { openSource } from '../../dist/esm/io/sources/open-source.js'

async function read(path: string): Promise<number> {
  const source = await openSource(path)
  let sum = 0
  for await (const { data } of source) sum += data.reduce((all, value) => all + value, 0)
  return sum
}

const names = ['png', 'jpeg', 'webp', 'tiff', 'avif', 'heic', 'gif', 'bmp', 'pnm'] as const

export const readers: Readers = {
  ...Object.fromEntries(names.map((name) => [name, async (path: string) => read(path)])),
  async folder(path) {
    for await (const frame of await openImages(path)) if (frame.data.length === 0) return 'empty'
    return 'read'
  },
}
