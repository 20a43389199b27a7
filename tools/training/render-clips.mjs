// Owns: a stream of rendered clips on standard output, for training.
// Must not know: networks. The format is in README.md.

import { parseArgs } from 'node:util'
import { kindIndex, sceneKinds } from '../../dist-tools/scenes/kinds.js'
import { exactDisparity } from '../../dist-tools/scenes/rendered-frame.js'
import { renderClip } from '../../dist-tools/scenes/sequence.js'

const magic = 0x31434456 // "VDC1"
const number = (value) => ({ type: 'string', default: String(value) })
const { values } = parseArgs({
  options: {
    width: number(168),
    height: number(168),
    frames: number(1),
    clips: number(2 ** 31),
    seed: number(1),
    kinds: { type: 'string' },
    held: { type: 'boolean', default: false },
  },
})
const [width, height, frames, clips, firstSeed] = ['width', 'height', 'frames', 'clips', 'seed'].map((name) =>
  Number(values[name]),
)
const kinds =
  values.kinds?.split(',').map((name) => sceneKinds()[kindIndex(name, '--kinds')]) ??
  sceneKinds().filter(({ heldOut }) => heldOut === values.held)

/** A number that only the seed determines, 0…1. */
function drawn(seed, salt) {
  let v = (Math.imul(seed, 0x9e3779b1) + Math.imul(salt, 0x85ebca6b)) >>> 0
  v = Math.imul(v ^ (v >>> 16), 0x7feb352d) >>> 0
  v = Math.imul(v ^ (v >>> 15), 0x846ca68b) >>> 0
  return ((v ^ (v >>> 16)) >>> 0) / 2 ** 32
}

/** Rates, moments, blur and noise vary, as cameras do. */
function clipOf(index) {
  const seed = (firstSeed + index) % 2 ** 32
  const kind = kinds[index % kinds.length].name
  const frameRate = frames <= 4 ? 0.1 : 6 + 24 * drawn(seed, 1)
  const shutter = frames <= 4 || drawn(seed, 4) < 0.7 ? 0 : 0.5
  const noise = drawn(seed, 2) < 0.5 ? 0 : 6 * drawn(seed, 3)
  return { seed, kind, frames, frameRate, width, height, shutter, noise, startSeconds: 60 * drawn(seed, 5) }
}

async function write(bytes) {
  if (!process.stdout.write(bytes)) await new Promise((resolve) => process.stdout.once('drain', resolve))
}

process.stdout.on('error', (error) => {
  if (error.code === 'EPIPE') process.exit(0) // the reader has gone
  throw error
})
const rendered = (index) => renderClip(clipOf(index))
let next = rendered(0)
for (let index = 0; index < clips; index++) {
  const clip = await next
  if (index + 1 < clips) next = rendered(index + 1)
  const { seed, kind } = clipOf(index)
  const kindNumber = sceneKinds().findIndex(({ name }) => name === kind)
  await write(Buffer.from(Int32Array.of(magic, frames, height, width, kindNumber, seed | 0, 0, 0).buffer))
  for (const { data } of clip) await write(data)
  for (const frame of clip) await write(new Uint8Array(exactDisparity(frame).buffer))
}
