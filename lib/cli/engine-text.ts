// Owns: what a person is told of the engine: which one runs, why no other, which arithmetic its plans came to.
// Must not know: when it is told, where.

import type { EngineInfo, PlanSetInfo } from '../engine/engine-info.js'
import type { LoadProgress } from '../engine/engine.js'
import { shown } from '../base/outside-text.js'

/** Once the model is loaded. Empty where there is nothing that anybody would wonder about. */
export function loadedText({ fallback, gpu, precision }: EngineInfo): string {
  if (gpu !== undefined) return `TensorRT ${gpu.tensorRt} on ${gpu.name}, ${precision}\n`
  if (fallback?.isSurprising === true) return `The processor computes, not the GPU: ${shown(fallback.reason)}\n`
  return ''
}

/** What the plans in use, or int8, came to and how well that agrees with float32. */
export function arithmeticLines({ plans, precision, kernels, check }: EngineInfo): string[] {
  const ofPlans = plans.flatMap((plan) => [
    `${plan.use} at ${plan.inputWidth}×${plan.inputHeight}: ${plan.variant}, ${origin(plan)}, ${figures(plan)}`,
    ...plan.rejected.map(({ variant, reason }) => `  not ${variant}: ${shown(reason)}`),
  ])
  if (check === undefined) return ofPlans
  const { absRel, delta1 } = check
  const agreement = `AbsRel ${percent(absRel)}, within a factor of 1.25 ${percent(delta1)}`
  return [...ofPlans, `${precision} with ${kernels ?? 'no'} kernels, against float32: ${agreement}`]
}

const percent = (part: number): string => `${(100 * part).toFixed(2)} %`

function origin({ origin: how, buildSeconds }: PlanSetInfo): string {
  return how === 'built' ? `built in ${Math.round(buildSeconds)} s` : 'plans from the cache'
}

function figures({ check: { cosine, relativeError } }: PlanSetInfo): string {
  return `against float32: cosine ${cosine.toFixed(6)}, relative error ${relativeError.toExponential(1)}`
}

const liveTexts: Partial<Record<LoadProgress['phase'], string>> = {
  hash: 'reading the checkpoint',
  convert: 'converting the checkpoint, the first time',
  plans: 'building TensorRT plans for this size: minutes, the first time',
  check: 'comparing with float32 on the processor, the first time',
}

/** For who waits without a progress line: each kind of long work once. */
export function onceEach(say: (text: string) => void): (progress: LoadProgress) => void {
  const said = new Set<string>()
  return ({ phase }) => {
    const text = liveTexts[phase]
    if (text === undefined || said.has(phase)) return
    said.add(phase)
    say(text)
  }
}

export function progressText({ phase, fraction, detail }: LoadProgress): string {
  const done = `${Math.round(fraction * 100)} %`
  if (phase === 'plans') return `building TensorRT plans, ${done}: ${detail ?? ''}`
  if (phase === 'check') return `comparing with float32, ${done}: ${detail ?? ''}`
  return `preparing the network: ${phase} ${done}`
}
