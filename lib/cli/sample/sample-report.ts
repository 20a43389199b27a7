// Owns: how good the sample's depth is, and the pictures that show it: input, exact depth, the network's, the error.
// Must not know: where the depth comes from, how pictures are laid out in a file.

import type { SampleTruth } from '../../evaluate/bundled-sample.js'
import { constantBaseline, rampBaseline } from '../../evaluate/baselines.js'
import type { LineFit } from '../../evaluate/depth-error.js'
import type { Plane } from '../../evaluate/plane.js'
import { evaluateVideo, type EvaluationFrame, type VideoEvaluation } from '../../evaluate/video-evaluation.js'
import type { RgbFrame } from '../../base/frame.js'
import type { DepthSequence } from '../../evaluate/files/depth-sequence.js'
import { palette } from '../../io/sinks/palettes.js'
import type { Animation, SheetRow, Tile } from './contact-sheet.js'

/** Metres, KITTI's cap: what is farther away, and the sky, does not count. */
const farthest = 80
const columns = 4
/** The animation has every second frame of the clip. */
const animationStride = 2
/** Error that is shown at full brightness: a quarter of the true depth. */
const brightestError = 0.25

export interface Sample {
  readonly pictures: readonly RgbFrame[]
  readonly truth: SampleTruth
  readonly depth: DepthSequence
  /** Metres, and not disparity. */
  readonly metric: boolean
}

export interface SampleFigures {
  readonly absRel: number
  /** Share of pixels within a factor of 1.25 of the true depth. */
  readonly delta1: number
  /** Temporal alignment error, per cent, over points at rest. */
  readonly tae: number
  /** The best depth that knows the truth and not the picture: one constant, and a plane over the picture. */
  readonly constant: { readonly absRel: number; readonly delta1: number }
  readonly ramp: { readonly absRel: number; readonly delta1: number }
}

export interface SampleReport {
  readonly figures: SampleFigures
  readonly sheet: readonly SheetRow[]
  readonly animation: Animation
}

export async function compareSample({ pictures, truth, depth, metric }: Sample): Promise<SampleReport> {
  const predictions: Plane<Float32Array>[] = []
  for await (const { data, width, height } of depth.frames(0, pictures.length))
    predictions.push({ data: Float32Array.from(data), width, height })
  const frames = predictions.map((prediction, i) => evaluationFrame(truth, prediction, i))
  const kind = metric ? 'metric' : 'disparity'
  const result = await evaluateVideo(() => frames, { depth: { kind, maxDepth: farthest }, measures: ['tae'] })
  const painter = new Painter(pictures, truth, predictions, metric ? undefined : result.depth.fit)
  return {
    figures: figuresOf(result, truth.depth),
    sheet: painter.sheet(spread(predictions.length, columns)),
    animation: painter.animation(1000 / truth.frameRate),
  }
}

function evaluationFrame(
  { depth, still, poses, intrinsics }: SampleTruth,
  prediction: Plane<Float32Array>,
  index: number,
): EvaluationFrame {
  const [truth, staticMask, pose] = [depth[index], still[index], poses[index]]
  if (truth === undefined || pose === undefined) throw new RangeError(`The sample has no frame ${index}`)
  const rows = [0, 4, 8, 12].map((row) => pose.slice(row, row + 4))
  return { prediction, truth, pose: rows, intrinsics, staticMask }
}

/** Positions at equal distances, from the first to the last. */
function spread(count: number, wanted: number): readonly number[] {
  const step = Math.max(1, (count - 1) / (wanted - 1))
  return Array.from({ length: Math.min(count, wanted) }, (_, i) => Math.round(i * step))
}

function figuresOf({ depth, tae }: VideoEvaluation, truth: readonly Plane[]): SampleFigures {
  const base = (found: { absRel: number; delta1: number } | undefined) => ({
    absRel: found?.absRel ?? NaN,
    delta1: found?.delta1 ?? NaN,
  })
  return {
    ...base(depth),
    tae: tae?.tae ?? NaN,
    constant: base(constantBaseline(truth, farthest)),
    ramp: base(rampBaseline(truth, farthest)),
  }
}

/** A dash for what one frame alone, or none, does not have. */
const percent = (part: number, digits = 1): string => (Number.isNaN(part) ? '–' : `${(100 * part).toFixed(digits)} %`)

