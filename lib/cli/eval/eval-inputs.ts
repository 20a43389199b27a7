// Owns: which predictions and truths belong together, frame by frame.
// Must not know: file formats, measures, how results are shown.

import { counted } from '../../base/counted.js'
import { access } from 'node:fs/promises'
import path from 'node:path'
import { invalidOption } from '../../base/errors.js'
import type { Crop } from '../../evaluate/evaluation-options.js'
import { cropped, type Plane } from '../../evaluate/plane.js'
import type { EvaluationFrame } from '../../evaluate/video-evaluation.js'
import type { DepthKind } from '../../base/frame.js'
import { describedSequence, fileSequence } from '../../evaluate/files/depth-folder.js'
import { depthExtensions, readDepthImage, readOpacity } from '../../evaluate/files/depth-image.js'
import type { DepthSequence } from '../../evaluate/files/depth-sequence.js'
import { readFlow } from '../../evaluate/files/flow.js'
import { readManifest, type ManifestFrame, type ManifestVideo } from '../../evaluate/files/manifest.js'
import { openDepth, stackExtensions } from '../../evaluate/files/open-depth.js'
import { unreadable } from '../../evaluate/files/unreadable.js'
import type { EvalArguments, EvalSettings } from './eval-options.js'

export interface EvalVideo {
  readonly name: string
  /** What the prediction is by its files; undefined where they do not say. */
  readonly kind: DepthKind | undefined
  /** Whether the truth, or an option, says what the truth is. */
  readonly isTruthSure: boolean
  /** Whether every frame has a pose and intrinsics. */
  readonly hasPoses: boolean
  /** Whether every frame but the last has flow. */
  readonly hasFlow: boolean
  /** Whether every frame has a matte. */
  readonly hasMattes: boolean
  readonly length: number
  /** In order; may be called again. */
  frames(): AsyncIterable<EvaluationFrame>
}

/** @throws VideoDepthError SOURCE_UNREADABLE, INVALID_OPTION */
export async function evalVideos(
  prediction: string,
  options: EvalArguments,
  settings: EvalSettings,
): Promise<EvalVideo[]> {
  const { protocol } = settings
  if (options.truth !== undefined) return [await singleVideo(prediction, options.truth, options, settings)]
  const { dataset, videos } = await readManifest(options.manifest ?? '', protocol?.dataset)
  const chosen = videos.slice(0, protocol?.videos)
  if (chosen.length === 0) throw unreadable(options.manifest ?? '', `expected videos in ${dataset}, found none`)
  const opened: EvalVideo[] = []
  for (const video of chosen) {
    const root = path.join(prediction, dataset)
    const isDirect = chosen.length === 1 && !(await exists(root))
    opened.push(await manifestVideo(video, isDirect ? prediction : root, isDirect, options, settings))
  }
  return opened
}

/**
 * What files and option say together; undefined where neither does.
 *
 * @throws VideoDepthError INVALID_OPTION where they contradict each other
 */
export function statedKind(
  whose: 'prediction' | 'truth',
  option: string,
  byFiles: DepthKind | undefined,
  byOption: DepthKind | undefined,
): DepthKind | undefined {
  if (byFiles !== undefined && byOption !== undefined && byFiles !== byOption)
    throw invalidOption(`'${byFiles}', as the ${whose}'s files say,`, option, byOption)
  return byOption ?? byFiles
}

async function singleVideo(
  prediction: string,
  truthPath: string,
  options: EvalArguments,
  settings: EvalSettings,
): Promise<EvalVideo> {
  const [predicted, truth] = [await openDepth(prediction), await openDepth(truthPath)]
  const [from, to] = range(settings, truth.length)
  checkLength(predicted, truth.length, to, 'the truth')
  const stated = statedKind('truth', '--truth-kind', truth.kind, options.truthKind)
  const truthKind = stated ?? 'metric'
  async function* frames(): AsyncGenerator<EvaluationFrame> {
    for await (const [shown, real] of together(predicted.frames(from, to), truth.frames(from, to)))
      yield { prediction: scaled(shown, options), truth: metres(real, options.factor ?? 1, truthKind) }
  }
  const name = path.parse(prediction).name
  return {
    name,
    kind: predicted.kind,
    isTruthSure: stated !== undefined,
    hasPoses: false,
    hasFlow: false,
    hasMattes: false,
    length: to - from,
    frames,
  }
}

async function manifestVideo(
  video: ManifestVideo,
  predictions: string,
  isDirect: boolean,
  options: EvalArguments,
  settings: EvalSettings,
): Promise<EvalVideo> {
  const [from, to] = range(settings, video.frames.length)
  const { sequence, present } = await predictionOf(video, predictions, isDirect, [from, to], options)
  const listed = present.map((index) => video.frames[index] as ManifestFrame)
  const truth = fileSequence(
    video.name,
    listed.map((frame) => frame.truth),
  )
  async function* frames(): AsyncGenerator<EvaluationFrame> {
    let index = 0
    const all = together(sequence.frames(0, sequence.length), truth.frames(0, truth.length))
    for await (const [shown, real] of all) {
      const frame = listed[index++] as ManifestFrame
      const { pose, intrinsics } = frame
      const rest = await besides(frame, settings.depth.crop, index < listed.length)
      yield {
        prediction: scaled(shown, options),
        truth: metres(real, frame.factor, 'metric'),
        pose,
        intrinsics,
        ...rest,
      }
    }
  }
  const hasPoses = listed.every(({ pose, intrinsics }) => pose !== undefined && intrinsics !== undefined)
  const hasFlow = listed.slice(0, -1).every(({ flow }) => flow !== undefined) && listed.length > 1
  const hasMattes = listed.every(({ matte }) => matte !== undefined)
  return {
    name: video.name,
    kind: sequence.kind,
    isTruthSure: true,
    hasPoses,
    hasFlow,
    hasMattes,
    length: listed.length,
    frames,
  }
}

