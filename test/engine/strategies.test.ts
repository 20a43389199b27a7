// Owns: every stitching rule and window length through the real network and stitcher.
// Must not know: which of them is better.

import path from 'node:path'
import t from 'tap'
import packageRoot from '../../dist/esm/package-root.cjs'
import { checkLoadOptions } from '../../dist/esm/engine/load-options.js'
import { openHost } from '../../dist/esm/engine/open-engine.js'
import { fromFrames } from '../../dist/esm/io/sources/frames-source.js'
import { windowStrategy } from '../../dist/esm/plan/strategy.js'
import { windowCount } from '../../dist/esm/plan/window-plan.js'
import { DepthRun } from '../../dist/esm/video/run.js'
import { pattern } from '../support/make-video.js'

t.setTimeout(300_000)

const checkpoint = path.join(packageRoot, 'test', 'fixtures', 'tiny.pth')
const width = 64
const height = 48
const frameCount = 110

/** Distinct frames that move. */
function* frames() {
  for (let i = 0; i < frameCount; i++) {
    const data = new Uint8Array(width * height * 3)
    for (let p = 0; p < width * height; p++)
      data.set(pattern(i % 12, (p % width) + 2 * i, Math.floor(p / width)), 3 * p)
    yield { data, width, height, timestampMs: 40 * i }
  }
}

t.test('every rule and length', async (t) => {
  const host = await openHost(checkLoadOptions({ checkpoint, inputSize: 42, cacheDir: t.testdir() }))
  t.teardown(() => host.engine.close())
  const first: Float32Array[] = []
  for (const rule of ['upstream', 'paper', 'overlap-interpolate', 'overlap-align', 'baseline'] as const) {
    for (const length of [16, 32, 48]) {
      const strategy = windowStrategy(rule, length)
      const run = new DepthRun(host, { strategy, openSource: () => fromFrames(frames()) })
      const maps: Float32Array[] = []
      const scales = new Set<number>()
      for await (const frame of run) {
        if (frame.index !== maps.length || frame.timestampMs !== 40 * frame.index) t.fail(`frame ${frame.index}`)
        maps.push(frame.data)
        scales.add(frame.aligned.scale)
      }
      const name = `${rule}, ${length}`
      t.equal(maps.length, frameCount, name)
      t.ok(maps.every((map) => map.every((value) => Number.isFinite(value) && value >= 0)))
      t.match(run.summary, {
        framesEncoded: frameCount,
        windows: windowCount(strategy, frameCount),
      })
      t.equal(scales.size === 1, rule === 'baseline', 'only the baseline keeps every scale')
      if (length === 32) first.push(maps[5] ?? new Float32Array())
    }
  }
  t.ok(
    first.every((map) => map.every((value, i) => value === first[0]?.[i])),
    'the first window is the same under every rule',
  )
})
