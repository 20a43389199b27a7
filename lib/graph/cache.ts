// Owns: turning a checkpoint into a weights file and graphs, once, and finding them again.
// Must not know: engines, videos, window plans.

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { VideoDepthError } from '../errors.js'
import { checkpointArchitecture, completeArchitecture, type Architecture } from '../model/architecture.js'
import { openCheckpoint } from '../model/checkpoint.js'
import { temporalChannels } from '../model/layout.js'
import { emitterVersion, type GraphBuilder } from './builder.js'
import { defaultCacheDir, openCacheFolder, writeAtomically } from './cache-folder.js'
import { buildDepthDecoder, type DepthDecoderShape } from './depth-decoder.js'
import { buildEncoder, type EncoderShape } from './encoder.js'
import { checkpointRecord, fileHash, fileIdentity, sameIdentity } from './file-hash.js'
import { readManifest, writeManifest } from './manifest.js'
import { extendTemporalTable, resamplePositions } from './position-tables.js'
import { buildTemporalHead, type TemporalHeadShape } from './temporal-head.js'
import { readWeight, weightsIndex, writeWeights, type WeightsIndex } from './weights-file.js'
import type { Precision } from './weights.js'

export interface PrepareProgress {
  /** `hash` is told for the checkpoint, then for weights that were converted before; not for a file known as it is. */
  readonly phase: 'hash' | 'convert' | 'graphs'
  /** 0…1 within the phase. */
  readonly fraction: number
}

export interface PrepareWeightsOptions {
  /** Path of a `.pth` or `.safetensors` file. */
  readonly checkpoint: string
  /** Default: {@link defaultCacheDir}. */
  readonly cacheDir?: string
  readonly precision: Precision
  /** Overrides the recipe's taps. */
  readonly taps?: readonly number[]
  /** Looked at between tensors; rejects with its reason, and what was being written is removed. */
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: PrepareProgress) => void
}

/** Plain data. */
export interface PreparedWeights {
  /** Holds the weights file and all graphs of this checkpoint. */
  readonly folder: string
  /** Of the checkpoint file, hex. */
  readonly sha256: string
  readonly architecture: Architecture
  readonly precision: Precision
  /** The checkpoint was not converted now. */
  readonly cacheHit: boolean
}

export interface GraphShape extends EncoderShape, TemporalHeadShape, DepthDecoderShape {}

export interface PrepareGraphsOptions extends GraphShape {
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: PrepareProgress) => void
}

export interface GraphPorts {
  /** Shapes by name. */
  readonly inputs: Readonly<Record<string, readonly number[]>>
  readonly outputs: Readonly<Record<string, readonly number[]>>
}

export interface PreparedGraphs {
  /** Paths of ONNX files; their weights lie in the same folder. */
  readonly encoder: string
  readonly temporalHead: string
  readonly depthDecoder: string
  readonly architecture: Architecture
  readonly ports: { readonly encoder: GraphPorts; readonly temporalHead: GraphPorts; readonly depthDecoder: GraphPorts }
  /** All three were there already. */
  readonly cacheHit: boolean
}

/**
 * Validates the checkpoint and converts its weights, or finds them in the cache: by the file's SHA-256, which is
 * itself remembered by path, size, time and inode. Memory beyond this call's own: a few of the largest tensors.
 *
 * @throws VideoDepthError CHECKPOINT_…, WEIGHTS_NOT_FINITE, CACHE_UNWRITABLE, INVALID_OPTION for taps
 */
export async function prepareWeights(options: PrepareWeightsOptions): Promise<PreparedWeights> {
  const { checkpoint, precision, taps, signal, onProgress } = options
  signal?.throwIfAborted()
  const cacheDir = path.resolve(options.cacheDir ?? defaultCacheDir())
  const identity = await fileIdentity(checkpoint)
  const hashing = { signal, onProgress: (fraction: number) => onProgress?.({ phase: 'hash', fraction }) }
  const sha256 = await fileHash(identity, checkpointRecord(cacheDir, identity), hashing)
  const folder = path.join(cacheDir, 'models', `${sha256.slice(0, 32)}-v${emitterVersion}`)
  const known = await readManifest(folder, precision, hashing)
  if (known !== undefined) {
    await openCacheFolder(folder).catch(() => undefined) // only to tidy up: a read-only cache serves hits too
    return { folder, sha256, architecture: completeArchitecture(known, tapsOption(taps)), precision, cacheHit: true }
  }
  const { architecture, weightsSha256 } = await convert(options, folder)
  if (!sameIdentity(identity, await fileIdentity(checkpoint))) {
    throw new VideoDepthError(
      'CHECKPOINT_UNREADABLE',
      `Checkpoint ${checkpoint} was changed while it was read; try again`,
    )
  }
  await writeManifest(folder, precision, architecture, weightsSha256)
  return { folder, sha256, architecture, precision, cacheHit: false }
}

