// Owns: the options that a model is loaded with, their defaults and their checks.
// Must not know: what the options do.

import { invalidOption, optionConflict } from '../base/errors.js'
import {
  checkCallback,
  checkSignal,
  checkWhole,
  known,
  oneOf,
  type Checked,
  type Names,
} from '../base/known-options.js'
import { defaultThreads } from '../base/threads.js'
import { patchSize } from '../prepare/checkpoint/input-size.js'
import type { LoadProgress } from './engine.js'

const mostThreads = 256

export const backendChoices = ['auto', 'cpu', 'tensorrt'] as const

/**
 * Which engine to take: see `LoadOptions.backend`.
 *
 * @useDeclaredType
 */
export type BackendChoice = (typeof backendChoices)[number]

export const precisions = ['fp16', 'fp32', 'int8'] as const

/**
 * Arithmetic of an engine: see `LoadOptions.precision`.
 *
 * @useDeclaredType
 */
export type Precision = (typeof precisions)[number]

export const streamBatches = [1, 2, 4, 8] as const

/**
 * Frames of different streams that a GPU computes together: see `LoadOptions.streamBatch`.
 *
 * @useDeclaredType
 */
export type StreamBatch = (typeof streamBatches)[number]

const mostDevices = 1024
const mostBatchDelayMs = 100

/** What `VideoDepth.load` takes. Only `checkpoint` is required. */
export interface LoadOptions {
  /** Path of a Video Depth Anything checkpoint: `.pth` as published, or `.safetensors`. */
  readonly checkpoint: string
  /**
   * Pixels of the frame's shorter side as the network sees it; rounded to a multiple of 14. Default: the recipe's; 518,
   * upstream's, for the published checkpoints.
   * Cost grows with its square, attention's with the fourth power.
   */
  readonly inputSize?: number
  /**
   * Under which key of the file the weights lie, or its last parts: `ema`, `state_dict.model`; `.` for those under none.
   * Needed where the file holds several sets, as training scripts save averaged weights beside the last ones; the error
   * names the keys.
   */
  readonly weightsKey?: string
  /**
   * The checkpoint is a metric one: depth in metres, windows not fitted to each other. Default false. A published file that
   * is known to be of the other kind is refused (INVALID_OPTION); of another one whose name says so, `onWarning` is told.
   */
  readonly metric?: boolean
  /**
   * `tensorrt` needs an NVIDIA GPU and TensorRT 10.3 or later. `auto` (default) takes it where `load` can open it, otherwise
   * `cpu`, and says why in `engineInfo.fallback`; after `load` it never changes.
   */
  readonly backend?: BackendChoice
  /**
   * Arithmetic of the engine. `fp16`: TensorRT's alone, and its default; each plan is compared with float32 after it was
   * built, and slower arithmetic taken where it does not agree. `fp32`: float32 throughout; the CPU's default. `int8`: the
   * CPU's alone, faster and less exact, products with weights in 8-bit integers, on the addon's own kernels
   * (otherwise PRECISION_UNAVAILABLE). The first load compares it with float32 on a short clip, which takes seconds, and
   * refuses it where depth is off by more than 2 % (QUANTIZATION_REFUSED). With `auto` no GPU is looked for.
   */
  readonly precision?: Precision
  /** Which GPU, by CUDA's index. Default 0. One that is named and cannot be used is an error, also with `auto`. */
  readonly device?: number
  /** Folder, or folders, searched for TensorRT's libraries before the system's places. */
  readonly tensorrtPath?: string | readonly string[]
  /**
   * Frames of different streams that the GPU computes together: 1 (default), 2, 4 or 8. More takes memory and minutes of
   * building for each, and gives more frames a second with several streams.
   */
  readonly streamBatch?: StreamBatch
  /** Milliseconds, 0…100, that a frame waits for other streams' frames to join it; only with a streamBatch above 1. Default 2. */
  readonly batchDelayMs?: number
  /**
   * Where converted weights, graphs and plans are kept. Default `$XDG_CACHE_HOME/video-depth`, or the system's cache folder.
   * Plans are code: those that do not belong to this user, or that others may write, are built anew.
   */
  readonly cacheDir?: string
  /**
   * Processor threads, 1…256. Default: as many as the processors that the process may run on, or, where that is less, as its
   * container's CPU quota pays for, rounded up.
   */
  readonly threads?: number
  /** Stops loading; `load` rejects with its reason. A cache that was being written is removed. */
  readonly signal?: AbortSignal
  /** Called while a checkpoint is converted or graphs are made; also before the first frame of a new size. */
  readonly onProgress?: (progress: LoadProgress) => void
  /** Told what makes the depth doubtful, a sentence each. Default: `process.emitWarning`. */
  readonly onWarning?: (message: string) => void
}

