// Owns: tests that a mutation run finds what it looks for, and that it can be repeated.
// Must not know: any format.

import path from 'node:path'
import t from 'tap'
import { oneFile, tryReader, type Figures, type MutatedReader } from '../support/mutation.js'
import { mutated, random } from '../support/mutator.js'

t.setTimeout(300_000)

const intact = Buffer.from('intact')
const module = new URL('../support/mutation-self.js', import.meta.url)
const folder = t.testdir()
const tried = (name: string, more: Partial<MutatedReader> = {}, count = 6): Promise<Figures> =>
  tryReader({ name, seeds: [oneFile('a.txt', intact)], ...more }, module, path.join(folder, name), {
    count,
    seconds: undefined,
    seed: 1,
  })

t.test('a reader that refuses what is not intact passes', async (t) => {
  const { files, errors, values, failures } = await tried('good', { guarded: true }, 30)
  t.same(failures, [])
  t.equal(files, 30)
  t.equal(errors + values, 30)
  t.ok(errors > 20)
})

t.test('a reader with a fault fails, with what repeats it', async (t) => {
  const cases: [string, RegExp][] = [
    ['crashes', /the process ended with SIG/],
    ['exits', /the process ended with 0/],
    ['hangs', /hangs: \d+ ms of processor time/],
    ['hoards', /MiB more/],
    ['stumbles', /not a VideoDepthError: TypeError/],
    ['rejects', /the process ended with 1: [^]*nobody listens/],
  ]
  for (const [name, message] of cases) {
    const { failures } = await tried(name, {}, 2)
    t.ok(failures.length >= 1, name)
    for (const failure of failures) {
      t.match(failure, message)
      t.match(failure, new RegExp(`^MUTATION_SEED=1, file \\d+ of ${name} \\(a\\.txt, `))
    }
  }
})

t.test('other values fail where the format has checksums, but not behind repaired ones', async (t) => {
  t.same((await tried('silent')).failures, [])
  t.match((await tried('silent', { guarded: true })).failures[0], /: other values in silence$/)
  t.same((await tried('silent', { guarded: true, repair: () => intact }, 40)).failures.length > 0, true)
})

t.test('what is packed is mutated before', async (t) => {
  const packed: string[] = []
  const { errors, values } = await tried('good', {
    seeds: [oneFile('a.txt', Buffer.from('seed'))],
    pack: (bytes) => {
      packed.push(Buffer.from(bytes).toString('latin1'))
      return intact
    },
  })
  t.same([errors, values], [0, 6])
  t.equal(packed[0], 'seed')
  t.ok(packed.slice(1).filter((each) => each !== 'seed').length > 3)
})

t.test('a seed that is not read fails', async (t) => {
  const { failures } = await tried('good', { seeds: [oneFile('a.txt', Buffer.from('damaged'))] })
  t.match(failures, [/^intact seed 0 \(a\.txt\): not intact \[SOURCE_UNREADABLE\]$/])
})

t.test('a seed and a number give the same mutation, others another', (t) => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i)
  const at = (seed: number, index: number): string =>
    Buffer.from(mutated(bytes, random(seed, index)).bytes).toString('hex')
  t.equal(at(1, 7), at(1, 7))
  const others = new Set(Array.from({ length: 200 }, (_, i) => at(1 + (i % 2), i >> 1)))
  t.ok(others.size > 180, `${others.size}`) // a few are cut to the same
  t.end()
})
