// Owns: which of a file's entries are the network's weights: under which key they lie, and what lies beside them.
// Must not know: file formats, shapes, values.

import { invalidOption, VideoDepthError } from '../../base/errors.js'
import { isNetworkTensor, keyTensors } from './layout.js'

export interface Entry {
  /** Keys of nested dicts and the tensor's own name, joined by dots. */
  readonly name: string
  /** Two entries of the same one hold the same values; undefined where that is not known. */
  readonly origin?: string | undefined
  /** Extents; undefined for what is no tensor. */
  readonly shape?: readonly number[] | undefined
}

export interface ChosenWeights<E> {
  /** By the network's own names. */
  readonly entries: ReadonlyMap<string, E>
  /** Keys of all sets of weights in the file; {@link topKey} for one that lies under none. */
  readonly keys: readonly string[]
  /** Full names of what was left out. */
  readonly beside: readonly string[]
}

/** Stands for the key of weights that lie under none. */
const topKey = '.'

/** What PyTorch puts into names when it wraps a network, or a part of it. */
const wrappers: ReadonlySet<string> = new Set([
  'module', // DataParallel, DistributedDataParallel, averaged models
  '_orig_mod', // torch.compile
  '_fsdp_wrapped_module',
  '_checkpoint_wrapped_module',
  '_forward_module', // Lightning Fabric
])

/** Keys of an optimizer's states: tensors of the weights' shapes, sometimes under their names. */
const optimizers = /^(optim(izer)?s?(_.*)?|exp_avg.*|exp_inf|momentum(_buffers?)?|grads?|gradients?|master_.*)$/i
/** Keys of averaged weights. */
const averaged = /ema|avg|averag|swa|shadow/i
/** Keys of the weights themselves, in the order of preference; compare {@link averaged}. */
const plain = ['state_dict', 'model', topKey]

/** Weights of one network, or a part of them. */
interface Group<E> {
  readonly key: string
  readonly entries: Map<string, E>
}

/**
 * The only set of weights, or the one that is asked for. A set is what has every tensor that sizes are read from; wrappers'
 * names are dropped wherever they stand. A file without one gives all its entries, for a message about what it is instead.
 *
 * @param wanted a key, or its last parts
 * @throws VideoDepthError CHECKPOINT_MISMATCH where it is not clear which; INVALID_OPTION where there is no such key
 */
export function chooseWeights<E extends Entry>(
  path: string,
  entries: readonly E[],
  wanted: string | undefined,
): ChosenWeights<E> {
  const groups = grouped(path, entries)
  const whole = groups.filter(isWhole)
  const chosen = wanted === undefined ? onlyOne(path, groups, whole) : asked(path, groups, whole, wanted)
  if (chosen === undefined) return { entries: withPlainNames(entries), keys: [], beside: [] }
  const found = new Map(chosen.entries)
  if (wanted === undefined) for (const [name, entry] of siblings(entries, chosen.key)) found.set(name, entry)
  const taken = new Set(found.values())
  const beside = entries.filter((entry) => entry.shape !== undefined && !taken.has(entry)).map(({ name }) => name)
  return { entries: found, keys: whole.map(({ key }) => key), beside }
}

function partsOf(name: string): string[] {
  return name.split('.').filter((part) => !wrappers.has(part))
}

const isRoot = (part: string): boolean => part === 'pretrained' || part === 'head'

/** By what stands before the network's own names. */
function grouped<E extends Entry>(path: string, entries: readonly E[]): Group<E>[] {
  const groups = new Map<string, Group<E>>()
  for (const entry of entries) {
    const parts = partsOf(entry.name)
    const start = parts.findLastIndex(isRoot)
    if (start < 0) continue
    const key = parts.slice(0, start).join('.') || topKey
    const group = groups.get(key) ?? { key, entries: new Map<string, E>() }
    groups.set(key, group)
    const name = parts.slice(start).join('.')
    const other = group.entries.get(name)
    if (other !== undefined && !isSame(other, entry))
      throw mismatch(path, `it holds ${name} twice under one key, as ${other.name} and as ${entry.name}`)
    group.entries.set(name, entry)
  }
  return [...groups.values()]
}

function isWhole({ key, entries }: Group<Entry>): boolean {
  return !isOptimizers(key) && keyTensors.every((name) => entries.has(name))
}

function isOptimizers(key: string): boolean {
  return key.split('.').some((part) => optimizers.test(part))
}

function isSame(a: Entry, b: Entry): boolean {
  return a.origin !== undefined && a.origin === b.origin
}

