// Owns: running the self-check's input through a set of plans.
// Must not know: where the reference comes from, what follows from the figures.

import type { NativeGpuEngine, NativePlan } from '../../native-gpu-types.js'
import { planStep } from '../../stream/step-plan.js'
import type { CheckFigures } from '../engine-info.js'
import { checkPicture, comparedPositions, pictureCount, streamFrames, windowPictures } from './check-input.js'
import { compareMaps } from './compare-maps.js'
import { streamPlans, windowPlans, type PlanSpec, type StreamSpec, type WindowSpec } from './plan-spec.js'
import type { Maps } from './reference.js'

/** Plans in the order of `graphRequests`. */
export function checkPlans(
  native: NativeGpuEngine,
  spec: PlanSpec,
  plans: readonly NativePlan[],
  reference: Maps,
): Promise<CheckFigures> {
  return spec.use === 'windows'
    ? checkWindow(native, spec, plans, reference)
    : checkStreams(native, spec, plans, reference)
}

/** All positions run, so that every place in a batch has been used; those that the reference has are compared. */
async function checkWindow(
  native: NativeGpuEngine,
  { inputWidth, inputHeight, windowLength }: WindowSpec,
  plans: readonly NativePlan[],
  reference: Maps,
): Promise<CheckFigures> {
  const size = { frameWidth: inputWidth, frameHeight: inputHeight, slots: windowLength }
  const windows = await native.openWindows({ ...windowPlans(plans), ...size })
  try {
    const pictures = Array.from({ length: pictureCount }, (_, i) => checkPicture(i, inputWidth, inputHeight))
    for (const [slot, index] of windowPictures(windowLength).entries())
      await windows.encode(pictures[index] ?? checkPicture(index, inputWidth, inputHeight), slot)
    const all = Array.from({ length: windowLength }, (_, i) => i)
    const { nonFinite } = await windows.decode(all, all)
    const positions = comparedPositions(windowLength)
    const maps = positions.map(() => new Float32Array(inputWidth * inputHeight))
    await windows.readMaps(positions, maps)
    const figures = compareMaps(maps, reference)
    return { ...figures, nonFinite: Math.max(nonFinite, figures.nonFinite) }
  } finally {
    await windows.close()
  }
}

/** For each batch as many streams, all with the same frames. */
async function checkStreams(
  native: NativeGpuEngine,
  { inputWidth, inputHeight, batches }: StreamSpec,
  plans: readonly NativePlan[],
  reference: Maps,
): Promise<CheckFigures> {
  const rows = Math.max(...batches)
  const streams = await native.openStreams({ ...streamPlans(plans, batches), rows })
  try {
    const found: Float32Array[] = []
    const wanted: Float32Array[] = []
    let nonFinite = 0
    for (const batch of batches) {
      for (let i = 0; i < streamFrames; i++) {
        const picture = checkPicture(i, inputWidth, inputHeight)
        const { positions, visible, write } = planStep(i)
        const outs = Array.from({ length: batch }, () => new Float32Array(inputWidth * inputHeight))
        const entries = outs.map((out, row) => ({ row, picture, positions, visible, write, fit: false, out }))
        const results = await streams.step(entries)
        nonFinite += results.reduce((sum, result) => sum + result.nonFinite, 0)
        found.push(...outs)
        wanted.push(...outs.map(() => reference[i] ?? new Float32Array(0)))
      }
    }
    const figures = compareMaps(found, wanted)
    return { ...figures, nonFinite: Math.max(nonFinite, figures.nonFinite) }
  } finally {
    await streams.close()
  }
}
