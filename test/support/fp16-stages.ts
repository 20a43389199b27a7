// Owns: how far the fp16 plan is from float32, stage by stage: windows through encoder, head and decoder, and streams.
// Must not know: which networks and sizes are compared, what is allowed.

import { prepareEncoder, prepareGraphs, prepareStreamStep } from '../../dist/esm/prepare/graph/prepare-graphs.js'
import { prepareWeights, type PreparedWeights } from '../../dist/esm/prepare/graph/prepare-weights.js'
import type { Recipe } from '../../dist/esm/prepare/checkpoint/recipe.js'
import { cpuVariant, type AttentionCore, type GraphVariant } from '../../dist/esm/prepare/graph/variant.js'
import { sampleVideo } from '../../dist/esm/evaluate/bundled-sample.js'
import { openVideo } from '../../dist/esm/io/sources/video-source.js'
import { stateSlots } from '../../dist/esm/plan/step-plan.js'
import { referencePreprocess } from './reference-preprocess.js'
import { roundedGraph } from './rounded-graph.js'
import { runSteps, runWindow, type StepRun, type WindowRun } from './run-graphs.js'

export interface StageError {
  readonly stage: string
  /** ‖a − b‖ / ‖b‖; NaN where anything is not finite, as all of these. */
  readonly relative: number
  /** max|a − b| / (max b − min b) */
  readonly largest: number
  readonly cosine: number
}

export const cores: readonly AttentionCore[] = ['fp16', 'fp32-accumulate', 'unfused']

export interface Grid {
  /** Patches. */
  readonly rows: number
  readonly cols: number
}

/** The bundled sample as the network takes it. @param frames at most 44 */
export async function clip({ rows, cols }: Grid, frames: number): Promise<Float32Array[]> {
  const pixels: Float32Array[] = []
  for await (const { data, width, height } of await openVideo(sampleVideo, { maxLen: frames }))
    pixels.push(referencePreprocess(data, width, height, cols * 14, rows * 14))
  return pixels
}

/** Over all arrays together. */
export function errorOf(
  stage: string,
  found: readonly (Float32Array | undefined)[],
  wanted: readonly (Float32Array | undefined)[],
): StageError {
  let [difference, norm, foundNorm, dot, largest, least, most] = [0, 0, 0, 0, 0, Infinity, -Infinity]
  let isWhole = found.length === wanted.length && wanted.length > 0
  for (const [i, b] of wanted.entries()) {
    const a = found[i]
    if (a === undefined || b === undefined || a.length !== b.length) {
      isWhole = false
      continue
    }
    for (let j = 0; j < b.length; j++) {
      const [x, y] = [a[j] as number, b[j] as number]
      const error = Math.abs(x - y)
      if (!Number.isFinite(error)) isWhole = false
      difference += error * error
      norm += y * y
      foundNorm += x * x
      dot += x * y
      if (error > largest) largest = error
      if (y < least) least = y
      if (y > most) most = y
    }
  }
  const whole = (value: number): number => (isWhole ? value : Number.NaN)
  return {
    stage,
    relative: whole(Math.sqrt(difference / norm)),
    largest: whole(largest / (most - least)),
    cosine: whole(dot / Math.sqrt(norm * foundNorm)),
  }
}

export interface Checkpoints {
  readonly fp32: PreparedWeights
  readonly fp16: PreparedWeights
}

export async function bothPrecisions(
  checkpoint: string,
  cacheDir: string,
  recipes?: readonly Recipe[],
): Promise<Checkpoints> {
  const options = { checkpoint, cacheDir, ...(recipes !== undefined && { recipes }) }
  const fp32 = await prepareWeights({ ...options, precision: 'fp32' })
  return { fp32, fp16: await prepareWeights({ ...options, precision: 'fp16' }) }
}

export interface WindowCase extends Grid {
  readonly frames: number
  /** Positions whose depth is compared. */
  readonly wanted: readonly number[]
  readonly cores: readonly AttentionCore[]
}

/** Each stage is fed by the plan's own earlier stages, so errors add up as they will. */
export async function windowErrors(
  { fp32, fp16 }: Checkpoints,
  { rows, cols, frames, wanted, cores }: WindowCase,
): Promise<Map<AttentionCore, StageError[]>> {
  const shape = { rows, cols, windowLength: frames, encoderBatch: 1, decoderBatch: 1 }
  const pictures = await clip({ rows, cols }, frames)
  const reference = await runWindow(await prepareGraphs(fp32, shape), pictures, { wanted })
  const errors = new Map<AttentionCore, StageError[]>()
  for (const attention of cores) {
    const graphs = await prepareGraphs(fp16, shape, plan(attention))
    errors.set(
      attention,
      compareWindows(await runWindow(graphs, pictures, { wanted, change: roundedGraph }), reference),
    )
  }
  return errors
}

/** Cut as for a processor, which changes no value and needs less memory. */
export function plan(attention: AttentionCore): GraphVariant {
  return { ...cpuVariant, attention }
}

export function compareWindows(found: WindowRun, wanted: WindowRun): StageError[] {
  const layers = ['layer1', 'layer2', 'layer3', 'layer4'].map((name) =>
    errorOf(name, found.features.get(name) ?? [], wanted.features.get(name) ?? []),
  )
  return [...layers, errorOf('path3', found.path3, wanted.path3), errorOf('depth', found.depth, wanted.depth)]
}

/** The first frame, and all of them. */
export async function streamErrors(
  { fp32, fp16 }: Checkpoints,
  { rows, cols, frames, cores }: Omit<WindowCase, 'wanted'>,
): Promise<Map<AttentionCore, StageError[]>> {
  const pictures = await clip({ rows, cols }, frames)
  const run = async (weights: PreparedWeights, variant: GraphVariant): Promise<StepRun[]> => {
    const encoder = await prepareEncoder(weights, { rows, cols, encoderBatch: 1 }, variant)
    const step = await prepareStreamStep(weights, { rows, cols, stateSlots, streams: 1 }, variant)
    return runSteps(encoder.path, step, pictures, weights.precision === 'fp16' ? roundedGraph : undefined)
  }
  const reference = await run(fp32, cpuVariant)
  const errors = new Map<AttentionCore, StageError[]>()
  for (const attention of cores) {
    const found = await run(fp16, plan(attention))
    errors.set(attention, [
      ...compareSteps('first ', found.slice(0, 1), reference.slice(0, 1)),
      ...compareSteps('', found, reference),
    ])
  }
  return errors
}

function compareSteps(prefix: string, found: readonly StepRun[], wanted: readonly StepRun[]): StageError[] {
  const names = [...(wanted[0]?.states.keys() ?? [])]
  const path3 = [found, wanted].map((runs) => runs.map((run) => run.path3))
  return [
    errorOf(`${prefix}path3`, path3[0] ?? [], path3[1] ?? []),
    ...names.map((name) => {
      const states = [found, wanted].map((runs) => runs.map((run) => run.states.get(name)))
      return errorOf(`${prefix}${name}`, states[0] ?? [], states[1] ?? [])
    }),
  ]
}
