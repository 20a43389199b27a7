// Owns: writing the graphs of a converted checkpoint, once, and finding them again.
// Must not know: checkpoints, engines, videos, window plans.

import { createHash } from 'node:crypto'
import path from 'node:path'
import type { Architecture } from '../checkpoint/architecture.js'
import { temporalChannels } from '../checkpoint/layout.js'
import { readWhole } from '../../base/read-file.js'
import type { GraphBuilder } from './builder.js'
import { openCacheFolder, writeAtomically } from '../../cache/cache-folder.js'
import { buildDepthDecoder, type DepthDecoderShape } from './depth-decoder.js'
import { buildEncoder, type EncoderShape } from './encoder.js'
import { readSealed, sealedText } from '../../cache/json-record.js'
import { extendTemporalTable, resamplePositions } from './position-tables.js'
import type { PreparedWeights } from './prepare-weights.js'
import { buildStreamStep, type StreamStepShape } from './stream-step.js'
import { buildTemporalHead, type TemporalHeadShape } from './temporal-head.js'
import { cpuVariant, variantSuffix, type GraphVariant } from './variant.js'
import { readWeight, weightsIndex, type WeightsIndex } from './weights-file.js'

export interface GraphPorts {
  /** Shapes by name. */
  readonly inputs: Readonly<Record<string, readonly number[]>>
  readonly outputs: Readonly<Record<string, readonly number[]>>
}

export interface PreparedGraph {
  /** Path of an ONNX file; its weights lie in the same folder. */
  readonly path: string
  readonly ports: GraphPorts
  /** It was there already. */
  readonly cacheHit: boolean
}

/** Everything that depends on one frame alone. */
export async function prepareEncoder(
  weights: PreparedWeights,
  shape: EncoderShape,
  variant: GraphVariant = cpuVariant,
): Promise<PreparedGraph> {
  const { architecture, precision } = weights
  const taps = `taps${architecture.taps.join('-')}${shape.tapOutputs === true ? '-out' : ''}`
  const suffix = variantSuffix(variant, precision, ['attention', 'handed'])
  const stem = `encoder.${sizeOf(weights, shape)}.b${shape.encoderBatch}.${taps}${suffix}`
  return prepareGraph(weights, stem, async (index) =>
    buildEncoder(architecture, index, shape, precision, variant, await encoderPositions(weights, index, shape)),
  )
}

/** The temporal head for a window. */
export async function prepareTemporalHead(
  weights: PreparedWeights,
  shape: TemporalHeadShape,
  variant: GraphVariant = cpuVariant,
): Promise<PreparedGraph> {
  const { architecture, precision } = weights
  const suffix = variantSuffix(variant, precision, ['target', 'attention', 'handed'])
  return prepareGraph(
    weights,
    `temporal-head.${sizeOf(weights, shape)}.t${shape.windowLength}${suffix}`,
    async (index) =>
      buildTemporalHead(
        architecture,
        index,
        shape,
        precision,
        variant,
        await temporalTables(weights, index, shape.windowLength),
      ),
  )
}

/** The temporal head for one new frame of each stream. */
export async function prepareStreamStep(
  weights: PreparedWeights,
  shape: StreamStepShape,
  variant: GraphVariant = cpuVariant,
): Promise<PreparedGraph> {
  const { architecture, precision } = weights
  const suffix = variantSuffix(variant, precision, ['target', 'attention', 'handed'])
  const stem = `stream-step.${sizeOf(weights, shape)}.s${shape.stateSlots}.n${shape.streams}${suffix}`
  return prepareGraph(weights, stem, (index) => buildStreamStep(architecture, index, shape, precision, variant))
}

/** From the temporal head's result to depth. */
export async function prepareDepthDecoder(
  weights: PreparedWeights,
  shape: DepthDecoderShape,
  variant: GraphVariant = cpuVariant,
): Promise<PreparedGraph> {
  const { architecture, precision } = weights
  const suffix = variantSuffix(variant, precision, ['handed'])
  return prepareGraph(weights, `depth-decoder.${sizeOf(weights, shape)}.b${shape.decoderBatch}${suffix}`, (index) =>
    buildDepthDecoder(architecture, index, shape, precision, variant),
  )
}

/** The three graphs of windowed inference. */
export interface PreparedGraphs {
  /** Paths. */
  readonly encoder: string
  readonly temporalHead: string
  readonly depthDecoder: string
  readonly architecture: Architecture
  readonly ports: { readonly encoder: GraphPorts; readonly temporalHead: GraphPorts; readonly depthDecoder: GraphPorts }
  /** All three were there already. */
  readonly cacheHit: boolean
}

