// Owns: whether int8 may be used for a checkpoint: it is compared with float32 once, and what came of it is remembered.
// Must not know: how either computes, where figures are kept.

import { VideoDepthError } from '../../../base/errors.js'
import { alignment, depthError, type Maps } from '../../../evaluate/depth-error.js'
import type { DepthErrorFigures } from '../../engine-info.js'
import type { LoadProgress } from '../../engine.js'

/** The largest AbsRel of int8 against float32 that passes. */
export const mostAbsRel = 0.02

export interface Int8Figures extends DepthErrorFigures {
  /** Values of int8 that are NaN or infinite. */
  readonly nonFinite: number
}

export interface Int8CheckOptions<Model> {
  /** Depth maps and not disparities: compared as they are. */
  readonly metric: boolean
  readonly record: {
    read(): Promise<Int8Figures | undefined>
    write(figures: Int8Figures): Promise<void>
  }
  /** Weights packed for this precision. One model at a time is held, to save memory. */
  readonly load: (precision: 'fp32' | 'int8') => Model
  /** Frees a model. */
  readonly release: (model: Model) => void
  /** What a model gives for the clip. @param onProgress 0…1 */
  readonly depth: (model: Model, onProgress: (fraction: number) => void) => Promise<Maps>
  readonly onProgress: (progress: LoadProgress) => void
}

/**
 * The int8 model, once its figures are known to be good enough.
 *
 * @throws VideoDepthError QUANTIZATION_REFUSED; DEPTH_NOT_FINITE where float32 itself is not; what `depth` throws
 */
export async function checkedInt8<Model>(
  options: Int8CheckOptions<Model>,
): Promise<{ readonly model: Model; readonly check: DepthErrorFigures }> {
  const { metric, record, load, onProgress } = options
  const known = await record.read()
  if (known !== undefined) {
    refuseBad(known)
    return { model: load('int8'), check: figuresOf(known) }
  }
  const tell = (part: number, detail: string) => (fraction: number) =>
    onProgress({ phase: 'check', fraction: (part + fraction) / 2, detail })
  const exact = load('fp32')
  const reference = await options.depth(exact, tell(0, 'float32 on a short clip')).finally(() => options.release(exact))
  refuseNonFinite(reference)
  const model = load('int8')
  const found = await options.depth(model, tell(1, 'int8 on the same clip'))
  const figures = compare(found, reference, metric)
  await record.write(figures)
  refuseBad(figures)
  return { model, check: figuresOf(figures) }
}

function compare(found: Maps, reference: Maps, metric: boolean): Int8Figures {
  const fit = metric ? undefined : alignment(found, reference)
  const { absRel, delta1, nonFinite } = depthError(found, reference, fit)
  return { absRel, delta1, nonFinite }
}

const figuresOf = ({ absRel, delta1 }: Int8Figures): DepthErrorFigures => ({ absRel, delta1 })

function refuseBad({ absRel, delta1, nonFinite }: Int8Figures): void {
  if (nonFinite === 0 && absRel <= mostAbsRel) return // never so for NaN
  const values = nonFinite === 0 ? '' : `${nonFinite} values are not finite; otherwise `
  throw new VideoDepthError(
    'QUANTIZATION_REFUSED',
    `Expected int8 to agree with float32 for this checkpoint, received other depth: ${values}AbsRel ${percent(absRel)} ` +
      `(at most ${percent(mostAbsRel)}), ${percent(delta1)} within a factor of 1.25. Use precision fp32`,
  )
}

function refuseNonFinite(maps: Maps): void {
  const count = maps.reduce((sum, map) => sum + map.reduce((n, value) => n + (Number.isFinite(value) ? 0 : 1), 0), 0)
  if (count === 0) return
  throw new VideoDepthError(
    'DEPTH_NOT_FINITE',
    `The network gives ${count} values that are not finite for the clip that int8 is compared on, in float32. ` +
      'The checkpoint is damaged, or does not belong to this network.',
  )
}

const percent = (part: number): string => `${(100 * part).toFixed(2)} %`
