// Owns: the folder that `video-depth eval` writes: results.json and a plot for each video.
// Must not know: how anything was measured.

import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { AtomicFolder } from '../../io/sinks/atomic-output.js'
import { outputError } from '../../io/sinks/output-errors.js'
import { fittedName, mostNameBytes } from '../../io/sinks/temporary-names.js'
import { loadSharp } from '../../base/libraries.js'
import { shownPart } from '../../base/outside-text.js'
import type { EvaluatedVideo } from './eval-report.js'
import { lineChart, type ChartPanel } from './line-chart.js'

const resultsName = 'results.json'
const plotEndings = ['.eval.svg', '.eval.png']

/** So that an unwritable folder fails before the work. An existing one is replaced only if an earlier evaluation made it. */
export function evalFolder(folder: string): Promise<AtomicFolder> {
  return AtomicFolder.create(folder, (name) => name === resultsName || plotEndings.some((each) => name.endsWith(each)))
}

/** @param firstFrame number of the first frame, for the plots' axes @returns the paths of what was written */
export async function writeEvaluation(
  folder: AtomicFolder,
  results: string,
  videos: readonly EvaluatedVideo[],
  firstFrame: number,
): Promise<string[]> {
  const written = [resultsName]
  try {
    const sharp = await loadSharp()
    await writeFile(path.join(folder.temporary, resultsName), results)
    for (const [video, name] of videos.map((each, i) => [each, fileName(each.name, i, videos)] as const)) {
      const svg = lineChart({ title: shownPart(video.name), xLabel: 'frame', start: firstFrame, panels: panels(video) })
      const [svgName, pngName] = plotEndings.map((ending) => name + ending) as [string, string]
      await writeFile(path.join(folder.temporary, svgName), svg)
      await sharp(Buffer.from(svg), { density: 144 }).png().toFile(path.join(folder.temporary, pngName))
      written.push(svgName, pngName)
    }
  } catch (cause) {
    throw outputError(folder.path, cause)
  }
  const committed = await folder.commit()
  return written.map((name) => path.join(committed, name))
}

function panels({ result: { depth, tae, seams } }: EvaluatedVideo): ChartPanel[] {
  const { perFrame, fit } = depth
  const reference = fit?.scale ?? 1
  return [
    { title: 'AbsRel', series: [{ label: 'AbsRel', values: perFrame.map(({ absRel }) => absRel) }] },
    {
      title: fit === undefined ? 'scale that fits the frame' : 'scale that fits the frame, over that of the video',
      series: [
        { label: 'scale', values: perFrame.map(({ own }) => (own.degenerate ? undefined : own.scale / reference)) },
      ],
    },
    ...(tae === undefined
      ? []
      : [
          {
            title: 'TAE to the next frame, %',
            series: [{ label: 'TAE', values: tae.perPair.map((error) => 100 * error) }],
          },
        ]),
    ...(seams === undefined
      ? []
      : [
          {
            title: 'change that the truth does not have, to the next frame',
            series: [{ label: 'change', values: seams.perStep }],
          },
        ]),
  ]
}

/** Without what a file system may not take; numbered where two videos would share one. */
function fileName(name: string, index: number, videos: readonly EvaluatedVideo[]): string {
  const safe = (each: string): string => each.replace(/[^\p{L}\p{N}._-]/gu, '_').replace(/^\.+/, '_')
  const isShared = videos.some((other, i) => i !== index && safe(other.name) === safe(name))
  const longest = Math.max(...plotEndings.map((ending) => ending.length))
  return fittedName(isShared ? `${safe(name)}-${index}` : safe(name), mostNameBytes - longest)
}
