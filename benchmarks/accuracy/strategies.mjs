// Owns: `npm run bench:strategies`: the paper's table 5 (stitching, window lengths) and figure 4 (error over length).
// Must not know: how scores are computed, how depth is.

import { parseArgs } from 'node:util'
import { windowStrategy } from '../../dist/esm/plan/strategy.js'
import { markdown } from '../report.mjs'
import { writeReport } from '../shared.mjs'
import { asStream, inWindows, loadHost } from './predict.mjs'
import { mean, score } from './score.mjs'
import { nameOf, oneOfEach, render } from './sequences.mjs'

const { values } = parseArgs({
  options: {
    checkpoint: { type: 'string' },
    precision: { type: 'string' },
    threads: { type: 'string' },
    frames: { type: 'string', default: '528' },
    lengths: { type: 'string', default: '110,250,500,1000,2000' },
    kinds: { type: 'string' },
    'length-kinds': { type: 'string' },
  },
})
const stitchings = ['baseline', 'overlap-align', 'overlap-interpolate', 'paper', 'upstream']
const settings = [
  ...[16, 32, 48].flatMap((windowLength) => stitchings.map((stitching) => ({ stitching, windowLength }))),
  { streaming: true },
]
const nameOfSetting = ({ streaming, stitching, windowLength }) =>
  streaming ? 'streaming' : `${stitching}, windows of ${windowLength}`
const three = (value) => value.toFixed(3)

const host = await loadHost(values)
const predict = (frames, { streaming, stitching, windowLength }) =>
  streaming ? asStream(host, frames) : inWindows(host, frames, windowStrategy(stitching, windowLength))
const sequencesOf = (kinds) => oneOfEach().filter(({ kind }) => kinds === undefined || kinds.split(',').includes(kind))

const table = []
for (const sequence of sequencesOf(values.kinds)) {
  const frames = await render(sequence, Number(values.frames))
  for (const setting of settings) {
    const { absRel, delta1, tae } = await score(frames, await predict(frames, setting))
    table.push({ sequence: nameOf(sequence), setting: nameOfSetting(setting), absRel, delta1, tae })
    console.error(`${nameOf(sequence)}, ${nameOfSetting(setting)}: ${[absRel, delta1, tae].map(three).join(' ')}`)
  }
}
console.log(
  markdown(
    ['strategy', 'AbsRel', 'δ1', 'TAE %'],
    settings.map(nameOfSetting).map((name) => {
      const rows = table.filter(({ setting }) => setting === name)
      return [name, ...['absRel', 'delta1', 'tae'].map((what) => three(mean(rows.map((row) => row[what]))))]
    }),
  ),
)

const lengths = values.lengths.split(',').map(Number)
const overLength = []
const ways = [
  ['upstream', {}],
  ['paper', { stitching: 'paper' }],
  ['overlap-align', { stitching: 'overlap-align' }],
  ['streaming', { streaming: true }],
]
for (const sequence of sequencesOf(values['length-kinds'])) {
  const frames = await render(sequence, Math.max(...lengths))
  for (const [name, setting] of ways) {
    const maps = await predict(frames, setting)
    // The first frames of a video do not depend on those that follow, but for the window that is padded at the end.
    for (const length of lengths) {
      const { absRel, delta1 } = await score(frames.slice(0, length), maps.slice(0, length), { measures: [] })
      overLength.push({ sequence: nameOf(sequence), name, length, absRel, delta1 })
    }
    console.error(`${nameOf(sequence)}, ${name}: over length`)
  }
}
await host.engine.close()
console.log(
  markdown(
    ['frames', ...ways.flatMap(([name]) => [`${name} AbsRel`, 'δ1'])],
    lengths.map((length) => [
      String(length),
      ...ways.flatMap(([name]) => {
        const rows = overLength.filter((row) => row.name === name && row.length === length)
        return [three(mean(rows.map(({ absRel }) => absRel))), three(mean(rows.map(({ delta1 }) => delta1)))]
      }),
    ]),
  ),
)
console.log(`raw: ${writeReport('strategies', { settings: values, table, overLength })}`)
