// Owns: `npm run bench:scenes`: how many frames of scenes a second are drawn.
// Must not know: how they are drawn.

import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { loadAddon } from '../dist/esm/native/addon.js'
import { sceneKinds } from '../dist-tools/scenes/kinds.js'
import { markdown, short } from './report.mjs'
import { writeReport } from './shared.mjs'

const { values } = parseArgs({
  options: {
    width: { type: 'string', default: '168' },
    height: { type: 'string', default: '168' },
    scenes: { type: 'string', default: '24' },
    frames: { type: 'string', default: '8' },
    'no-antialias': { type: 'boolean', default: false },
  },
})
const [width, height, scenes, frames] = ['width', 'height', 'scenes', 'frames'].map((name) => Number(values[name]))
const { Scene } = loadAddon().scene
const threads = availableParallelism()
const antialias = !values['no-antialias']

/** Frames half a second apart, as clips for training are; making the scene is part of it. */
async function draw(kind, seed) {
  const scene = new Scene(kind, seed)
  const frame = (i) => ({ width, height, seconds: i / 2, antialias, shutter: 0, noise: 2, noiseSeed: i, flowTo: null })
  for (let i = 0; i < frames; i += threads)
    await Promise.all(Array.from({ length: Math.min(threads, frames - i) }, (_, k) => scene.render(frame(i + k))))
}

const rows = []
for (const [kind, { name }] of sceneKinds().entries()) {
  await draw(kind, 1) // warm-up
  const [started, cpu] = [performance.now(), process.cpuUsage()]
  for (let seed = 2; seed < 2 + scenes; seed++) await draw(kind, seed)
  const seconds = (performance.now() - started) / 1000
  const used = process.cpuUsage(cpu)
  rows.push({ name, perSecond: (scenes * frames) / seconds, cpuMs: (used.user + used.system) / 1000 / scenes / frames })
}
const all = rows.length / rows.reduce((sum, { perSecond }) => sum + 1 / perSecond, 0)
const cpuMs = rows.reduce((sum, row) => sum + row.cpuMs, 0) / rows.length
rows.push({ name: 'all kinds alike', perSecond: all, cpuMs })
console.log(
  markdown(
    ['kind', 'frames a second', 'processor time a frame, ms', 'hours for a million'],
    rows.map(({ name, perSecond, cpuMs: ms }) => [name, short(perSecond), short(ms), short(1e6 / perSecond / 3600)]),
  ),
)
console.log(`raw: ${writeReport('scenes', { settings: { ...values, threads }, rows })}`)
