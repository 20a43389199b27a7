// Owns: `npm run bench:cost`: what reuse of features, int8 and the kernels' arithmetic cost in accuracy.
// Must not know: how scores are computed, how depth is.

import { parseArgs } from 'node:util'
import { loadAddon } from '../../dist/esm/native/addon.js'
import { planWindow } from '../../dist/esm/plan/window-plan.js'
import { windowStrategy } from '../../dist/esm/plan/strategy.js'
import { markdown } from '../report.mjs'
import { writeReport } from '../shared.mjs'
import { asStream, inWindows, loadHost } from './predict.mjs'
import { mean, score } from './score.mjs'
import { nameOf, oneOfEach, render } from './sequences.mjs'

const { values } = parseArgs({
  options: { checkpoint: { type: 'string' }, threads: { type: 'string' }, frames: { type: 'string', default: '110' } },
})

/** As upstream does it: each window's 32 frames go through the encoder again; planned and stitched as by `process`. */
async function withoutReuse(host, frames) {
  const strategy = windowStrategy()
  const { width, height } = frames[0]
  const shape = { mapWidth: width, mapHeight: height, frameWidth: width, frameHeight: height }
  const stitcher = new (loadAddon().Stitcher)({ ...shape, threads: 1 })
  const emitted = []
  for (let index = 0; ; index++) {
    const plan = planWindow(strategy, index, frames.length, true)
    const window = plan.frames.map((frame) => frames[frame])
    const maps = await inWindows(host, window, windowStrategy('baseline'))
    const wanted = new Set(plan.wanted)
    const { frames: leaving } = await stitcher.stitch(
      maps.map((map, slot) => (wanted.has(slot) ? map : null)),
      plan.step,
    )
    emitted.push(...leaving)
    if (plan.last) return emitted
  }
}

const [fp32, int8] = [await loadHost({ ...values }), await loadHost({ ...values, precision: 'int8' })]
const ways = [
  ['float32', (frames) => inWindows(fp32, frames)],
  ['float32, every window encoded anew', (frames) => withoutReuse(fp32, frames)],
  ['int8', (frames) => inWindows(int8, frames)],
  ['float32, streaming', (frames) => asStream(fp32, frames)],
  ['int8, streaming', (frames) => asStream(int8, frames)],
]
const rows = []
for (const sequence of oneOfEach()) {
  const frames = await render(sequence, Number(values.frames))
  let exact
  for (const [name, predict] of ways) {
    const maps = await predict(frames)
    exact ??= maps
    const { absRel, delta1, tae } = await score(frames, maps)
    const largest = maps.reduce((most, map, i) => Math.max(most, largestDifference(map, exact[i])), 0)
    rows.push({ sequence: nameOf(sequence), name, absRel, delta1, tae, largest })
    console.error(`${nameOf(sequence)}, ${name}: ${absRel.toFixed(4)} ${delta1.toFixed(4)}`)
  }
}
await Promise.all([fp32.engine.close(), int8.engine.close()])

function largestDifference(map, exact) {
  return map.reduce((most, value, p) => Math.max(most, Math.abs(value - exact[p])), 0)
}

console.log(
  markdown(
    ['way', 'AbsRel', 'δ1', 'TAE %', 'largest difference from float32'],
    ways.map(([name]) => {
      const own = rows.filter((row) => row.name === name)
      const figures = ['absRel', 'delta1', 'tae'].map((what) => mean(own.map((row) => row[what])).toFixed(4))
      return [name, ...figures, String(Number(Math.max(...own.map(({ largest }) => largest)).toPrecision(3)))]
    }),
  ),
)
console.log(`raw: ${writeReport('cost', { settings: values, rows })}`)
