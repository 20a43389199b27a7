// Owns: one trial of the product: a video through VideoDepth, phases apart. Prints one JSON object.
// Must not know: other trials. Arguments: JSON { checkpoint, clip, inputSize, threads, engine, output, maxLen }.

import { openSink } from 'video-depth'
import { lastFullWindow, MemoryPhases, print, ProcessorUse, seconds } from '../measure.mjs'
import { load } from './load.mjs'

/** output: of openSink, or undefined; maxLen: frames, or undefined for all. */
const { checkpoint, clip, inputSize, threads, engine, output, maxLen } = JSON.parse(process.argv[2])
const memory = new MemoryPhases('load')
const started = performance.now()
const model = await load({ checkpoint, inputSize, threads, ...engine })
if (model !== undefined) print(await measure())

async function measure() {
  const loaded = performance.now()
  memory.enter('firstWindow')
  const sink = output && (await openSink(output))
  let framesEncoded = 0
  const onProgress = (progress) => ({ framesEncoded } = progress)
  const run = model.process(clip, { onProgress, ...(maxLen && { maxLen }) })
  const windows = [] // when each window's depth came, and how many frames had been encoded by then
  let start
  let use
  let write = 0
  let checked = 0
  for await (const frame of run) {
    if (frame.window === windows.length) {
      windows.push({ at: performance.now(), framesEncoded })
      start ??= startFigures(loaded, run.summary.seconds)
      if (frame.window === 0) {
        memory.enter('steady')
        use = new ProcessorUse()
      }
    }
    checked += frame.data[frame.data.length >> 1]
    const writing = performance.now()
    await sink?.write(frame)
    write += seconds(writing)
  }
  const processor = use.result()
  const computed = performance.now()
  await sink?.finish()
  write += seconds(computed)
  const total = seconds(loaded)
  if (!Number.isFinite(checked) || checked === 0) throw new Error(`the depth is not plausible: ${checked}`)
  const { framesOut, seconds: phases } = run.summary
  const result = {
    frames: framesOut,
    engine: model.engineInfo,
    start,
    steady: steadyState(windows, framesOut),
    windowSeconds: fullWindows(windows, framesOut).map(({ at }, i) => (at - windows[i].at) / 1000),
    seconds: { total, ...phases, write },
    processor,
    ...memory.finish(),
  }
  await model.close()
  return result
}

/** Overhead: what is neither network nor stitching between the call of `load` and the first depth map. */
function startFigures(loaded, phases) {
  const firstDepth = seconds(started)
  const inference = Object.values(phases).reduce((a, b) => a + b, 0) - phases.read
  return { load: (loaded - started) / 1000, firstDepth, overhead: firstDepth - inference }
}

/** Those after the first one. */
function fullWindows(windows, frames) {
  return windows.slice(1, lastFullWindow(frames) + 1)
}

/** From the first window's depth to that of the last one that is full of new frames, and the frames encoded between. */
function steadyState(windows, frames) {
  const first = windows[0]
  const last = fullWindows(windows, frames).at(-1) ?? first
  return { seconds: (last.at - first.at) / 1000, frames: last.framesEncoded - first.framesEncoded }
}
