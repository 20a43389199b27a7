// Owns: trying readers on mutated files: a child process reads, this one mutates, watches and counts.
// Must not know: formats, what is read.
//
// A test over it names a module of its own (compiled; it runs in the child) that exports `readers`, by name:
//   export const readers: Readers = { npz: async (path) => { … } }
// and calls, with intact files of each:
//   await mutationRun(t, new URL('./support/my-readers.js', import.meta.url), [{ name: 'npz', seeds: [oneFile('a.npz', bytes)] }])
// Every intact seed must be read without an error; a mutated one may give values, or a VideoDepthError, within 2 s of
// processor time and 300 MiB. A crash, another error, more time or memory fails the test, with what repeats it.
//
// By hand, for ten minutes: MUTATION_SECONDS=600 node --enable-source-maps dist-test/io/mutation-NAME.test.js
//   MUTATION_SECONDS  in all, shared by the readers; without it: `count` files each
//   MUTATION_SEED     another series of files (default 1)
//   MUTATION_READER   only this reader
//   MUTATION_KEEP     folder that receives what failed

import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Test } from 'tap'
import { mutated, random, type Random } from './mutator.js'
import { ReadingChild, type Reply } from './mutation-parent.js'

/** Runs in the child. A string that it gives is compared where the reader is `guarded`. */
export type Readers = Readonly<Record<string, (path: string) => Promise<unknown>>>

/** Files that belong together; one of them is mutated at a time. */
export interface Seed {
  /** By path, relative to a folder of their own. */
  readonly files: Readonly<Record<string, Uint8Array>>
  /** What is read: one of the paths, or '' for the folder. */
  readonly open: string
}

export interface MutatedReader {
  /** As the module exports it; several may share one. */
  readonly name: string
  readonly seeds: readonly Seed[]
  /** The format has checksums: what the reader gives (a string) must be what it gave for the intact seed. */
  readonly guarded?: boolean
  /** Makes a file of a seed's bytes, which are mutated before: what lies in an archive, behind a checksum. Default: the bytes. */
  readonly pack?: (bytes: Uint8Array, name: string) => Uint8Array | Promise<Uint8Array>
  /** Puts the checksums of a mutated file right; done to every second one, which is then not `guarded`. */
  readonly repair?: (bytes: Uint8Array, name: string) => Uint8Array | Promise<Uint8Array>
}

export const oneFile = (name: string, bytes: Uint8Array): Seed => ({ files: { [name]: bytes }, open: name })

/** For the test file too, which waits for the run: `t.setTimeout(mutationTimeoutMs)` of the outermost `t`. */
export const mutationTimeoutMs = 1000 * (600 + 2 * Number(process.env['MUTATION_SECONDS'] ?? 0))

/** Failures of a reader after which it is not tried any further. */
const mostFailures = 3

export interface Figures {
  files: number
  errors: number
  values: number
  slowestMs: number
  peakMiB: number
  readonly failures: string[]
}

/** @param count files of each reader where MUTATION_SECONDS does not say how long */
export async function mutationRun(t: Test, module: URL, all: readonly MutatedReader[], count = 150): Promise<void> {
  const { MUTATION_SECONDS, MUTATION_SEED, MUTATION_READER } = process.env
  const readers = all.filter(({ name }) => MUTATION_READER === undefined || name === MUTATION_READER)
  const seconds = MUTATION_SECONDS === undefined ? undefined : Number(MUTATION_SECONDS) / readers.length
  t.setTimeout(mutationTimeoutMs)
  const folder = t.testdir()
  for (const reader of readers) {
    const limit = { count, seconds, seed: Number(MUTATION_SEED ?? 1) }
    const figures = await tryReader(reader, module, path.join(folder, reader.name), limit)
    const { files, errors, values, slowestMs, peakMiB, failures } = figures
    const text = `${reader.name}: ${files} files, ${errors} errors, ${values} with values, slowest ${slowestMs.toFixed(0)} ms, at most ${peakMiB.toFixed(0)} MiB more`
    t.comment(text)
    t.same(failures, [], text)
  }
}

