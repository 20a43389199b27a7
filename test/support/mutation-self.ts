// Owns: readers with the faults that mutation runs look for.
// Must not know: how they are found.

import { readFile } from 'node:fs/promises'
import { VideoDepthError } from '../../dist/esm/base/errors.js'
import type { Readers } from './mutation.js'

/** Each reads its intact seed, the text `intact`. */
const unless = async (path: string, fault: () => unknown): Promise<unknown> => {
  const text = await readFile(path, 'utf8')
  return text === 'intact' ? text : fault()
}

export const readers: Readers = {
  good: (path) =>
    unless(path, () => {
      throw new VideoDepthError('SOURCE_UNREADABLE', 'not intact')
    }),
  crashes: (path) => unless(path, () => process.abort()),
  exits: (path) => unless(path, () => process.exit(0)),
  hangs: (path) =>
    unless(path, () => {
      for (;;);
    }),
  hoards: (path) => unless(path, () => Buffer.alloc(2 ** 29, 1).length),
  stumbles: (path) => unless(path, () => (null as unknown as string).length),
  rejects: (path) =>
    unless(path, () => {
      void Promise.reject(new Error('nobody listens'))
      return new Promise(() => undefined)
    }),
  silent: (path) => unless(path, () => 'other'),
}
