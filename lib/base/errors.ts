// Owns: the error class and the one wording for bad input.
// Must not know: where an error is raised or who shows it.

import { quoted, shown, shownPart } from './outside-text.js'

/** Stable, documented causes. A program branches on these; the message is for a person. */
export type ErrorCode =
  | 'INVALID_OPTION' // an option or argument outside its documented range
  | 'PACKAGE_DAMAGED' // a file that comes with this package cannot be read
  | 'ADDON_UNAVAILABLE' // the native addon, or a library with one (sharp, node-av), is missing or broken
  | 'CHECKPOINT_UNREADABLE' // not a checkpoint, truncated, or damaged
  | 'CHECKPOINT_FORBIDDEN' // a pickle that asks for more than a state_dict needs
  | 'CHECKPOINT_MISMATCH' // not Video Depth Anything's tensors, or several sets of them
  | 'WEIGHTS_NOT_FINITE' // NaN or infinity among the weights
  | 'CACHE_UNWRITABLE' // the graph cache cannot be written
  | 'ENGINE_FAILED' // the inference engine reported an error
  | 'ENGINE_CRASHED' // the engine's worker ended unexpectedly
  | 'GPU_UNAVAILABLE' // no NVIDIA GPU that can be used: no driver, too old a driver, no such device
  | 'GPU_OUT_OF_MEMORY' // the GPU has too little memory left; other engines go on
  | 'GPU_FAILED' // CUDA reported an error; where it lasts, every later call of that engine rejects with it
  | 'TENSORRT_UNAVAILABLE' // no TensorRT that can be used, or the addon was built without it
  | 'PLAN_FAILED' // TensorRT could not build or load a plan, or none agrees with float32
  | 'PRECISION_UNAVAILABLE' // this processor has no kernels for the precision
  | 'QUANTIZATION_REFUSED' // int8 does not agree with float32 for this checkpoint
  | 'CLOSED' // the object was closed
  | 'SOURCE_UNREADABLE' // a video or image that cannot be opened
  | 'SOURCE_EMPTY' // a source without a single frame
  | 'SOURCE_DAMAGED' // decoding failed after some frames
  | 'SOURCE_LOST' // a live source that went away and did not come back
  | 'FRAME_SIZE_CHANGED' // a frame of another size than the first
  | 'FRAME_INVALID' // a frame whose bytes do not fit its size, or too elongated for the network, or too large for a video
  | 'DEPTH_NOT_FINITE' // the network produced NaN or infinity
  | 'SNAPSHOT_MISMATCH' // a stream's snapshot that is damaged, of another version, or of another model
  | 'QUEUE_FULL' // more frames pushed into a stream than may wait
  | 'OUTPUT_UNWRITABLE' // an output cannot be created or written
  | 'OUTPUT_FULL' // no space left where the output goes
  | 'OUT_OF_MEMORY' // this process or machine has too little memory left for what was asked
  | 'OUT_OF_THREADS' // no further thread can be started: a limit of the process or the machine
  | 'TOO_MANY_OPEN_FILES' // a limit of the process or the machine; what was to be opened may be in order

/** The same in every copy of this package that a program loads: as an ES module, as CommonJS, or in two versions. */
const brand = Symbol.for('video-depth.VideoDepthError')

/**
 * Every error of this package. `instanceof` also holds between the package's ES modules and its CommonJS build. The message
 * is one line of at most about 2,000 characters; control characters of what it quotes are escaped.
 */
export class VideoDepthError extends Error {
  override readonly name = 'VideoDepthError'
  /** Where memory, files or threads were short, this tells that, whatever was being done. */
  readonly code: ErrorCode

  static {
    Object.defineProperty(this.prototype, brand, { value: true })
  }

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(shown(message), options)
    this.code = shortageOf(options?.cause) ?? code
  }

  /** True for an error of any copy of this package. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== VideoDepthError) return Function.prototype[Symbol.hasInstance].call(this, value) // a class derived from it
    return typeof value === 'object' && value !== null && brand in value
  }
}

const shortages: Readonly<Record<string, ErrorCode>> = {
  OUT_OF_MEMORY: 'OUT_OF_MEMORY',
  ENOMEM: 'OUT_OF_MEMORY',
  ERR_MEMORY_ALLOCATION_FAILED: 'OUT_OF_MEMORY',
  ERR_WORKER_OUT_OF_MEMORY: 'OUT_OF_MEMORY',
  OUT_OF_THREADS: 'OUT_OF_THREADS',
  ERR_WORKER_INIT_FAILED: 'OUT_OF_THREADS',
  TOO_MANY_OPEN_FILES: 'TOO_MANY_OPEN_FILES',
  EMFILE: 'TOO_MANY_OPEN_FILES',
  ENFILE: 'TOO_MANY_OPEN_FILES',
}

/** V8's, Node.js's, the C++ library's, FFmpeg's and libvips's words; none of them gives a code. */
const memoryWords =
  /^(Array buffer allocation failed|Invalid typed array length: |Invalid array buffer length)|Cannot allocate memory|Failed to allocate memory|bad_alloc|^vips\w*: out of memory/

/** What the system had too little of; undefined where an error is of something else. Memory of a GPU is none of this. */
export function shortageOf(error: unknown): ErrorCode | undefined {
  if (!(error instanceof Error)) return undefined
  const { code, message } = error as { readonly code?: unknown; readonly message: string }
  if (typeof code === 'string' && Object.hasOwn(shortages, code)) return shortages[code]
  return memoryWords.test(message) ? 'OUT_OF_MEMORY' : undefined
}

const callers = new WeakSet<object>()

/** Marks an error that the caller's own code threw, so that it reaches the caller as it is. */
export function callersOwn<T>(error: T): T {
  if (typeof error === 'object' && error !== null) callers.add(error)
  return error
}

/** The caller's function, whose errors are the caller's. */
export function callersFunction<A extends unknown[]>(call: (...values: A) => void): (...values: A) => void {
  return (...values) => {
    try {
      call(...values)
    } catch (error) {
      throw callersOwn(error)
    }
  }
}

/**
 * What leaves the package for `error`: itself where it is ours, the caller's or no Error at all, as only callers throw
 * such; otherwise a VideoDepthError, with `error` as its cause.
 *
 * @param doing begins the message
 */
export function owned(error: unknown, code: ErrorCode, doing: string): unknown {
  if (!(error instanceof Error) || error instanceof VideoDepthError || callers.has(error)) return error
  return new VideoDepthError(code, `${doing}: ${error.message}`, { cause: error })
}

/** The same for one more caller, with that one's stack. */
export function again(error: VideoDepthError): VideoDepthError {
  return new VideoDepthError(error.code, error.message, { cause: error })
}

/** The house's wording: *Expected <what> for <parameter>, received <value>*. */
export function expected(what: string, parameter: string, received: unknown): string {
  return `Expected ${what} for ${parameter}, received ${describe(received)}`
}

export function invalidOption(what: string, parameter: string, received: unknown): VideoDepthError {
  return new VideoDepthError('INVALID_OPTION', expected(what, parameter, received))
}

/** For options that need or exclude each other, as a person says it: *--stabilize needs --streaming*. */
export function optionConflict(sentence: string): VideoDepthError {
  return new VideoDepthError('INVALID_OPTION', sentence)
}

function describe(value: unknown): string {
  if (typeof value === 'string') return quoted(value)
  if (value === null || typeof value !== 'object') return shownPart(String(value))
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} of ${value.byteLength} bytes`
  const { constructor } = value as { constructor?: { name: string } } // none where the prototype is null
  return `an object of type ${shownPart(constructor?.name ?? 'Object')}`
}
