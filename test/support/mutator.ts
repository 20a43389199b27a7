// Owns: seeded mutations of bytes.
// Must not know: formats; it knows only how numbers are commonly written.

/** A whole number from 0 to before `below`. */
export type Random = (below: number) => number

/** A series of its own for each pair. */
export function random(seed: number, index: number): Random {
  let state = Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

export interface Mutated {
  readonly bytes: Uint8Array
  /** What was done, for a person. */
  readonly how: string
}

type Mutation = (bytes: Buffer, next: Random) => Buffer

/** What sizes, counts and offsets are wrong by. */
const extremes = [-(2n ** 31n), -8n, -1n, 0n, 1n, 255n, 65535n, 2n ** 24n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 16n]
const wideExtremes = [...extremes, 2n ** 32n - 1n, 2n ** 32n, 2n ** 40n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n - 1n]
const textExtremes = ['-1', '0', '00', '1e999', '-0.5', '65536', '2147483648', '4294967295', '9007199254740993']

/** Headers lie in front, tables often at the end; half of all places are among the first 512 bytes, some among the last. */
function place(bytes: Buffer, next: Random): number {
  const range = Math.min(bytes.length, 512)
  const choice = next(8)
  if (choice < 4) return next(range)
  return choice === 4 ? bytes.length - range + next(range) : next(bytes.length)
}

const length = (bytes: Buffer, from: number, next: Random): number =>
  1 + next(Math.min(bytes.length - from, next(2) === 0 ? 16 : bytes.length))

const spliced = (bytes: Buffer, from: number, to: number, ...between: readonly Uint8Array[]): Buffer =>
  Buffer.concat([bytes.subarray(0, from), ...between, bytes.subarray(to)])

const mutations: Readonly<Record<string, Mutation>> = {
  bit: (bytes, next) => {
    const at = place(bytes, next)
    bytes[at]! ^= 1 << next(8)
    return bytes
  },
  byte: (bytes, next) => {
    bytes[place(bytes, next)] = next(4) === 0 ? 255 * next(2) : next(256)
    return bytes
  },
  truncated: (bytes, next) => bytes.subarray(0, place(bytes, next)),
  inserted: (bytes, next) => {
    const at = place(bytes, next)
    const added = Uint8Array.from({ length: 1 + next(32) }, () => next(256))
    return spliced(bytes, at, at, added)
  },
  removed: (bytes, next) => {
    const from = place(bytes, next)
    return spliced(bytes, from, from + length(bytes, from, next))
  },
  zeroed: (bytes, next) => {
    const from = place(bytes, next)
    return bytes.fill(next(4) === 0 ? 255 : 0, from, from + length(bytes, from, next))
  },
  duplicated: (bytes, next) => {
    const from = place(bytes, next)
    const to = from + length(bytes, from, next)
    return spliced(bytes, to, to, ...Array.from({ length: 1 + next(3) }, () => bytes.subarray(from, to)))
  },
  copied: (bytes, next) => {
    const from = place(bytes, next)
    bytes.copyWithin(place(bytes, next), from, from + length(bytes, from, next))
    return bytes
  },
  number: (bytes, next) => {
    const size = [2, 4, 4, 8][next(4)]!
    if (bytes.length < size) return bytes
    const at = Math.min(next(2) === 0 ? place(bytes, next) & ~3 : place(bytes, next), bytes.length - size)
    const from = size === 8 ? wideExtremes : extremes
    const value = BigInt.asUintN(8 * size, from[next(from.length)]!)
    const isBig = next(4) === 0
    for (let i = 0; i < size; i++) bytes[isBig ? at + size - 1 - i : at + i] = Number((value >> BigInt(8 * i)) & 0xffn)
    return bytes
  },
  numeral: (bytes, next) => {
    const found = [...bytes.toString('latin1').matchAll(/\d+/g)]
    const chosen = found[next(found.length)]
    if (chosen === undefined) return bytes
    const text = textExtremes[next(textExtremes.length)]!
    return spliced(bytes, chosen.index, chosen.index + chosen[0].length, Buffer.from(text))
  },
}
const names = Object.keys(mutations)

/** One to three mutations of a copy. */
export function mutated(intact: Uint8Array, next: Random): Mutated {
  let bytes = Buffer.from(intact)
  const how: string[] = []
  for (let left = 1 + next(3); left > 0 && bytes.length > 0; left--) {
    const name = names[next(names.length)]!
    bytes = Buffer.from(mutations[name]!(bytes, next))
    how.push(name)
  }
  return { bytes, how: how.join(' and ') }
}
