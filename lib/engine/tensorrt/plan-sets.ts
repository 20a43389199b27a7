// Owns: the sets of plans that are loaded: building, checking, choosing the arithmetic, and how long each is kept.
// Must not know: sessions, streams, videos.

import { VideoDepthError } from '../../base/errors.js'
import { emitterVersion } from '../../prepare/graph/builder.js'
import type { Precision } from '../../prepare/graph/weights.js'
import type { NativeGpuEngine, NativePlan } from '../../native/gpu-types.js'
import { SerialQueue } from '../../base/serial-queue.js'
import { unlessAborted } from '../../base/unless-aborted.js'
import type { PlanSetInfo, RejectedVariant, RejectionCause } from '../engine-info.js'
import { ChoiceRecord, type Choice } from './choice-record.js'
import { whyWrong } from './compare-maps.js'
import type { GpuGuard } from './gpu-error.js'
import type { Preparation } from '../engine.js'
import { GraphSource, type CheckpointOptions } from './graph-source.js'
import { isLastRung, ladder, type LadderStart, type Rung } from './ladder.js'
import type { LoadedPlan, PlanBuilder } from './plan-builder.js'
import type { BuildTarget } from './plan-cache.js'
import { graphRequests, specName, type PlanSpec } from './plan-spec.js'
import type { ReferenceSource } from './reference.js'
import { checkPlans } from './self-check.js'

export interface PlanSetsOptions {
  readonly native: NativeGpuEngine
  readonly guard: GpuGuard
  readonly builder: PlanBuilder
  readonly reference: ReferenceSource
  readonly checkpoint: CheckpointOptions
  /** Names the checkpoint and its taps. */
  readonly network: string
  readonly precision: Precision
  readonly start: LadderStart
  readonly target: BuildTarget
  /** The plan cache's folder. */
  readonly folder: string
}

/** Plans that passed. Held until `release`. */
export interface PlanSet {
  readonly info: PlanSetInfo
  /** In the order of `graphRequests`. */
  readonly plans: readonly NativePlan[]
  /** At run time something came out wrong: once nobody uses this set any more, the next one is of a later rung. */
  suspect(reason: string): Promise<void>
  release(): void
}

interface Kept {
  readonly info: PlanSetInfo
  readonly plans: readonly NativePlan[]
  readonly record: ChoiceRecord
  users: number
  isSuspect: boolean
}

interface Climb {
  readonly spec: PlanSpec
  readonly record: ChoiceRecord
  readonly graphs: GraphSource
  readonly preparation: Preparation
  /** Files of plans that failed their check. */
  readonly wrong: Set<string>
}

export class PlanSets {
  readonly #options: PlanSetsOptions
  readonly #kept = new Map<string, Kept>()
  /** One at a time: the device builds one plan at a time anyway. */
  readonly #preparing = new SerialQueue()
  #lastSuspect: string | undefined

  constructor(options: PlanSetsOptions) {
    this.#options = options
  }

  /** Variant of the set that something came out wrong of last. */
  get lastSuspect(): string | undefined {
    return this.#lastSuspect
  }

  /** When nothing is being prepared any more, also of what was given up. */
  settled(): Promise<void> {
    return this.#preparing.settled
  }

  get infos(): PlanSetInfo[] {
    return [...this.#kept.values()].map(({ info }) => info)
  }

  /** An abort rejects with its reason at once; what was being built is given up. */
  async hold(spec: PlanSpec, preparation: Preparation): Promise<PlanSet> {
    const set = this.#preparing.run(() => this.#hold(spec, preparation))
    try {
      return await unlessAborted(set, preparation.signal)
    } catch (error) {
      set.then(
        (held) => held.release(),
        () => undefined,
      )
      throw error
    }
  }

  async #hold(spec: PlanSpec, preparation: Preparation): Promise<PlanSet> {
    preparation.signal.throwIfAborted()
    const name = specName(spec)
    let kept = this.#kept.get(name)
    if (kept === undefined || (kept.isSuspect && kept.users === 0)) {
      this.#releaseUnused()
      kept = await this.#prepare(spec, preparation)
      this.#kept.set(name, kept)
    }
    return this.#user(kept)
  }

