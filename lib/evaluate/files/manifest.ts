// Owns: which files a data set's videos consist of, as a JSON manifest lists them.
// Must not know: how the files are read, what is measured.

import { dirname, join } from 'node:path'
import type { Matrix4 } from '../matrix4.js'
import type { Intrinsics } from '../temporal-alignment.js'
import { readText } from './side-file.js'
import { readError } from './unreadable.js'

export interface ManifestFrame {
  /** As it is written: predictions are called after it. */
  readonly image: string
  /** Paths of files, the manifest's folder included. */
  readonly truth: string
  /** Where 0 the truth does not count. */
  readonly valid: string | undefined
  /** Where 0 the frame is left out of the temporal alignment error. */
  readonly mask: string | undefined
  /** Optical flow to the next frame. */
  readonly flow: string | undefined
  /** Opacity of what is in front. */
  readonly matte: string | undefined
  /** What a stored value is divided by to give metres. */
  readonly factor: number
  readonly intrinsics: Intrinsics | undefined
  /** Camera to world. */
  readonly pose: Matrix4 | undefined
}

export interface ManifestVideo {
  readonly name: string
  readonly frames: readonly ManifestFrame[]
}

export interface Manifest {
  readonly dataset: string
  readonly videos: readonly ManifestVideo[]
}

/**
 * Reads what Video Depth Anything's benchmark calls `kitti_video.json` and so on: `{dataset: [{video: [{image, gt_depth,
 * factor, K?, pose?, mask?}]}]}`, paths relative to the manifest's folder, K 3×3 or 4×4, pose 4×4 from camera to world. Here a
 * frame may also name `valid` (where the truth counts), `flow` (to the next frame) and `matte` (opacity of what is in front), and
 * `factor` may be left out (1).
 *
 * @param dataset which of several; undefined: the only one
 * @throws VideoDepthError SOURCE_UNREADABLE saying where it is not so
 */
export async function readManifest(path: string, dataset?: string): Promise<Manifest> {
  try {
    const root: unknown = JSON.parse(await readText(path))
    const sets = entries(root, 'an object of data sets')
    const names = sets.map(([name]) => name)
    const chosen = dataset ?? (names.length === 1 ? names[0] : undefined)
    const [name, found] = sets.find(([each]) => each === chosen) ?? []
    if (name === undefined)
      throw new Error(`expected ${chosen ?? 'one data set'}, found ${names.slice(0, 20).join(', ') || 'none'}`)
    const folder = dirname(path)
    const videos = list(found, name).flatMap((group) =>
      entries(group, `an object of videos in ${name}`).map(([video, frames]) => ({
        name: video,
        frames: list(frames, video).map((frame, i) => parseFrame(frame, `${video}, frame ${i}`, folder)),
      })),
    )
    return { dataset: name, videos }
  } catch (cause) {
    throw readError(path, cause)
  }
}

function parseFrame(value: unknown, at: string, folder: string): ManifestFrame {
  const frame = Object.fromEntries(entries(value, `an object for ${at}`))
  const { factor, K, pose } = frame
  const file = (name: string): string | undefined => {
    const text = frame[name]
    if (text === undefined) return undefined
    if (typeof text === 'string') return join(folder, text)
    throw new Error(`expected a path for ${name} of ${at}, found ${shown(text)}`)
  }
  const truth = file('gt_depth')
  if (typeof frame['image'] !== 'string' || truth === undefined)
    throw new Error(`expected image and gt_depth for ${at}, found ${Object.keys(frame).slice(0, 20).join(', ')}`)
  if (factor !== undefined && !(typeof factor === 'number' && factor > 0 && factor < Infinity))
    throw new Error(`expected a positive number for factor of ${at}, found ${shown(factor)}`)
  return {
    image: frame['image'],
    truth,
    valid: file('valid'),
    mask: file('mask'),
    flow: file('flow'),
    matte: file('matte'),
    factor: factor ?? 1,
    intrinsics: K === undefined ? undefined : intrinsicsOf(rows(K, 3, `K of ${at}`)),
    pose: pose === undefined ? undefined : rows(pose, 4, `pose of ${at}`),
  }
}

const intrinsicsOf = (k: Matrix4): Intrinsics => ({
  fx: k[0]?.[0] as number,
  fy: k[1]?.[1] as number,
  cx: k[0]?.[2] as number,
  cy: k[1]?.[2] as number,
})

function rows(value: unknown, least: number, at: string): number[][] {
  const isRow = (row: unknown): row is number[] =>
    Array.isArray(row) && row.length >= least && row.every(Number.isFinite)
  if (Array.isArray(value) && value.length >= least && value.every(isRow)) return value
  throw new Error(`expected ${least} rows of ${least} numbers for ${at}, found ${shown(value)}`)
}

function entries(value: unknown, what: string): [string, unknown][] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return Object.entries(value)
  throw new Error(`expected ${what}, found ${shown(value)}`)
}

function list(value: unknown, at: string): unknown[] {
  if (Array.isArray(value)) return value
  throw new Error(`expected a list for ${at}, found ${shown(value)}`)
}

/** A list's or an object's own text could be long, or nested too deeply to be written. */
function shown(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return `a list of ${value.length}`
  return typeof value === 'object' && value !== null ? 'an object' : JSON.stringify(value).slice(0, 40)
}
