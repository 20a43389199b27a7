// Owns: `node benchmarks/accuracy/stabilize.mjs`: what `stabilize` does to streams of the held-out sequences, with the camera
// moving as it does there, and with the same camera standing still.
// Must not know: how scores are computed, how depth is.

import { parseArgs } from 'node:util'
import { markdown } from '../report.mjs'
import { writeReport } from '../shared.mjs'
import { asStream, loadHost } from './predict.mjs'
import { mean, score } from './score.mjs'
import { heldOut, nameOf, render } from './sequences.mjs'

const { values } = parseArgs({
  options: {
    checkpoint: { type: 'string' },
    precision: { type: 'string' },
    threads: { type: 'string' },
    frames: { type: 'string', default: '110' },
  },
})
const measures = ['absRel', 'delta1', 'tae']
const better = { absRel: Math.min, delta1: Math.max, tae: Math.min }
const host = await loadHost(values)
const rows = []
for (const stillCamera of [false, true]) {
  for (const sequence of heldOut()) {
    const frames = await render(sequence, Number(values.frames), { stillCamera, noise: 4 })
    const [plain, stabilized] = [
      await score(frames, await asStream(host, frames)),
      await score(frames, await asStream(host, frames, { stabilize: true })),
    ]
    rows.push({ ...sequence, stillCamera, plain, stabilized })
    const shown = measures.map((what) => `${what} ${plain[what].toFixed(4)} -> ${stabilized[what].toFixed(4)}`)
    console.error(`${nameOf(sequence).padEnd(20)} ${stillCamera ? 'still ' : 'moving'} ${shown.join('  ')}`)
  }
}
await host.engine.close()

const cells = [false, true].map((stillCamera) => {
  const group = rows.filter((row) => row.stillCamera === stillCamera)
  return [
    stillCamera ? 'camera stands' : 'camera moves',
    ...measures.flatMap((what) => [
      ...['plain', 'stabilized'].map((how) => mean(group.map((row) => row[how][what])).toFixed(4)),
      `${group.filter(isHelped(what)).length} of ${group.length}`,
    ]),
  ]
})
console.log(markdown(['', ...measures.flatMap((what) => [what, `${what} stabilized`, 'better on'])], cells))
console.log(`raw: ${writeReport('stabilize', { settings: values, rows })}`)

function isHelped(what) {
  return ({ plain, stabilized }) =>
    stabilized[what] !== plain[what] && better[what](plain[what], stabilized[what]) === stabilized[what]
}