/** Undefined where there is none. */
function onlyOne<E extends Entry>(
  path: string,
  groups: readonly Group<E>[],
  whole: readonly Group<E>[],
): Group<E> | undefined {
  const different = whole.filter((group, i) => !whole.slice(0, i).some((earlier) => areSame(earlier, group)))
  const [first, second] = different
  if (second !== undefined) throw ambiguous(path, different)
  return joined(groups, first) ?? first ?? partOfOne(groups)
}

function areSame<E extends Entry>(a: Group<E>, b: Group<E>): boolean {
  const isShared = ([name, entry]: [string, E]): boolean => isSame(entry, b.entries.get(name) ?? { name: '' })
  return a.entries.size === b.entries.size && [...a.entries].every(isShared)
}

/** A network in parts: saved part by part, or with a prefix on all names but a few. No tensor may be there twice. */
function joined<E extends Entry>(groups: readonly Group<E>[], whole: Group<E> | undefined): Group<E> | undefined {
  const parts = groups.filter(({ key }) => !isOptimizers(key)).sort((a, b) => b.entries.size - a.entries.size)
  const [largest] = parts
  const base = whole ?? largest
  if (base === undefined) return undefined
  const entries = new Map(base.entries)
  for (const part of parts) {
    const own = [...part.entries].filter(([name]) => isNetworkTensor(name))
    if (part === base || own.some(([name]) => entries.has(name))) continue
    for (const [name, entry] of own) entries.set(name, entry)
  }
  const group = { key: base.key, entries }
  return isWhole(group) ? group : undefined
}

/** For a message about what is missing. */
function partOfOne<E extends Entry>(groups: readonly Group<E>[]): Group<E> | undefined {
  return groups.find(
    ({ key, entries }) =>
      !isOptimizers(key) && [...entries.keys()].some((name) => name.startsWith('head.motion_modules.')),
  )
}

function asked<E extends Entry>(
  path: string,
  groups: readonly Group<E>[],
  whole: readonly Group<E>[],
  wanted: string,
): Group<E> {
  const key = partsOf(wanted).join('.') || topKey
  const exact = groups.find((group) => group.key === key)
  if (exact !== undefined) return exact
  const close = whole.filter((group) => group.key.startsWith(`${key}.`) || group.key.endsWith(`.${key}`))
  const [first, second] = close
  if (second !== undefined) throw ambiguous(path, close)
  if (first !== undefined) return first
  const keys = whole.map((group) => JSON.stringify(group.key))
  throw invalidOption(
    keys.length === 0
      ? `none (${path} holds no weights of Video Depth Anything)`
      : `${keys.join(' or ')}, as ${path} holds,`,
    'weightsKey',
    wanted,
  )
}

/** Weights of other modules in the network's own dict: then it is another network, which has parts that this one lacks. */
function* siblings<E extends Entry>(entries: readonly E[], key: string): Iterable<[string, E]> {
  const prefix = key === topKey ? '' : `${key}.`
  for (const entry of entries) {
    const name = partsOf(entry.name).join('.')
    const [first = '', ...rest] = name.startsWith(prefix) ? name.slice(prefix.length).split('.') : []
    const isWeight = rest.at(-1) === 'weight' && (entry.shape?.length ?? 0) >= 2
    if (isWeight && !isRoot(first) && rest.findLastIndex(isRoot) < 0 && !isOptimizers(first))
      yield [[first, ...rest].join('.'), entry]
  }
}

/** Without the keys and prefixes that training scripts use. */
function withPlainNames<E extends Entry>(entries: readonly E[]): Map<string, E> {
  const prefix = /^((state_dict|model|net|network|model_ema|ema|params|params_ema)\.)+/
  return new Map(entries.map((entry) => [partsOf(entry.name).join('.').replace(prefix, ''), entry]))
}

function ambiguous(path: string, groups: readonly Group<Entry>[]): VideoDepthError {
  const keys = groups.map(({ key }) => key)
  const averages = keys.find((key) => averaged.test(key))
  const pick = averages ?? plain.find((key) => keys.includes(key)) ?? keys[0] ?? topKey
  const reason = averages === undefined ? 'the usual one' : 'averaged over the training and usually the better one'
  return mismatch(
    path,
    `it holds ${keys.length} sets of weights, under the keys ${keys.map((key) => JSON.stringify(key)).join(', ')}. ` +
      `Name one with weightsKey (--weights-key); ${JSON.stringify(pick)} is ${reason}`,
  )
}

function mismatch(path: string, reason: string): VideoDepthError {
  return new VideoDepthError(
    'CHECKPOINT_MISMATCH',
    `It is not clear which weights of checkpoint ${path} to take: ${reason}`,
  )
}