interface Predicted {
  /** The frames that are present. */
  readonly sequence: DepthSequence
  /** Positions in the video. */
  readonly present: readonly number[]
}

/** A file for each image as upstream writes them, or one file or folder called after the video. */
async function predictionOf(
  { name, frames }: ManifestVideo,
  root: string,
  isDirect: boolean,
  [from, to]: readonly [number, number],
  { skipMissing }: EvalArguments,
): Promise<Predicted> {
  const wanted = Array.from({ length: to - from }, (_, i) => from + i)
  const extension = isDirect ? undefined : await extensionOf(frames.slice(from, to), root, skipMissing)
  if (extension !== undefined) {
    const file = (index: number): string => replaced(path.join(root, frames[index]?.image ?? ''), extension)
    const found = await Promise.all(wanted.map((index) => exists(file(index))))
    const missing = wanted.find((_, i) => found[i] === false)
    if (missing !== undefined && !skipMissing)
      throw unreadable(file(missing), `it is missing, the prediction of frame ${missing} of ${name}`)
    const present = wanted.filter((_, i) => found[i])
    return { sequence: await describedSequence(root, present.map(file)), present }
  }
  const whole = isDirect
    ? await openDepth(root)
    : await openDepth(await wholeVideo(path.join(root, name), frames, root))
  checkLength(whole, frames.length, to, name)
  const sequence = { ...whole, length: to - from, frames: () => whole.frames(from, to) }
  return { sequence, present: wanted }
}

/** The ending of the per-image predictions: the first frame's, or any frame's where some may be missing. */
async function extensionOf(
  frames: readonly ManifestFrame[],
  root: string,
  anyOfThem: boolean,
): Promise<string | undefined> {
  for (const { image } of anyOfThem ? frames : frames.slice(0, 1))
    for (const extension of ['.npy', ...depthExtensions])
      if (await exists(replaced(path.join(root, image), extension))) return extension
  return undefined
}

async function wholeVideo(base: string, frames: readonly ManifestFrame[], root: string): Promise<string> {
  const endings = [...stackExtensions, ...stackExtensions.map((extension) => `_depths${extension}`), '_png16', '']
  for (const ending of endings) if (await exists(base + ending)) return base + ending
  const perImage = replaced(path.join(root, frames[0]?.image ?? ''), '.npy')
  throw unreadable(
    base,
    `expected predictions there (${endings.filter(Boolean).join(', ')}, a folder) or at ${perImage} and so on`,
  )
}

const replaced = (file: string, extension: string): string =>
  file.slice(0, -path.extname(file).length || undefined) + extension

async function besides(
  frame: ManifestFrame,
  crop: Crop | undefined,
  hasNext: boolean,
): Promise<Partial<EvaluationFrame>> {
  const { valid, mask, flow, matte } = frame
  return {
    ...(valid !== undefined && { mask: asMask(await readDepthImage(valid)) }),
    ...(mask !== undefined && { staticMask: cropped(asMask(await readDepthImage(mask)), crop).data }),
    ...(flow !== undefined && hasNext && { flow: await croppedFlow(flow, crop) }),
    ...(matte !== undefined && { matte: cropped(await readOpacity(matte), crop).data }),
  }
}

const asMask = ({ data, width, height }: Plane): Plane<Uint8Array> => ({
  data: Uint8Array.from(data, (value) => (value > 0 ? 1 : 0)),
  width,
  height,
})

async function croppedFlow(file: string, crop: Crop | undefined): Promise<Float32Array> {
  const { data, width, height } = await readFlow(file)
  const part = (offset: number): Float32Array =>
    cropped({ data: data.filter((_, i) => i % 2 === offset), width, height }, crop).data
  const [dx, dy] = [part(0), part(1)]
  return Float32Array.from({ length: 2 * dx.length }, (_, i) => (i % 2 === 0 ? dx : dy)[i >> 1] as number)
}

function range({ frames: [from, to] }: EvalSettings, length: number): readonly [from: number, to: number] {
  if (from < length) return [from, Math.min(to, length)]
  throw invalidOption(`a frame below ${length}, where the truth ends,`, '--frames', from)
}

/** Where only a part of the truth is evaluated, a prediction may end anywhere after that part. */
function checkLength({ name, length }: DepthSequence, expected: number, to: number, whose: string): void {
  if (length === expected || (to < expected && length >= to)) return
  throw invalidOption(`${counted(expected, 'frame')}, as ${whose} has,`, name, length)
}

function scaled({ data, width, height }: Plane, { predictionFactor }: EvalArguments): Plane<Float32Array> {
  if (predictionFactor !== undefined)
    return { data: Float32Array.from(data, (v) => v / predictionFactor), width, height }
  return { data: data instanceof Float32Array ? data : Float32Array.from(data), width, height }
}

function metres({ data, width, height }: Plane, factor: number, kind: DepthKind): Plane {
  if (kind === 'metric' && factor === 1) return { data, width, height }
  const depth = kind === 'metric' ? (v: number): number => v / factor : (v: number): number => (v > 0 ? factor / v : 0)
  return { data: Float64Array.from(data, depth), width, height }
}

async function* together<A, B>(first: AsyncIterable<A>, second: AsyncIterable<B>): AsyncGenerator<[A, B]> {
  const [a, b] = [first[Symbol.asyncIterator](), second[Symbol.asyncIterator]()]
  try {
    for (;;) {
      const [one, other] = [await a.next(), await b.next()]
      if (one.done === true || other.done === true) return
      yield [one.value, other.value]
    }
  } finally {
    await a.return?.()
    await b.return?.()
  }
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  )
