// Owns: depth as a folder of 16-bit grey PNGs, with the mapping that gives the values back.
// Must not know: other formats, the pipeline.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { invalidOption } from '../../base/errors.js'
import { AtomicFolder } from './atomic-output.js'
import { checkRange, type DepthRange } from './depth-range.js'
import type { DepthSpill, SpillFacts } from './depth-spill.js'
import { encodedPng, mappingOver, millimetres, quantised, type Mapping } from './grey16.js'
import { outputError } from './output-errors.js'
import type { SpillOutput } from './spilled-sink.js'

export interface Png16Options {
  /**
   * What 0 and 65535 stand for. `millimetres` (default for metric depth, refused for disparity): the pixel is the depth
   * in mm, nearer than 65.535 m, the field's convention. `global` (default for disparity): the least and greatest value of the
   * video. Or fixed bounds. Values outside are clamped.
   */
  readonly range?: 'millimetres' | 'global' | DepthRange
}

const scaleName = 'scale.json'
/** PNGs compressed at a time. */
const parallel = 2

/**
 * Files `00000.png`, `00001.png` … (more digits above 99,999 frames) and `scale.json`: `value = offset + pixel * step`
 * in `unit`, with kind, size, frame count and timestampsMs. An existing folder is replaced only if it holds nothing else.
 */
export async function png16Output(path: string, options: Png16Options = {}): Promise<SpillOutput> {
  const range = checkPngRange(options.range)
  const folder = await AtomicFolder.create(path, (name) => name === scaleName || /^\d{5,}\.png$/.test(name))
  return {
    path,
    render: (spill) =>
      writeFolder(spill, folder.temporary, mappingFor(spill.facts, range)).catch((cause: unknown) => {
        throw outputError(path, cause)
      }),
    commit: async () => [await folder.commit()],
    discard: () => folder.discard(),
  }
}

function checkPngRange(range: Png16Options['range']): Png16Options['range'] {
  if (range === undefined || range === 'millimetres') return range
  const checked = checkRange(range)
  if (checked === 'running') throw invalidOption("'millimetres', 'global' or { min, max }", 'range', checked)
  return checked
}

function mappingFor({ kind, range: found }: SpillFacts, asked: Png16Options['range']): Mapping {
  const range = asked ?? (kind === 'metric' ? 'millimetres' : 'global')
  if (range === 'millimetres') {
    if (kind !== 'metric')
      throw invalidOption("'global' or { min, max } for disparity, which has no unit,", 'range', range)
    return millimetres
  }
  const { min, max } = range === 'global' ? found : range
  return mappingOver(min, max)
}

async function writeFolder(spill: DepthSpill, folder: string, mapping: Mapping): Promise<void> {
  const { count, width, height, kind, timestampsMs } = spill.facts
  const digits = Math.max(5, String(count - 1).length)
  const name = (index: number): string => `${String(index).padStart(digits, '0')}.png`
  for (let from = 0; from < count; from += parallel) {
    const indices = Array.from({ length: Math.min(parallel, count - from) }, (_, i) => from + i)
    // All of them have settled when one's failure is thrown: what follows is the folder's removal.
    const results = await Promise.allSettled(
      indices.map(async (index) => {
        const pixels = await quantised(await spill.frame(index), mapping)
        await writeFile(join(folder, name(index)), await encodedPng(pixels, width, height))
      }),
    )
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }
  const unit = kind === 'metric' ? 'm' : null
  const scale = {
    formula: 'value = offset + pixel * step',
    ...mapping,
    kind,
    unit,
    width,
    height,
    frames: count,
    timestampsMs,
  }
  await writeFile(join(folder, scaleName), `${JSON.stringify(scale, undefined, 2)}\n`)
}
