// Owns: gates on accuracy: the bundled network on rendered sequences that it never saw. A change that costs accuracy fails.
// Must not know: how depth is computed.

import t from 'tap'
import { bundledCheckpoint } from '#lib/bundled-checkpoint.js'
import { rampBaseline } from '#lib/evaluate/baselines.js'
import { evaluateVideo, type VideoEvaluation } from '#lib/evaluate/video-evaluation.js'
import { sceneKinds } from '#lib/scene/kinds.js'
import type { RenderedFrame } from '#lib/scene/rendered-frame.js'
import { farthest, scoredFrame, trueDepth } from '#lib/scene/scored-frame.js'
import { renderClip } from '#lib/scene/sequence.js'
import { VideoDepth, type LoadOptions, type ProcessOptions } from 'video-depth'

t.setTimeout(600_000)

/** One of each kind; seeds that training never takes. 54 frames are three windows. */
const clips: RenderedFrame[][] = []
for (const [i, { name: kind }] of sceneKinds().entries())
  clips.push(await renderClip({ kind, seed: 9_000_001 + 100 * i, width: 168, height: 126, frames: 54, frameRate: 12 }))
const cacheDir = t.testdir()

interface Figures {
  readonly absRel: number
  readonly delta1: number
  readonly tae: number
}

type Way = Partial<LoadOptions> & { readonly process?: ProcessOptions; readonly streaming?: boolean }

async function measured({ process, streaming, ...load }: Way): Promise<Figures> {
  const model = await VideoDepth.load({ checkpoint: bundledCheckpoint, backend: 'cpu', cacheDir, ...load })
  const results: VideoEvaluation[] = []
  for (const frames of clips) {
    const stream = streaming === true ? model.stream() : undefined
    const maps: Float32Array[] = []
    for await (const { data } of stream?.depths(frames) ?? model.process(frames, process)) maps.push(data)
    await stream?.close()
    results.push(await compared(frames, maps))
  }
  await model.close()
  const mean = (of: (result: VideoEvaluation) => number): number =>
    results.reduce((sum, result) => sum + of(result), 0) / results.length
  const figures = {
    absRel: mean(({ depth }) => depth.absRel),
    delta1: mean(({ depth }) => depth.delta1),
    tae: mean(({ tae }) => tae?.tae ?? NaN),
  }
  t.comment(JSON.stringify(figures))
  return figures
}

function compared(frames: readonly RenderedFrame[], maps: readonly Float32Array[]): Promise<VideoEvaluation> {
  const scored = () =>
    frames.map((frame, i) => scoredFrame(frame, { ...trueDepth(frame), data: maps[i] ?? new Float32Array() }))
  return evaluateVideo(scored, { depth: { maxDepth: farthest }, measures: ['tae'] })
}

/** What was measured when the gates were set; a few per cent of slack for other processors' arithmetic. */
const measuredThen = {
  windows: { absRel: 0.5, delta1: 0.5 },
  streaming: { absRel: 0.5, delta1: 0.5 },
}

function holds(name: string, found: Figures, then: { absRel: number; delta1: number }): void {
  t.ok(found.absRel < 1.02 * then.absRel, `${name}: AbsRel ${found.absRel.toFixed(4)}, then ${then.absRel}`)
  t.ok(found.delta1 > then.delta1 - 0.005, `${name}: δ1 ${found.delta1.toFixed(4)}, then ${then.delta1}`)
}

t.test('accuracy of windows, of streams and of int8', async (t) => {
  const windows = await measured({})
  holds('windows', windows, measuredThen.windows)
  holds('streaming', await measured({ streaming: true }), measuredThen.streaming)
  const ramp = clips.map((frames) => rampBaseline(frames.map(trueDepth), farthest)?.absRel ?? NaN)
  t.ok(windows.absRel < ramp.reduce((sum, value) => sum + value, 0) / ramp.length, 'better than without looking')
})