  /** A size that nobody uses is kept until another one is asked for. */
  #releaseUnused(): void {
    for (const [name, { plans, users }] of this.#kept) {
      if (users > 0) continue
      this.#kept.delete(name)
      for (const plan of plans) plan.release()
    }
  }

  async #prepare(spec: PlanSpec, preparation: Preparation): Promise<Kept> {
    const { checkpoint, network, precision, target, folder } = this.#options
    const weights = `${network}.v${emitterVersion}`
    const record = new ChoiceRecord(folder, { ...target, weights, precision, spec })
    return GraphSource.use(checkpoint, preparation, (graphs) =>
      this.#climb({ spec, record, graphs, preparation, wrong: new Set() }),
    )
  }

  /** Up to the first arithmetic that agrees with float32; what did not once is not tried again. */
  async #climb(climb: Climb): Promise<Kept> {
    const choice = await climb.record.read()
    const measured = measuredWrong(choice)
    const { start, target, builder } = this.#options
    const rejected: RejectedVariant[] = [...start.rejected]
    for (const rung of ladder.slice(start.index)) {
      const before = measured.find(({ variant }) => variant === rung.name)
      try {
        if (before === undefined) return await this.#tryRung(climb, rung, rejected, choice)
        rejected.push(before)
      } catch (error) {
        const cause = rejectionCause(error)
        if (cause === undefined) throw error
        rejected.push({ variant: rung.name, cause, reason: (error as Error).message })
      }
    }
    await builder.forget(climb.wrong)
    const reasons = rejected.map(({ variant, reason }) => `${variant}: ${reason}`).join('. ')
    throw new VideoDepthError(
      'PLAN_FAILED',
      `No plan of TensorRT ${target.tensorRt} agrees with float32 on the processor. ${reasons}. ` +
        'Use backend cpu, or another version of TensorRT',
    )
  }

  /** @throws VideoDepthError PLAN_FAILED where it cannot be built; Disagreement where it gives something else than float32 */
  async #tryRung(
    climb: Climb,
    rung: Rung,
    rejected: readonly RejectedVariant[],
    choice: Choice | undefined,
  ): Promise<Kept> {
    const { spec, record, preparation, wrong } = climb
    const { builder } = this.#options
    const loaded = await this.#load(climb, rung)
    const plans = loaded.map(({ plan }) => plan)
    const files = loaded.map(({ file }) => file)
    try {
      const hashes = loaded.map(({ sha256 }) => sha256)
      const buildSeconds = loaded.reduce((sum, plan) => sum + plan.buildSeconds, 0)
      const isKnown = choice?.suspect === undefined && choice?.variant === rung.name && isSame(choice.plans, hashes)
      const check = isKnown ? choice.check : await this.#check(spec, plans, preparation)
      if (!isKnown || !isSame(choice.rejected, rejected))
        await record.write({ variant: rung.name, plans: hashes, files, check, buildSeconds, rejected })
      for (const file of files) wrong.delete(file) // a later rung may share some of its plans
      await builder.forget(wrong)
      const origin = loaded.some(({ wasBuilt }) => wasBuilt) ? 'built' : 'cache'
      const { use, inputWidth, inputHeight } = spec
      const info = { use, inputWidth, inputHeight, variant: rung.name, origin, buildSeconds, check, rejected } as const
      return { info, plans, record, users: 0, isSuspect: false }
    } catch (error) {
      if (error instanceof Disagreement) for (const file of files) wrong.add(file)
      for (const plan of plans) plan.release()
      throw error
    }
  }

  async #load({ spec, graphs, preparation }: Climb, rung: Rung): Promise<LoadedPlan[]> {
    const requests = graphRequests(spec, rung)
    const loaded: LoadedPlan[] = []
    try {
      for (const [i, request] of requests.entries()) {
        const what = `${rung.name}, plan ${i + 1} of ${requests.length} (${request.label})`
        const plan = await this.#options.builder.load(graphs, request, {
          signal: preparation.signal,
          onProgress: ({ fraction, detail = '' }) =>
            preparation.onProgress({
              phase: 'plans',
              fraction: (i + fraction) / requests.length,
              detail: `${what}: ${detail}`,
            }),
        })
        loaded.push(plan)
      }
      return loaded
    } catch (error) {
      for (const { plan } of loaded) plan.release()
      throw error
    }
  }

  async #check(spec: PlanSpec, plans: readonly NativePlan[], preparation: Preparation): Promise<PlanSetInfo['check']> {
    const { native, guard, reference } = this.#options
    const expected = await reference(spec, preparation)
    preparation.signal.throwIfAborted()
    const figures = await guard.call(() => checkPlans(native, spec, plans, expected))
    const fault = whyWrong(figures)
    if (fault !== '') throw new Disagreement(`self-check failed: ${fault}`)
    return figures
  }

  #user(kept: Kept): PlanSet {
    const { info, plans, record } = kept
    kept.users++
    let isHeld = true
    return {
      info,
      plans,
      suspect: async (reason) => {
        this.#lastSuspect = info.variant
        if (isLastRung(info.variant)) return
        kept.isSuspect = true
        await record.suspect(info.variant, reason)
      },
      release: () => {
        if (isHeld) kept.users--
        isHeld = false
      },
    }
  }
}

/** Plans that give something else than float32. */
class Disagreement extends Error {}

/** Undefined of what is no reason for other arithmetic. */
function rejectionCause(error: unknown): RejectionCause | undefined {
  if (error instanceof Disagreement) return 'check'
  return error instanceof VideoDepthError && error.code === 'PLAN_FAILED' ? 'build' : undefined
}

/** What failed to build may do so no more, and what was ruled out is known anew. */
function measuredWrong(choice: Choice | undefined): RejectedVariant[] {
  if (choice === undefined) return []
  const { variant, suspect } = choice
  const wrong = choice.rejected.filter(({ cause }) => cause === 'check' || cause === 'run')
  return suspect === undefined ? wrong : [...wrong, { variant, cause: 'run', reason: suspect.reason }]
}

function isSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
