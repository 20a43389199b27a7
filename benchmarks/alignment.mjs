// Owns: `node benchmarks/alignment.mjs [CHECKPOINT [INPUT_SIZE]]`: how well windows fit the frames before them, in ordinary
// clips and in clips that show nothing for a while: what cpp/stitch/fit_rules.h draws its lines by.
// Must not know: those lines.

import { bundledCheckpoint } from '../dist/esm/prepare/bundled-checkpoint.js'
import { CpuSession } from '../dist/esm/engine/cpu/session.js'
import { sceneKinds } from '../dist-tools/scenes/kinds.js'
import { pictureOf } from '../dist-tools/scenes/rendered-frame.js'
import { renderClip } from '../dist-tools/scenes/sequence.js'
import { VideoDepth } from '../dist/esm/video-depth.js'
import { markdown } from './report.mjs'

const [checkpoint = bundledCheckpoint, inputSize = '70'] = process.argv.slice(2)
const size = { width: 84, height: 63 }
const count = 76
const fill = (frame, grey) => ({ ...frame, data: new Uint8Array(frame.data.length).fill(grey) })
const faded = (frame, part) => ({ ...frame, data: frame.data.map((value) => Math.round(value * part)) })
const clamp = (value) => Math.min(1, Math.max(0, value))

/** What becomes of each frame of a clip. */
const changes = {
  'as it is': (frame) => frame,
  'a tenth as bright': (frame) => faded(frame, 0.1),
  'black, frames 0 to 39': (frame, i) => (i < 40 ? fill(frame, 0) : frame),
  'black, frames 0 to 49': (frame, i) => (i < 50 ? fill(frame, 0) : frame),
  'white, frames 0 to 39': (frame, i) => (i < 40 ? fill(frame, 255) : frame),
  'grey, frames 0 to 39': (frame, i) => (i < 40 ? fill(frame, 128) : frame),
  'black, then fading in over a second': (frame, i) => faded(frame, clamp((i - 40) / 24)),
  'fading out and in again': (frame, i) => faded(frame, clamp((Math.abs(i - 60) - 20) / 12)),
  'lens covered, frames 40 to 74': (frame, i) => (i >= 40 && i < 75 ? fill(frame, 0) : frame),
  'white flash, frames 34 to 36': (frame, i) => (i >= 34 && i < 37 ? fill(frame, 255) : frame),
  'black, first frame': (frame, i) => (i < 1 ? fill(frame, 0) : frame),
}

let windows = []
const { stitch } = CpuSession.prototype
CpuSession.prototype.stitch = async function (depth, step) {
  const result = await stitch.call(this, depth, step)
  this.references ??= new Map()
  const gains = step.align.map(({ slot, frame }) => gain(depth.maps[slot], this.references.get(frame)))
  if (gains.length > 0) windows.push({ ...result, best: Math.max(...gains), least: Math.min(...gains) })
  for (const { slot, frame } of step.remember) this.references.set(frame, depth.maps[slot])
  if (result.anew) for (const { slot, frame } of step.align) this.references.set(frame, depth.maps[slot])
  return result
}

/** Slope of the fit of one window's map of a frame to another window's map of the same frame. */
function gain(map, reference) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length
  const [p, t] = [mean(map), mean(reference)]
  let [squares, products] = [0, 0]
  for (let i = 0; i < map.length; i++) {
    squares += (map[i] - p) ** 2
    products += (map[i] - p) * (reference[i] - t)
  }
  return products / squares
}

const model = await VideoDepth.load({ checkpoint, backend: 'cpu', inputSize: Number(inputSize) })
const rows = []
async function measure(name, clips) {
  windows = []
  for (const clip of clips) for await (const { index } of model.process(clip.map(pictureOf))) void index
  const least = (what) => Math.min(...windows.map((window) => window[what])).toFixed(2)
  const sum = (what) => windows.reduce((total, window) => total + Number(window[what]), 0)
  const leftOut = windows.reduce((total, { anew, leftOut }) => total + (anew ? 0 : leftOut), 0)
  rows.push([name, least('best'), least('least'), least('scale'), sum('anew'), leftOut])
  console.error(rows.at(-1).join('  '))
}

const kinds = sceneKinds().map(({ name }) => name)
const render = (kind, seed, more = {}) => renderClip({ ...size, frameRate: 24, kind, seed, frames: count, ...more })
const cuts = await Promise.all(kinds.map((kind) => render(kind, 6, { cutEvery: 45 })))
await measure(`${kinds.length} kinds of scenes`, await Promise.all(kinds.map((kind) => render(kind, 9_000_001))))
await measure(`${kinds.length} with cuts`, cuts)
const clips = await Promise.all(['street', 'room'].map((kind) => render(kind, 9_000_001)))
for (const [name, change] of Object.entries(changes)) {
  await measure(
    name,
    clips.map((clip) => clip.map(change)),
  )
}
await model.close()
const columns = ['clips', 'least best gain', 'least gain', 'least scale', 'begun anew', 'left out']
console.log(markdown(columns, rows))
