// Owns: `node benchmarks/stabilize.mjs`: what `stabilize` brings on static and moving sequences.
// Must not know: how it works. Arguments: --checkpoint FILE or --size S|B|L (seeded weights), --input-size, --frames.

import { parseArgs } from 'node:util'
import { VideoDepth } from 'video-depth'
import { pictureOf } from '../dist-tools/scenes/rendered-frame.js'
import { renderClip, renderSequence } from '../dist-tools/scenes/sequence.js'
import { benchmarkCheckpoint, writeReport } from './shared.mjs'

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: 'S' },
    checkpoint: { type: 'string' },
    'input-size': { type: 'string', default: '140' },
    frames: { type: 'string', default: '120' },
  },
})
const count = Number(values.frames)
const [width, height] = [320, 240]

/** A small generator, so that every run sees the same noise. */
function random(seed) {
  let state = seed >>> 0
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32
}

async function* still(change) {
  const [base] = await renderClip({ seed: 3, frames: 1, width, height, frameRate: 24 })
  const next = random(1)
  for (let i = 0; i < count; i++)
    yield { data: base.data.map((value, p) => Math.min(255, Math.max(0, change(value, p, i, next)))), width, height }
}

const inBox = (p, i) => {
  const [x, y] = [Math.floor(p / 3) % width, Math.floor(p / 3 / width)]
  const left = (i * 3) % (width - 60)
  return x >= left && x < left + 60 && y >= 90 && y < 170
}

const noisy = (value, next) => value + 12 * (next() + next() + next() - 1.5)
const sequences = {
  'still, sensor noise': () => still((value, p, i, next) => noisy(value, next)),
  'still, exposure ±25 %': () => still((value, p, i) => value * (1 + 0.25 * Math.sin(i / 9))),
  'still, an object passes': () => still((value, p, i, next) => noisy(inBox(p, i) ? 40 : value, next)),
  async *'camera walks'() {
    for await (const frame of renderSequence({ seed: 5, frames: count, width, height, frameRate: 24 }))
      yield pictureOf(frame)
  },
}

const model = await VideoDepth.load({
  checkpoint: await benchmarkCheckpoint(values),
  inputSize: Number(values['input-size']),
})
const rows = []
for (const [name, frames] of Object.entries(sequences)) {
  const reference = await collect(model.process(frames()))
  for (const stabilize of [false, true]) {
    const stream = model.stream({ stabilize })
    const maps = await collect(stream.depths(frames()))
    rows.push({ sequence: name, stabilize, ...measure(maps, reference) })
    await stream.close()
    console.log(Object.values(rows.at(-1)).map(shown).join('  '))
  }
}
await model.close()
console.log(`raw: ${writeReport('stabilize', { settings: values, rows })}`)

async function collect(depths) {
  const maps = []
  for await (const { data } of depths) maps.push(data)
  return maps
}

/**
 * change: mean |dₜ − dₜ₋₁|; drift: mean |mean of the last 16 − d₀|; both as parts of d₀'s 5…95 % range. spread: deviation
 * of the scale that fits each frame to the same frame of the windowed pipeline, as a part of its mean.
 */
function measure(maps, reference) {
  const sorted = maps[0].toSorted()
  const range = sorted[Math.floor(sorted.length * 0.95)] - sorted[Math.floor(sorted.length * 0.05)]
  const change = mean(maps.slice(1).map((map, i) => meanOf(map, (value, p) => Math.abs(value - maps[i][p])))) / range
  const late = maps.slice(-16)
  const drift = meanOf(maps[0], (value, p) => Math.abs(mean(late.map((map) => map[p])) - value)) / range
  const scales = maps.map((map, i) => fittedScale(map, reference[i]))
  const spread = Math.sqrt(mean(scales.map((scale) => (scale - mean(scales)) ** 2))) / mean(scales)
  return { change, drift, spread }
}

function fittedScale(map, target) {
  const [m, t] = [mean(map), mean(target)]
  return meanOf(map, (value, p) => (value - m) * (target[p] - t)) / meanOf(map, (value) => (value - m) ** 2)
}

function mean(numbers) {
  return meanOf(numbers, (value) => value)
}

function meanOf(numbers, of) {
  let sum = 0
  for (let i = 0; i < numbers.length; i++) sum += of(numbers[i], i)
  return sum / numbers.length
}

function shown(value) {
  return typeof value === 'number' ? value.toFixed(4) : String(value).padEnd(24)
}