export interface Limit {
  readonly count: number
  /** Undefined: `count` files. */
  readonly seconds: number | undefined
  readonly seed: number
}

/** What `mutationRun` does with one reader; asserts nothing. */
export async function tryReader(reader: MutatedReader, module: URL, folder: string, limit: Limit): Promise<Figures> {
  const figures: Figures = { files: 0, errors: 0, values: 0, slowestMs: 0, peakMiB: 0, failures: [] }
  const child = new ReadingChild(module, reader.name)
  try {
    const intact: Reply[] = []
    for (const [i, seed] of reader.seeds.entries()) {
      const reply = await child.read(written(path.join(folder, `intact-${i}`), await packed(reader, seed)))
      if (reply.outcome !== 'value') figures.failures.push(`intact seed ${i} (${seed.open}): ${reply.text}`)
      intact.push(reply)
    }
    if (figures.failures.length > 0) return figures
    const end = limit.seconds === undefined ? Infinity : performance.now() + 1000 * limit.seconds
    const isOver = (): boolean =>
      limit.seconds === undefined ? figures.files === limit.count : performance.now() >= end
    while (!isOver() && figures.failures.length < mostFailures) {
      const at = figures.files++
      const next = random(limit.seed, at)
      const index = at % reader.seeds.length
      const { seed, isRepaired, how } = await changed(reader, index, next)
      const place = path.join(folder, 'mutated')
      const reply = await child.read(written(place, seed))
      count(figures, reply)
      const isOther = reader.guarded && !isRepaired && reply.outcome === 'value' && reply.text !== intact[index]?.text
      if (reply.outcome !== 'failure' && !isOther) continue
      const what = isOther ? 'other values in silence' : reply.text
      figures.failures.push(`MUTATION_SEED=${limit.seed}, file ${at} of ${reader.name} (${how}): ${what}`)
      keep(place, `${reader.name}-${limit.seed}-${at}`)
    }
  } finally {
    await child.close()
  }
  return figures
}

function count(figures: Figures, { outcome, cpuMs, moreMiB }: Reply): void {
  if (outcome === 'error') figures.errors++
  if (outcome === 'value') figures.values++
  figures.slowestMs = Math.max(figures.slowestMs, cpuMs)
  figures.peakMiB = Math.max(figures.peakMiB, moreMiB)
}

interface Changed {
  readonly seed: Seed
  readonly isRepaired: boolean
  readonly how: string
}

async function changed(reader: MutatedReader, index: number, next: Random): Promise<Changed> {
  const seed = reader.seeds[index]!
  const names = Object.keys(seed.files)
  const name = names[next(names.length)]!
  const { bytes, how } = mutated(seed.files[name]!, next)
  const repair = next(2) === 0 ? reader.repair : undefined
  const last = (await repair?.(bytes, name)) ?? bytes
  return {
    seed: await packed(reader, { ...seed, files: { ...seed.files, [name]: last } }),
    isRepaired: repair !== undefined,
    how: `${name}, ${how}`,
  }
}

async function packed({ pack }: MutatedReader, seed: Seed): Promise<Seed> {
  if (pack === undefined) return seed
  const files: Record<string, Uint8Array> = {}
  for (const [name, bytes] of Object.entries(seed.files)) files[name] = await pack(bytes, name)
  return { ...seed, files }
}

/** @returns path of what is read */
function written(folder: string, { files, open }: Seed): string {
  rmSync(folder, { recursive: true, force: true })
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    writeFileSync(path.join(folder, name), bytes)
  }
  return path.join(folder, open)
}

function keep(place: string, name: string): void {
  const { MUTATION_KEEP } = process.env
  if (MUTATION_KEEP !== undefined) cpSync(place, path.join(MUTATION_KEEP, name), { recursive: true })
}
