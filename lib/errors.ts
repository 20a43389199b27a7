// Owns: the error class and the one wording for bad input.
// Must not know: where an error is raised or who shows it.

/** Stable, documented causes. A program branches on these; the message is for a person. */
export type ErrorCode =
  | 'INVALID_OPTION' // an option or argument outside its documented range
  | 'ADDON_UNAVAILABLE' // the native addon, or a library with one (sharp, node-av, onnxruntime-node), is missing or broken
  | 'CHECKPOINT_UNREADABLE' // not a checkpoint, truncated, or damaged
  | 'CHECKPOINT_FORBIDDEN' // a pickle that asks for more than a state_dict needs
  | 'CHECKPOINT_MISMATCH' // tensors missing, surplus or misshapen for Video Depth Anything
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
  | 'FRAME_INVALID' // a frame whose bytes do not fit its size, or too elongated for the network
  | 'DEPTH_NOT_FINITE' // the network produced NaN or infinity
  | 'SNAPSHOT_MISMATCH' // a stream's snapshot that is damaged, of another version, or of another model
  | 'QUEUE_FULL' // more frames pushed into a stream than may wait
  | 'OUTPUT_UNWRITABLE' // an output cannot be created or written
  | 'OUTPUT_FULL' // no space left where the output goes

export class VideoDepthError extends Error {
  override readonly name = 'VideoDepthError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The house's wording: *Expected <what> for <parameter>, received <value>*. */
export function expected(what: string, parameter: string, received: unknown): string {
  return `Expected ${what} for ${parameter}, received ${describe(received)}`
}

export function invalidOption(what: string, parameter: string, received: unknown): VideoDepthError {
  return new VideoDepthError('INVALID_OPTION', expected(what, parameter, received))
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (value === null || typeof value !== 'object') return String(value)
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} of ${value.byteLength} bytes`
  const { constructor } = value as { constructor?: { name: string } } // none where the prototype is null
  return `an object of type ${constructor?.name ?? 'Object'}`
}
