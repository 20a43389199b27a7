// Owns: which built plan may be used again: its key, the file, the timing caches.
// Must not know: how plans are built, whether their numbers are right.

import { rm } from 'node:fs/promises'
import path from 'node:path'
import { defaultCacheDir } from '../../cache/cache-folder.js'
import type { NativeGpuEngine } from '../../native/gpu-types.js'
import { hashName } from '../../cache/json-record.js'
import { readCached, writeCached, type CachedFile } from '../../cache/cached-file.js'

/** Raised when the meaning of anything below changes. */
const keyVersion = 2

/** What TensorRT builds for. A plan fits no other. */
export interface BuildTarget {
  readonly tensorRt: string
  readonly tensorRtBuild: number
  readonly gpu: string
  readonly computeCapability: string
  /** Version of CUDA that the addon was built with. */
  readonly cuda: string
}

/** Everything that a plan depends on. */
export interface PlanKey extends BuildTarget {
  /** Hash of the graph file without its weights. */
  readonly graphSha256: string
  /** Names the checkpoint and how it was converted. */
  readonly weights: string
  readonly shapes: Readonly<Record<string, readonly number[]>>
  /** What it is built with. */
  readonly options: Readonly<Record<string, string | number | boolean>>
}

export interface PlanFacts {
  readonly keyVersion: number
  readonly key: PlanKey
  /** For people. */
  readonly label: string
  /** ISO 8601. */
  readonly builtAt: string
  readonly buildSeconds: number
}

interface TimingFacts {
  readonly tensorRt: string
  readonly gpu: string
  readonly computeCapability: string
}

export function planFolder(cacheDir: string | undefined): string {
  return path.join(path.resolve(cacheDir ?? defaultCacheDir()), 'plans')
}

export function buildTarget({ tensorRt, tensorRtBuild, device }: NativeGpuEngine, cuda: string): BuildTarget {
  const { name: gpu, computeCapability } = device
  return { tensorRt, tensorRtBuild, gpu, computeCapability, cuda }
}

/**
 * Plans are code that runs on the GPU: loaded are only files that belong to this user, in a folder of this user's, none of
 * which anybody else may write, and whose hash is the one in their record. Windows does not say who may write.
 */
export class PlanCache {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  find(key: PlanKey): Promise<CachedFile<PlanFacts> | undefined> {
    const wanted = JSON.stringify(key)
    return readCached<PlanFacts>(
      this.folder,
      planName(key),
      (facts) => facts.keyVersion === keyVersion && JSON.stringify(facts.key) === wanted,
    )
  }

  /** @returns the plan's SHA-256, hex */
  async store(
    key: PlanKey,
    plan: Uint8Array,
    facts: { readonly label: string; readonly buildSeconds: number },
  ): Promise<string> {
    const record: PlanFacts = { keyVersion, key, ...facts, builtAt: new Date().toISOString() }
    return (await writeCached(this.folder, planName(key), plan, record)).sha256
  }

  /** Removes files by their names; missing ones count as removed. */
  async remove(names: Iterable<string>): Promise<void> {
    for (const name of names) {
      await rm(path.join(this.folder, `${name}.json`), { force: true })
      await rm(path.join(this.folder, name), { force: true })
    }
  }

  /** What TensorRT measured in earlier builds on the same kind of device. */
  async timings(target: BuildTarget): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const facts = timingFacts(target)
    const wanted = JSON.stringify(facts)
    const isOurs = ({ tensorRt, gpu, computeCapability }: TimingFacts): boolean =>
      JSON.stringify({ tensorRt, gpu, computeCapability }) === wanted
    return (await readCached<TimingFacts>(this.folder, timingName(facts), isOurs))?.data
  }

  async storeTimings(target: BuildTarget, data: Uint8Array): Promise<void> {
    const facts = timingFacts(target)
    await writeCached(this.folder, timingName(facts), data, facts)
  }
}

function timingFacts({ tensorRt, gpu, computeCapability }: BuildTarget): TimingFacts {
  return { tensorRt, gpu, computeCapability }
}

export const planName = (key: PlanKey): string => `${hashName([keyVersion, key])}.plan`
const timingName = (facts: TimingFacts): string => `${hashName(facts)}.timings`