/** For the pictures and the terminal. */
export function lines({ absRel, delta1, tae, constant, ramp }: SampleFigures): readonly string[] {
  return [
    `error AbsRel ${percent(absRel)}, ${percent(delta1)} of pixels within a factor of 1.25; change from frame to frame (TAE) ${percent(tae / 100, 2)}`,
    `for comparison, without the picture: best plane ${percent(ramp.absRel)}, ${percent(ramp.delta1)}; best constant ${percent(constant.absRel)}, ${percent(constant.delta1)}`,
  ]
}

class Painter {
  readonly #pictures: readonly RgbFrame[]
  readonly #truth: SampleTruth
  readonly #predictions: readonly Plane<Float32Array>[]
  readonly #isMetric: boolean
  readonly #disparity: (value: number) => number
  /** Disparity at full brightness. */
  readonly #nearest: number

  /** @param fit of disparity; undefined: the predictions are metres */
  constructor(
    pictures: readonly RgbFrame[],
    truth: SampleTruth,
    predictions: readonly Plane<Float32Array>[],
    fit: LineFit | undefined,
  ) {
    this.#pictures = pictures
    this.#truth = truth
    this.#predictions = predictions
    this.#isMetric = fit === undefined
    this.#disparity = (v) => (fit === undefined ? 1 / v : Math.max(0, fit.scale * v + fit.shift))
    this.#nearest = Math.max(...truth.depth.map(({ data }) => 1 / quantile(data, 0.005)))
  }

  sheet(indices: readonly number[]): readonly SheetRow[] {
    const row = (label: string, paint: (index: number) => Tile): SheetRow => ({ label, tiles: indices.map(paint) })
    return [
      row('input', (i) => this.#input(i)),
      row('exact disparity (near is bright)', (i) => this.#exact(i)),
      row(`the network's, ${this.#isMetric ? 'as it is' : 'one scale and shift for the video'}`, (i) => this.#found(i)),
      row(`error of depth, brightest at ${percent(brightestError)} and more`, (i) => this.#error(i)),
    ]
  }

  animation(frameMs: number): Animation {
    const shown = this.#pictures.map((_, i) => i).filter((i) => i % animationStride === 0)
    return {
      labels: ['input', "the network's depth", 'exact depth'],
      frames: shown.map((i) => [this.#input(i), this.#found(i), this.#exact(i)]),
      delayMs: Math.round(frameMs * animationStride),
    }
  }

  #input(index: number): Tile {
    const picture = this.#pictures[index]
    if (picture === undefined) throw new RangeError(`The sample has no frame ${index}`)
    return picture
  }

  #exact(index: number): Tile {
    const truth = this.#plane(this.#truth.depth, index)
    return this.#painted(index, (x, y) => 1 / at(truth, x, y) / this.#nearest, 'inferno')
  }

  #found(index: number): Tile {
    const prediction = this.#plane(this.#predictions, index)
    return this.#painted(index, (x, y) => this.#disparity(at(prediction, x, y)) / this.#nearest, 'inferno')
  }

  #error(index: number): Tile {
    const [truth, prediction] = [this.#plane(this.#truth.depth, index), this.#plane(this.#predictions, index)]
    const relative = (x: number, y: number): number => {
      const z = at(truth, x, y)
      const found = 1 / Math.max(this.#disparity(at(prediction, x, y)), 1 / farthest)
      return z < farthest ? Math.abs(found - z) / z : 0
    }
    return this.#painted(index, (x, y) => relative(x, y) / brightestError, 'magma')
  }

  #plane(planes: readonly Plane<Float32Array>[], index: number): Plane<Float32Array> {
    const plane = planes[index]
    if (plane === undefined) throw new RangeError(`The sample has no frame ${index}`)
    return plane
  }

  /** As large as the picture. @param value of a place (0…1, 0…1) of the picture; 1 is brightest */
  #painted(index: number, value: (x: number, y: number) => number, name: 'inferno' | 'magma'): Tile {
    const { width, height } = this.#input(index)
    const colours = palette(name)
    const data = new Uint8Array(3 * width * height)
    for (let p = 0; p < width * height; p++) {
      const brightness = value((p % width) / width, Math.floor(p / width) / height)
      const level = Math.round(255 * Math.min(1, Math.max(0, brightness)))
      data.set(colours.subarray(3 * level, 3 * level + 3), 3 * p)
    }
    return { data, width, height }
  }
}

/** The value at a place (0…1, 0…1): the pixel that holds it. */
function at({ data, width, height }: Plane<Float32Array>, x: number, y: number): number {
  return data[Math.floor(y * height) * width + Math.floor(x * width)] ?? 0
}

function quantile(values: Float32Array, share: number): number {
  return values.toSorted()[Math.floor(share * (values.length - 1))] ?? 0
}
