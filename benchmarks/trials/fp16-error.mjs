// Owns: one trial of the fp16 plan's error against float32 at a published size, on a processor. Prints rows of a table.
// Must not know: other trials. Run: npm run build:ts && npx tsc -p test/tsconfig.json, then
// node benchmarks/trials/fp16-error.mjs JSON of { size or checkpoint, width, height, frames, stream, cores }

import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { bothPrecisions, cores as allCores, streamErrors, windowErrors } from '../../dist-test/support/fp16-stages.js'
import { benchmarkCheckpoint } from '../shared.mjs'

const patch = 14
const given = JSON.parse(process.argv[2])
/** frames: of the window; stream: frames of a stream, 0 for none. */
const { size = 'S', width = 518, height = 518, frames = 32, stream = 3, cores = allCores } = given

const cacheDir = given.cacheDir ?? (await mkdtemp(path.join(os.tmpdir(), 'fp16-error-')))
const started = performance.now()
try {
  const weights = await bothPrecisions(await benchmarkCheckpoint({ size, checkpoint: given.checkpoint }), cacheDir)
  const grid = { rows: height / patch, cols: width / patch }
  print(`window of ${frames}`, await windowErrors(weights, { ...grid, frames, wanted: [0, frames - 1], cores }))
  if (stream > 0) print(`stream of ${stream}`, await streamErrors(weights, { ...grid, frames: stream, cores }))
} finally {
  if (given.cacheDir === undefined) await rm(cacheDir, { recursive: true, force: true })
}
const seconds = Math.round((performance.now() - started) / 1000)
console.log(`${seconds} s, ${(process.resourceUsage().maxRSS / 2 ** 20).toFixed(1)} GiB`)

/** Relative error / largest by range; 1 − cosine is half the relative error's square where lengths agree. */
function print(what, byCore) {
  for (const [core, errors] of byCore) {
    const worst = errors.some(({ relative, cosine }) => !(relative <= 1e-2 && cosine >= 0.999)) ? ' OUT OF BOUNDS' : ''
    const cells = summary(errors).map(({ stage, relative, largest }) => `${stage} ${short(relative)}/${short(largest)}`)
    const leastCosine = Math.min(...errors.map(({ cosine }) => cosine))
    console.log(
      `| ${size} ${width}×${height} | ${what} | ${core} | ${cells.join(' | ')} | ${short(1 - leastCosine)} |${worst}`,
    )
  }
}

/** A stream's states as one, by the worst of them. */
function summary(errors) {
  const isState = ({ stage }) => stage.includes('state')
  const states = errors.filter(isState)
  if (states.length === 0) return errors
  const most = (key) => Math.max(...states.map((state) => state[key]))
  return [
    ...errors.filter((error) => !isState(error)),
    { stage: 'states', relative: most('relative'), largest: most('largest') },
  ]
}

function short(number) {
  return number.toExponential(1)
}