export async function prepareGraphs(
  weights: PreparedWeights,
  shape: EncoderShape & TemporalHeadShape & DepthDecoderShape,
  variant: GraphVariant = cpuVariant,
): Promise<PreparedGraphs> {
  const encoder = await prepareEncoder(weights, shape, variant)
  const temporalHead = await prepareTemporalHead(weights, shape, variant)
  const depthDecoder = await prepareDepthDecoder(weights, shape, variant)
  return {
    encoder: encoder.path,
    temporalHead: temporalHead.path,
    depthDecoder: depthDecoder.path,
    architecture: weights.architecture,
    ports: { encoder: encoder.ports, temporalHead: temporalHead.ports, depthDecoder: depthDecoder.ports },
    cacheHit: encoder.cacheHit && temporalHead.cacheHit && depthDecoder.cacheHit,
  }
}

interface GridShape {
  /** Patches. */
  readonly rows: number
  readonly cols: number
}

function sizeOf({ precision }: PreparedWeights, { rows, cols }: GridShape): string {
  return `${precision}.${rows}x${cols}`
}

interface GraphRecord extends GraphPorts {
  /** Hash of the graph file, hex. */
  readonly sha256: string
}

async function prepareGraph(
  { folder, architecture, precision }: PreparedWeights,
  stem: string,
  build: (index: WeightsIndex) => GraphBuilder | Promise<GraphBuilder>,
): Promise<PreparedGraph> {
  const name = `${stem}.onnx`
  const file = path.join(folder, name)
  const known = await readGraphRecord(file)
  if (known !== undefined) return { path: file, ports: known, cacheHit: true }
  const graph = await build(weightsIndex(architecture, precision))
  const bytes = graph.serialize()
  const record: GraphRecord = { ...graph.ports(), sha256: sha256Of(bytes) }
  await openCacheFolder(folder)
  await writeAtomically(folder, name, (target) => target.writeFile(bytes))
  await writeAtomically(folder, `${name}.json`, (target) => target.writeFile(sealedText(record)))
  return { path: file, ports: graph.ports(), cacheHit: false }
}

/** The weights lie beside a graph, so that one takes a few hundred kilobytes. */
const mostGraphBytes = 256 * 1024 * 1024

/** @throws Error where the file is missing, or no graph of ours */
export function readGraph(file: string): Promise<Uint8Array> {
  return readWhole(file, mostGraphBytes)
}

async function readGraphRecord(file: string): Promise<GraphPorts | undefined> {
  const record = await readSealed<GraphRecord>(path.dirname(file), `${path.basename(file)}.json`)
  const bytes = await readGraph(file).catch(() => undefined)
  if (record === undefined || bytes === undefined || sha256Of(bytes) !== record.sha256) return undefined
  return { inputs: record.inputs, outputs: record.outputs }
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** [rows · cols, embedWidth] float32, read and resampled; undefined where the stored grid is used as it is. */
export async function encoderPositions(
  { folder, architecture }: PreparedWeights,
  index: WeightsIndex,
  { rows, cols }: GridShape,
): Promise<Float32Array | undefined> {
  const { gridSize, embedWidth } = architecture
  if (rows === gridSize && cols === gridSize) return undefined
  const table = await readWeight(path.join(folder, index.file), index, 'pretrained.positions')
  return resamplePositions(table, gridSize, embedWidth, rows, cols)
}

/**
 * [frames, C] float32 of the eight attentions by name, in the order in which they run; empty where the stored ones are
 * long enough.
 *
 * @throws VideoDepthError CHECKPOINT_MISMATCH where they cannot be extended
 */
export async function temporalTables(
  { folder, architecture }: PreparedWeights,
  index: WeightsIndex,
  frames: number,
): Promise<Map<string, Float32Array>> {
  const tables = new Map<string, Float32Array>()
  if (frames <= architecture.temporalLength) return tables
  for (const [i, width] of temporalChannels(architecture).entries()) {
    for (const attention of [0, 1]) {
      const module = `head.motion_modules.${i}.temporal_transformer`
      const name = `${module}.transformer_blocks.0.attention_blocks.${attention}.pos_encoder.pe`
      const stored = await readWeight(path.join(folder, index.file), index, name)
      tables.set(name, extendTemporalTable(stored, width, frames))
    }
  }
  return tables
}