function tapsOption(taps: readonly number[] | undefined): { taps?: readonly number[] } {
  return taps === undefined ? {} : { taps }
}

async function convert(
  { checkpoint: file, precision, taps, signal, onProgress }: PrepareWeightsOptions,
  folder: string,
): Promise<{ architecture: Architecture; weightsSha256: string }> {
  const checkpoint = await openCheckpoint(file)
  try {
    const architecture = checkpointArchitecture(checkpoint, tapsOption(taps))
    const { file: name } = weightsIndex(architecture, precision)
    await openCacheFolder(folder)
    let weightsSha256 = ''
    await writeAtomically(folder, name, async (target) => {
      weightsSha256 = await writeWeights(target, checkpoint, architecture, precision, {
        signal,
        onProgress: (fraction) => onProgress?.({ phase: 'convert', fraction }),
      })
    })
    return { architecture, weightsSha256 }
  } finally {
    await checkpoint.close()
  }
}

/** Writes the three graphs for one resolution and window length, or finds them. */
export async function prepareGraphs(weights: PreparedWeights, options: PrepareGraphsOptions): Promise<PreparedGraphs> {
  const { signal, onProgress } = options
  const { architecture, precision } = weights
  const { rows, cols, encoderBatch, decoderBatch, windowLength } = options
  const index = weightsIndex(architecture, precision)
  const size = `${precision}.${rows}x${cols}`
  const taps = `taps${architecture.taps.join('-')}${options.tapOutputs === true ? '-out' : ''}`
  let done = 0
  const prepare = async (name: string, build: () => Promise<GraphBuilder>): Promise<PreparedGraph> => {
    signal?.throwIfAborted()
    const prepared = await prepareGraph(weights.folder, name, build)
    onProgress?.({ phase: 'graphs', fraction: ++done / 3 })
    return prepared
  }
  const encoder = await prepare(`encoder.${size}.b${encoderBatch}.${taps}.onnx`, async () =>
    buildEncoder(architecture, index, options, precision, await encoderPositions(weights, index, rows, cols)),
  )
  const temporalHead = await prepare(`temporal-head.${size}.t${windowLength}.onnx`, async () =>
    buildTemporalHead(architecture, index, options, precision, await temporalTables(weights, index, windowLength)),
  )
  const depthDecoder = await prepare(`depth-decoder.${size}.b${decoderBatch}.onnx`, () =>
    Promise.resolve(buildDepthDecoder(architecture, index, options, precision)),
  )
  return {
    encoder: encoder.path,
    temporalHead: temporalHead.path,
    depthDecoder: depthDecoder.path,
    architecture,
    ports: { encoder: encoder.ports, temporalHead: temporalHead.ports, depthDecoder: depthDecoder.ports },
    cacheHit: encoder.cacheHit && temporalHead.cacheHit && depthDecoder.cacheHit,
  }
}

interface PreparedGraph {
  readonly path: string
  readonly ports: GraphPorts
  readonly cacheHit: boolean
}

interface GraphRecord extends GraphPorts {
  /** Of the graph file, hex. */
  readonly sha256: string
}

async function prepareGraph(folder: string, name: string, build: () => Promise<GraphBuilder>): Promise<PreparedGraph> {
  const file = path.join(folder, name)
  const known = await readGraphRecord(file)
  if (known !== undefined) return { path: file, ports: known, cacheHit: true }
  const graph = await build()
  const bytes = graph.serialize()
  const record: GraphRecord = { ...graph.ports(), sha256: sha256Of(bytes) }
  await openCacheFolder(folder)
  await writeAtomically(folder, name, (target) => target.writeFile(bytes))
  await writeAtomically(folder, `${name}.json`, (target) => target.writeFile(JSON.stringify(record)))
  return { path: file, ports: graph.ports(), cacheHit: false }
}

async function readGraphRecord(file: string): Promise<GraphPorts | undefined> {
  try {
    const { sha256, inputs, outputs } = JSON.parse(await readFile(`${file}.json`, 'utf8')) as GraphRecord
    return sha256Of(await readFile(file)) === sha256 ? { inputs, outputs } : undefined
  } catch {
    return undefined
  }
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Undefined where the stored grid is used as it is. */
async function encoderPositions(
  { folder, architecture }: PreparedWeights,
  index: WeightsIndex,
  rows: number,
  cols: number,
): Promise<Float32Array | undefined> {
  const { gridSize, embedWidth } = architecture
  if (rows === gridSize && cols === gridSize) return undefined
  const table = await readWeight(path.join(folder, index.file), index, 'pretrained.positions')
  return resamplePositions(table, gridSize, embedWidth, rows, cols)
}

/** Empty where the stored tables are long enough. */
async function temporalTables(
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
