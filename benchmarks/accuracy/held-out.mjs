// Owns: `npm run bench:accuracy`: the table of the held-out sequences, beside two baselines.
// Must not know: how scores are computed, how depth is.

import { parseArgs } from 'node:util'
import { markdown } from '../report.mjs'
import { writeReport } from '../shared.mjs'
import { asStream, inWindows, loadHost } from './predict.mjs'
import { baselines, mean, score, truthTae } from './score.mjs'
import { heldOut, nameOf, render } from './sequences.mjs'

const { values } = parseArgs({
  options: {
    checkpoint: { type: 'string' },
    precision: { type: 'string' },
    threads: { type: 'string' },
    frames: { type: 'string', default: '110' },
    streaming: { type: 'boolean', default: false },
  },
})
const host = await loadHost(values)
const rows = []
for (const sequence of heldOut()) {
  const frames = await render(sequence, Number(values.frames))
  const maps = await (values.streaming ? asStream(host, frames) : inWindows(host, frames))
  const { fit, perFrame, ...network } = await score(frames, maps)
  const { absRel, delta1 } = await score(frames, maps, { alignment: 'frame', measures: [] })
  const row = { ...sequence, network, eachFrame: { absRel, delta1 }, ...baselines(frames) }
  rows.push({ ...row, truthTae: await truthTae(frames), fit, perFrame })
  const figures = [row.network, row.ramp, row.constant].map(({ absRel, delta1 }) => `${three(absRel)} ${three(delta1)}`)
  console.error(`${nameOf(sequence).padEnd(20)} network ${figures[0]}  ramp ${figures[1]}  constant ${figures[2]}`)
}
await host.engine.close()

function three(value) {
  return value.toFixed(3)
}

const groups = [
  ...[...new Set(rows.map(({ kind }) => kind))].map((kind) => [kind, rows.filter((row) => row.kind === kind)]),
  ['trained kinds', rows.filter(({ unseen }) => !unseen)],
  ['unseen kinds', rows.filter(({ unseen }) => unseen)],
  ['all', rows],
]
const cells = groups.map(([name, group]) => [
  name,
  ...['absRel', 'delta1', 'tae'].map((what) => three(mean(group.map(({ network }) => network[what])))),
  three(mean(group.map((row) => row.truthTae))),
  ...['eachFrame', 'ramp', 'constant'].flatMap((who) =>
    ['absRel', 'delta1'].map((what) => three(mean(group.map((row) => row[who][what])))),
  ),
])
const header = [
  'sequences',
  'AbsRel',
  'δ1',
  'TAE %',
  'TAE % of the truth',
  'AbsRel, each frame aligned',
  'δ1, each frame aligned',
  'ramp AbsRel',
  'ramp δ1',
  'constant AbsRel',
  'constant δ1',
]
console.log(markdown(header, cells))
console.log(`raw: ${writeReport('accuracy', { settings: values, rows })}`)
