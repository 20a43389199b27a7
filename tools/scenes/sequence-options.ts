// Owns: what a clip of rendered scenes may be asked for, its defaults and checks.
// Must not know: how a picture is drawn.

import { invalidOption } from '../../dist/esm/base/errors.js'
import { checkWhole, known, type Names } from '../../dist/esm/base/known-options.js'

export interface SequenceOptions {
  /** 0…2³²−1. The same seed gives the same clip. */
  readonly seed: number
  /** 1…2³¹−1 */
  readonly frames: number
  /** Frames per second, above 0. */
  readonly frameRate: number
  /** Pixels, 1…4096. */
  readonly width: number
  readonly height: number
  /** A name of `sceneKinds()`. Default `courtyard`. */
  readonly kind?: string
  /** Another scene of this kind (a seed of its own) from every so-many-th frame on, 1…2³¹−1. Default: one scene. */
  readonly cutEvery?: number
  /** Four samples of colour a pixel. Default true. Depth, flow and bodies are always the pixel centre's. */
  readonly antialias?: boolean
  /** Share of the time between frames that the shutter is open, 0…1: motion blur. Default 0. Costs five pictures. */
  readonly shutter?: number
  /** Sensor noise: standard deviation in the middle greys, 0…255. Default 0. */
  readonly noise?: number
  /** Default false. */
  readonly flow?: boolean
  /** Time of the first frame, seconds into the scene, 0…10⁶; the clip ends before 10⁶. Default 0. */
  readonly startSeconds?: number
  /** The camera stays where it is in the first frame; what else moves goes on. Default false. */
  readonly stillCamera?: boolean
}

export type CheckedSequence = Required<Omit<SequenceOptions, 'cutEvery'>> & { readonly cutEvery: number | undefined }

/** What the addon takes, in pixels and in seconds. */
const [mostPixels, mostSeconds] = [4096, 1e6]
const mostFrames = 2 ** 31 - 1
const mostNoise = 255

const names: Names<SequenceOptions> = {
  seed: true,
  frames: true,
  frameRate: true,
  width: true,
  height: true,
  kind: true,
  cutEvery: true,
  antialias: true,
  shutter: true,
  noise: true,
  flow: true,
  startSeconds: true,
  stillCamera: true,
}

/** The kind's name is left to `kindIndex`. @throws VideoDepthError INVALID_OPTION */
export function checkSequence(options: SequenceOptions): CheckedSequence {
  known(options, 'options', names)
  const { seed, frames, frameRate, width, height, kind = 'courtyard', cutEvery } = options
  const { antialias = true, shutter = 0, noise = 0, flow = false, startSeconds = 0, stillCamera = false } = options
  checkWhole(seed, 'seed', 0, 2 ** 32 - 1)
  checkWhole(frames, 'frames', 1, mostFrames)
  checkWhole(width, 'width', 1, mostPixels)
  checkWhole(height, 'height', 1, mostPixels)
  if (cutEvery !== undefined) checkWhole(cutEvery, 'cutEvery', 1, mostFrames)
  checkBoolean(antialias, 'antialias')
  checkBoolean(flow, 'flow')
  checkBoolean(stillCamera, 'stillCamera')
  checkNumber(shutter, 'shutter', 1)
  checkNumber(noise, 'noise', mostNoise)
  checkNumber(startSeconds, 'startSeconds', mostSeconds)
  if (!(Number.isFinite(frameRate) && frameRate > 0 && startSeconds + frames / frameRate <= mostSeconds))
    throw invalidOption('a number above 0 with which the clip ends within 1000000 seconds', 'frameRate', frameRate)
  return {
    seed,
    frames,
    frameRate,
    width,
    height,
    kind,
    cutEvery,
    antialias,
    shutter,
    noise,
    flow,
    startSeconds,
    stillCamera,
  }
}

function checkBoolean(value: unknown, parameter: string): void {
  if (typeof value !== 'boolean') throw invalidOption('true or false', parameter, value)
}

function checkNumber(value: unknown, parameter: string, most: number): void {
  if (typeof value === 'number' && value >= 0 && value <= most) return
  throw invalidOption(`a number from 0 to ${most}`, parameter, value)
}
