// Owns: how good a sample's depth is, and the picture that shows it: input, exact depth, the network's, the error.
// Must not know: how the sample was rendered or its depth computed.

import { constantBaseline, rampBaseline } from '../evaluate/baselines.js'
import type { LineFit } from '../evaluate/depth-error.js'
import type { Plane } from '../evaluate/plane.js'
import { evaluateVideo, type EvaluationFrame, type VideoEvaluation } from '../evaluate/video-evaluation.js'
import type { DepthSequence } from '../io/depth/depth-sequence.js'
import { palette } from '../io/palettes.js'
import type { RenderedFrame } from '../scene/rendered-frame.js'
import { farthest, scoredFrame, trueDepth } from '../scene/scored-frame.js'
import { writeContactSheet, type SheetRow, type Tile } from './contact-sheet.js'

const columns = 4
/** Frames that the baselines are fitted to and scored on, at most: they are kept. */
const baselineFrames = 60
/** Error that is shown at full brightness: a quarter of the true depth. */
const brightestError = 0.25

export interface Sample {
  /** Rendered anew each time. */
  readonly frames: () => AsyncIterable<RenderedFrame>
  readonly count: number
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

/** A frame of the sheet. */
interface Shown {
  readonly frame: RenderedFrame
  readonly prediction: Plane
}

/** @returns the figures, which the sheet's heading says too */
export async function reportSample(sample: Sample, title: string, file: string): Promise<SampleFigures> {
  const shown: Shown[] = []
  const truth: Plane[] = []
  const [toShow, toFit] = [spread(sample.count, columns), spread(sample.count, baselineFrames)]
  let passes = 0
  async function* pairs(): AsyncGenerator<EvaluationFrame> {
    const rendered = sample.frames()[Symbol.asyncIterator]()
    const keep = passes++ === 0
    let index = 0
    try {
      for await (const prediction of sample.depth.frames(0, sample.count)) {
        const { value: frame } = (await rendered.next()) as IteratorYieldResult<RenderedFrame>
        if (keep && toFit.has(index)) truth.push(trueDepth(frame))
        if (keep && toShow.has(index)) shown.push({ frame, prediction })
        index++
        yield scoredFrame(frame, { ...prediction, data: Float32Array.from(prediction.data) })
      }
    } finally {
      await rendered.return?.()
    }
  }
  const kind = sample.metric ? 'metric' : 'disparity'
  const result = await evaluateVideo(pairs, { depth: { kind, maxDepth: farthest }, measures: ['tae'] })
  const figures = figuresOf(result, truth)
  await writeContactSheet([title, ...lines(figures)], rows(shown, sample.metric ? undefined : result.depth.fit), file)
  return figures
}

/** Positions at equal distances, from the first to the last. */
function spread(count: number, wanted: number): Set<number> {
  const step = Math.max(1, (count - 1) / (wanted - 1))
  return new Set(Array.from({ length: wanted }, (_, i) => Math.round(i * step)))
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

const percent = (part: number): string => `${(100 * part).toFixed(1)} %`

/** For the sheet and the terminal. */
export function lines({ absRel, delta1, tae, constant, ramp }: SampleFigures): readonly string[] {
  return [
    `error AbsRel ${percent(absRel)}, ${percent(delta1)} of pixels within a factor of 1.25; from frame to frame (TAE) ${tae.toFixed(2)} %`,
    `without looking: best plane ${percent(ramp.absRel)}, ${percent(ramp.delta1)}; best constant ${percent(constant.absRel)}, ${percent(constant.delta1)}`,
  ]
}

/** @param fit of disparity; undefined: the predictions are metres */
function rows(shown: readonly Shown[], fit: LineFit | undefined): readonly SheetRow[] {
  const disparity = (v: number): number => (fit === undefined ? 1 / v : Math.max(0, fit.scale * v + fit.shift))
  const truths = shown.map(({ frame }) => frame.depth.map((z) => 1 / z))
  const found = shown.map(({ prediction }) => Float32Array.from(prediction.data, disparity))
  const nearest = Math.max(...truths.map((truth) => quantile(truth, 0.995)))
  const errors = shown.map(({ frame }, i) =>
    frame.depth.map((z, p) => (z < farthest ? Math.abs(1 / Math.max(found[i]?.[p] ?? 0, 1 / farthest) - z) / z : 0)),
  )
  const painted = (maps: readonly Float32Array[], brightest: number, name: 'inferno' | 'magma'): Tile[] =>
    maps.map((map, i) => paint(map, brightest, name, shown[i]?.frame ?? { width: 0, height: 0 }))
  return [
    { label: 'input', tiles: shown.map(({ frame }) => frame) },
    { label: 'exact disparity (near is bright)', tiles: painted(truths, nearest, 'inferno') },
    {
      label: `the network's, ${fit === undefined ? 'as it is' : 'one scale and shift for the video'}`,
      tiles: painted(found, nearest, 'inferno'),
    },
    {
      label: `error of depth, brightest at ${percent(brightestError)} and more`,
      tiles: painted(errors, brightestError, 'magma'),
    },
  ]
}

function quantile(values: Float32Array, share: number): number {
  return values.toSorted()[Math.floor(share * (values.length - 1))] ?? 0
}

function paint(
  map: Float32Array,
  brightest: number,
  name: 'inferno' | 'magma',
  { width, height }: { readonly width: number; readonly height: number },
): Tile {
  const colours = palette(name)
  const data = new Uint8Array(3 * map.length)
  for (let p = 0; p < map.length; p++) {
    const level = Math.round(255 * Math.min(1, Math.max(0, (map[p] ?? 0) / brightest)))
    data.set(colours.subarray(3 * level, 3 * level + 3), 3 * p)
  }
  return { data, width, height }
}