/**
 * What is undefined is decided later: `inputSize` by the recipe, `precision` by the backend; without a `device` it is the first
 * one, and `auto` may do without.
 */
export interface CheckedLoadOptions extends Omit<
  Checked<LoadOptions, 'checkpoint' | 'metric' | 'backend' | 'streamBatch' | 'batchDelayMs' | 'threads' | 'onWarning'>,
  'tensorrtPath'
> {
  readonly tensorrtPath: readonly string[]
}

/** @throws VideoDepthError INVALID_OPTION naming the option, what it may be, and what came */
export function checkLoadOptions(options: LoadOptions): CheckedLoadOptions {
  known(options, 'options', loadOptionNames)
  const { checkpoint, inputSize, weightsKey, metric = false, backend = 'auto', precision } = options
  const gpu = checkGpuOptions(options, backend, precision)
  const { cacheDir, threads = Math.min(mostThreads, defaultThreads()), signal, onProgress, onWarning } = options
  if (typeof checkpoint !== 'string' || checkpoint === '') throw invalidOption('a file path', 'checkpoint', checkpoint)
  if (inputSize !== undefined) checkWhole(inputSize, 'inputSize', patchSize, 4096)
  if (weightsKey !== undefined && (typeof weightsKey !== 'string' || weightsKey === ''))
    throw invalidOption('a key of the checkpoint', 'weightsKey', weightsKey)
  if (typeof metric !== 'boolean') throw invalidOption('true or false', 'metric', metric)
  oneOf(backend, 'backend', backendChoices)
  if (precision !== undefined) oneOf(precision, 'precision', precisions)
  if (backend === 'cpu' && precision === 'fp16')
    throw optionConflict("precision 'fp16' needs backend 'tensorrt' or 'auto'")
  if (backend === 'tensorrt' && precision === 'int8')
    throw optionConflict("precision 'int8' needs backend 'cpu' or 'auto'")
  if (cacheDir !== undefined && (typeof cacheDir !== 'string' || cacheDir === '')) {
    throw invalidOption('a folder path', 'cacheDir', cacheDir)
  }
  checkWhole(threads, 'threads', 1, mostThreads)
  checkSignal(signal)
  const callbacks = {
    onProgress: checkCallback(onProgress, 'onProgress'),
    onWarning: checkCallback(onWarning, 'onWarning') ?? emitWarning,
  }
  const ofFile = { checkpoint, weightsKey, metric }
  return { ...ofFile, inputSize, backend, precision, ...gpu, cacheDir, threads, signal, ...callbacks }
}

function emitWarning(message: string): void {
  process.emitWarning(message, 'VideoDepthWarning')
}

type GpuOptions = Pick<CheckedLoadOptions, 'device' | 'tensorrtPath' | 'streamBatch' | 'batchDelayMs'>

/** What only a GPU has a use for is refused where none may be used. */
function checkGpuOptions(options: LoadOptions, backend: BackendChoice, precision: Precision | undefined): GpuOptions {
  const { device, tensorrtPath = [], streamBatch = 1, batchDelayMs = 2 } = options
  const names = ['device', 'tensorrtPath', 'streamBatch', 'batchDelayMs'] as const
  const given = names.find((name) => options[name] !== undefined)
  if (backend === 'cpu' && given !== undefined)
    throw optionConflict(`${given} has no effect with backend 'cpu': remove it`)
  if (precision === 'int8' && given !== undefined)
    throw optionConflict(`${given} has no effect with precision 'int8', which runs on processors: remove it`)
  if (device !== undefined) checkWhole(device, 'device', 0, mostDevices - 1)
  const folders = typeof tensorrtPath === 'string' ? [tensorrtPath] : tensorrtPath
  if (!Array.isArray(folders) || !folders.every((folder) => typeof folder === 'string' && folder !== ''))
    throw invalidOption('a folder, or a list of folders', 'tensorrtPath', tensorrtPath)
  oneOf(streamBatch, 'streamBatch', streamBatches)
  if (options.batchDelayMs !== undefined && streamBatch === 1)
    throw optionConflict('batchDelayMs needs streamBatch 2, 4 or 8')
  if (typeof batchDelayMs !== 'number' || !(batchDelayMs >= 0 && batchDelayMs <= mostBatchDelayMs))
    throw invalidOption(`a number of milliseconds from 0 to ${mostBatchDelayMs}`, 'batchDelayMs', batchDelayMs)
  return { device, tensorrtPath: folders, streamBatch, batchDelayMs }
}

const loadOptionNames: Names<LoadOptions> = {
  checkpoint: true,
  inputSize: true,
  weightsKey: true,
  metric: true,
  backend: true,
  precision: true,
  device: true,
  tensorrtPath: true,
  streamBatch: true,
  batchDelayMs: true,
  cacheDir: true,
  threads: true,
  signal: true,
  onProgress: true,
  onWarning: true,
}
