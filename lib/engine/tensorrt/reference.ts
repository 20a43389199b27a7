// Owns: what the CPU engine gives for the self-check's input, in float32, and its cache.
// Must not know: plans, GPUs.

import { counted } from '../../base/counted.js'
import { setImmediate as breathe } from 'node:timers/promises'
import { VideoDepthError } from '../../base/errors.js'
import { emitterVersion } from '../../prepare/graph/builder.js'
import { planStep } from '../../plan/step-plan.js'
import { CpuEngine } from '../cpu/cpu-engine.js'
import { hashName } from '../../cache/json-record.js'
import {
  checkPicture,
  checkVersion,
  comparedPositions,
  pictureCount,
  streamFrames,
  windowPictures,
} from './check-input.js'
import { readCached, writeCached } from '../../cache/cached-file.js'
import type { Preparation } from '../engine.js'
import type { CheckpointOptions } from './graph-source.js'
import type { PlanSpec, StreamSpec, WindowSpec } from './plan-spec.js'

export type Maps = readonly Float32Array<ArrayBuffer>[]

/** [inputHeight, inputWidth] maps: of a window's compared positions, or of a stream's frames. */
export type ReferenceSource = (spec: PlanSpec, preparation: Preparation) => Promise<Maps>

export interface ReferenceOptions extends CheckpointOptions {
  readonly threads: number
  /** Names the checkpoint and how it is read. */
  readonly network: string
  /** The plan cache's folder. */
  readonly folder: string
}

interface ReferenceFacts {
  readonly reference: string
}

/** Minutes for a large network, hence kept. */
export function cpuReference(options: ReferenceOptions): ReferenceSource {
  return async (spec, preparation) => {
    const { inputWidth, inputHeight } = spec
    // A stream's frames are the same in every batch.
    const input = spec.use === 'windows' ? spec : { ...spec, batches: [1] }
    const reference = JSON.stringify([checkVersion, emitterVersion, options.network, input])
    const name = `${hashName(reference)}.reference`
    const count = spec.use === 'windows' ? pictureCount : streamFrames
    const cached = await readCached<ReferenceFacts>(options.folder, name, (facts) => facts.reference === reference)
    const values = cached === undefined ? undefined : new Float32Array(cached.data.buffer)
    const size = inputWidth * inputHeight
    if (values?.length === count * size)
      return Array.from({ length: count }, (_, i) => values.subarray(i * size, (i + 1) * size))
    const maps = await compute(spec, options, preparation)
    await assertFinite(maps)
    const bytes = new Uint8Array(await new Blob(maps.map((map) => map)).arrayBuffer())
    await writeCached(options.folder, name, bytes, { reference })
    return maps
  }
}

/** Where float32 on the processor fails no plan can agree, and none is to blame. */
async function assertFinite(maps: Maps): Promise<void> {
  for (const map of maps) {
    await breathe()
    const count = map.reduce((sum, value) => sum + (Number.isFinite(value) ? 0 : 1), 0)
    if (count === 0) continue
    throw new VideoDepthError(
      'DEPTH_NOT_FINITE',
      `The network gives ${counted(count, 'value that is', 'values that are')} not finite for the self-check's input, in float32 on the processor. ` +
        'The checkpoint is damaged, or does not belong to this network.',
    )
  }
}

async function compute(
  spec: PlanSpec,
  { checkpoint, cacheDir, weightsKey, threads }: ReferenceOptions,
  { signal, onProgress }: Preparation,
): Promise<Maps> {
  const engine = await CpuEngine.load({
    checkpoint,
    cacheDir,
    weightsKey,
    threads,
    precision: 'fp32',
    signal,
    onProgress: ({ phase, fraction }) =>
      onProgress({ phase: 'check', fraction: 0, detail: `${phase} ${percent(fraction)}` }),
  })
  const stop = (): void => void engine.close()
  signal.addEventListener('abort', stop, { once: true })
  try {
    const tell = (fraction: number): void =>
      onProgress({ phase: 'check', fraction, detail: 'float32 on the processor, to compare with' })
    return spec.use === 'windows'
      ? await windowMaps(engine, spec, signal, tell)
      : await streamMaps(engine, spec, signal, tell)
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
    await engine.close()
  }
}

async function windowMaps(
  engine: CpuEngine,
  { inputWidth, inputHeight, windowLength }: WindowSpec,
  signal: AbortSignal,
  tell: (fraction: number) => void,
): Promise<Maps> {
  const size = { inputWidth, inputHeight, frameWidth: inputWidth, frameHeight: inputHeight }
  const session = await engine.openSession({ ...size, windowLength, slots: windowLength }, signal)
  for (let i = 0; i < pictureCount; i++) {
    tell(i / (pictureCount + 1))
    await session.encode({ ...checkPicture(i, inputWidth, inputHeight), timestampMs: 0 }, i)
  }
  tell(pictureCount / (pictureCount + 1))
  const positions = comparedPositions(windowLength)
  const { maps } = await session.decode(windowPictures(windowLength), positions)
  return positions.map((position) => maps[position] ?? new Float32Array(0))
}

async function streamMaps(
  engine: CpuEngine,
  { inputWidth, inputHeight }: StreamSpec,
  signal: AbortSignal,
  tell: (fraction: number) => void,
): Promise<Maps> {
  const size = { inputWidth, inputHeight, frameWidth: inputWidth, frameHeight: inputHeight }
  const stream = await engine.openStream({ ...size, stabilized: false }, signal)
  const maps: Float32Array<ArrayBuffer>[] = []
  for (let i = 0; i < streamFrames; i++) {
    tell(i / streamFrames)
    const { depth } = await stream.step(checkPicture(i, inputWidth, inputHeight), planStep(i))
    maps.push(new Float32Array(depth))
  }
  return maps
}

const percent = (fraction: number): string => `${Math.round(fraction * 100)} %`
