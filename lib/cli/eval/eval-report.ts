// Owns: what an evaluation says: a table for a person, one object for a program.
// Must not know: files, how anything was measured.

import { scoreNames } from '../../evaluate/depth-scores.js'
import type { AlignmentMode } from '../../evaluate/evaluation-options.js'
import type { VideoEvaluation } from '../../evaluate/video-evaluation.js'
import type { DepthKind } from '../../base/frame.js'
import { shownPart } from '../../base/outside-text.js'

export interface EvaluatedVideo {
  readonly name: string
  readonly kind: DepthKind
  readonly alignment: AlignmentMode
  readonly result: VideoEvaluation
}

interface Column {
  readonly title: string
  readonly key: string
  /** Undefined where it was not measured. */
  readonly of: (result: VideoEvaluation) => number | undefined
}

const scoreTitles = ['AbsRel', 'SqRel', 'RMSE', 'RMSElog', 'log10', 'SILog', 'iRMSE', 'δ1', 'δ2', 'δ3']

const columns: readonly Column[] = [
  ...scoreNames.map((key, i) => ({
    title: scoreTitles[i] ?? key,
    key,
    of: ({ depth }: VideoEvaluation) => depth[key],
  })),
  { title: 'TAE', key: 'tae', of: ({ tae }) => tae?.tae },
  { title: 'edge F1', key: 'boundaryF1', of: ({ boundary }) => boundary?.f1 },
  { title: 'recall', key: 'boundaryRecall', of: ({ recall }) => recall?.recall },
  { title: 'MAGE', key: 'mage', of: ({ derivatives }) => derivatives?.mage },
  { title: 'MALE', key: 'male', of: ({ derivatives }) => derivatives?.male },
  { title: 'MSGE', key: 'msge', of: ({ derivatives }) => derivatives?.msge },
  { title: 'SSI', key: 'spatialLoss', of: ({ loss }) => loss?.spatial },
  { title: 'TGM', key: 'stableLoss', of: ({ loss }) => loss?.stable },
  { title: 'loss', key: 'totalLoss', of: ({ loss }) => loss?.total },
  { title: 'at seams', key: 'changeAtSeams', of: ({ seams }) => seams?.atSeams },
  { title: 'else', key: 'changeElsewhere', of: ({ seams }) => seams?.elsewhere },
  { title: 'seams', key: 'seamRatio', of: ({ seams }) => seams?.ratio },
  { title: 'OPW', key: 'opw', of: ({ flow }) => flow?.opw },
  { title: 'SE', key: 'stableError', of: ({ flow }) => flow?.stableError },
]

/** Every measure of a video by its name in `--json`; null where it has no value. */
function measured(result: VideoEvaluation): Record<string, number | null> {
  const pairs = columns.map(({ key, of }) => [key, of(result)] as const).filter(([, value]) => value !== undefined)
  return Object.fromEntries(pairs.map(([key, value]) => [key, orNull(value)]))
}

/** Over the videos that have a value. */
export function means(videos: readonly EvaluatedVideo[]): Record<string, number | null> {
  const all = videos.map(({ result }) => measured(result))
  return Object.fromEntries(
    Object.keys(all[0] ?? {}).map((key) => {
      const values = all.map((one) => one[key]).filter((value) => typeof value === 'number')
      return [key, orNull(values.reduce((sum, value) => sum + value, 0) / values.length)]
    }),
  )
}

export function videoObject({ name, kind, alignment, result }: EvaluatedVideo): object {
  const { depth, tae, boundary, recall, seams, flow } = result
  const { frames, validFrames, pixels, fit } = depth
  const perFrame = depth.perFrame.map((frame) => ({
    pixels: frame.pixels,
    ...Object.fromEntries(scoreNames.map((score) => [score, orNull(frame[score])])),
    scale: frame.own.scale,
    shift: frame.own.shift,
    ...(boundary !== undefined && { boundaryF1: orNull(boundary.perFrame[frame.index]) }),
    ...(recall !== undefined && { boundaryRecall: orNull(recall.perFrame[frame.index]) }),
  }))
  const perPair = {
    ...(tae !== undefined && { tae: tae.perPair.map((error) => 100 * error) }),
    ...(seams !== undefined && { change: seams.perStep.map(orNull) }),
    ...(flow !== undefined && { opw: flow.perPair.map(({ opw }) => orNull(opw)) }),
  }
  return {
    name,
    kind,
    alignment,
    frames,
    validFrames,
    pixels,
    fit: fit ?? null,
    ...measured(result),
    perFrame,
    perPair,
  }
}

/** One line a video, and their mean below where there are several. */
export function table(videos: readonly EvaluatedVideo[]): string {
  const shown = columns.filter(({ of }) => videos.some(({ result }) => of(result) !== undefined))
  const line = (name: string, frames: number, value: (column: Column) => number | null | undefined): string[] => [
    name,
    String(frames),
    ...shown.map((column) => digits(value(column))),
  ]
  const mean = means(videos)
  const total = videos.reduce((sum, { result }) => sum + result.depth.frames, 0)
  const rows = [
    ['video', 'frames', ...shown.map(({ title }) => title)],
    ...videos.map(({ name, result }) => line(shownPart(name), result.depth.frames, ({ of }) => of(result))),
    ...(videos.length > 1 ? [line(`mean of ${videos.length}`, total, ({ key }) => mean[key])] : []),
  ]
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)))
  const padded = (cell: string, i: number): string =>
    i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)
  return rows.map((row) => `${row.map(padded).join('  ')}\n`).join('')
}

function digits(value: number | null | undefined): string {
  if (value === undefined || value === null || Number.isNaN(value)) return '–'
  return Math.abs(value) >= 1e-3 || value === 0 ? value.toFixed(4) : value.toExponential(2)
}

const orNull = (value: number | undefined): number | null => (Number.isFinite(value) ? (value as number) : null)
