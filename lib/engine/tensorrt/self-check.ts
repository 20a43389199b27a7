// Owns: running the self-check's input through a set of plans.
// Must not know: where the reference comes from, what follows from the figures.

import { setImmediate as breathe } from 'node:timers/promises'
import type { NativeGpuEngine, NativePlan } from '../../native/gpu-types.js'
import type { NativePicture } from '../../base/pixel-format.js'
import { planStep } from '../../plan/step-plan.js'
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
    const pictures = await checkPictures(pictureCount, inputWidth, inputHeight)
    for (const [slot, index] of windowPictures(windowLength).entries())
      await windows.encode(pictures[index] ?? checkPicture(index, inputWidth, inputHeight), slot)
    const all = Array.from({ length: windowLength }, (_, i) => i)
    const { nonFinite } = await windows.decode(all, all)
    const positions = comparedPositions(windowLength)
    const figures = await compareMaps(await windows.readMaps(positions), reference)
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
    const pictures = await checkPictures(streamFrames, inputWidth, inputHeight)
    const found: Float32Array[] = []
    const wanted: Float32Array[] = []
    let nonFinite = 0
    for (const batch of batches) {
      for (const [i, picture] of pictures.entries()) {
        const { positions, visible, write } = planStep(i)
        const common = { picture, positions, visible, write, fit: false, wantsDepth: true }
        const results = await streams.step(Array.from({ length: batch }, (_, row) => ({ row, ...common })))
        nonFinite += results.reduce((sum, result) => sum + result.nonFinite, 0)
        found.push(...results.map(({ depth }) => depth ?? new Float32Array(0)))
        wanted.push(...results.map(() => reference[i] ?? new Float32Array(0)))
      }
    }
    const figures = await compareMaps(found, wanted)
    return { ...figures, nonFinite: Math.max(nonFinite, figures.nonFinite) }
  } finally {
    await streams.close()
  }
}

/** The event loop goes on between two of them. */
async function checkPictures(count: number, width: number, height: number): Promise<NativePicture[]> {
  const pictures: NativePicture[] = []
  for (let i = 0; i < count; i++) {
    if (i > 0) await breathe()
    pictures.push(checkPicture(i, width, height))
  }
  return pictures
}
