// Owns: the sample that comes with the package: a rendered clip and its exact depth, written into sample/.
// Must not know: what reads it (lib/cli/sample).

import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import sharp from 'sharp'
import { rgbVideoWriter } from 'video-depth'
import { farthest } from '../../dist-tools/scenes/scored-frame.js'
import { renderSequence } from '../../dist-tools/scenes/sequence.js'

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: 'sample' },
    kind: { type: 'string', default: 'room' },
    seed: { type: 'string', default: '8' },
    start: { type: 'string', default: '0' },
    frames: { type: 'string', default: '44' },
  },
})
/** Pixels of the picture; the truth has every second row and column of it. */
const size = { width: 320, height: 240 }
const truthSize = { width: size.width / 2, height: size.height / 2 }
const frameRate = 24
const frames = Number(values.frames)
const [kind, seed, startSeconds] = [values.kind, Number(values.seed), Number(values.start)]

const writer = await rgbVideoWriter(path.join(values.out, 'sample.mp4'), { frameRate })
const pixels = truthSize.width * truthSize.height
const disparity = new Float32Array(frames * pixels)
const still = Buffer.alloc(frames * pixels)
const poses = []
let intrinsics
let index = 0
for await (const frame of renderSequence({ ...size, frameRate, kind, seed, frames, startSeconds })) {
  await writer.write(frame)
  poses.push(Array.from(frame.pose))
  intrinsics = frame.intrinsics
  for (let p = 0; p < pixels; p++) {
    const from = 2 * Math.floor(p / truthSize.width) * size.width + 2 * (p % truthSize.width)
    disparity[index * pixels + p] = 1 / frame.depth[from]
    still[index * pixels + p] = frame.depth[from] < farthest && frame.moving[from] === 0 ? 255 : 0
  }
  index++
}
await writer.finish()

/** 13 bits: a rounding error of 0.05 % five metres away, and a third of the bytes of 16. */
const step = disparity.reduce((most, value) => Math.max(most, value), 0) / 8_191
const levels = Uint16Array.from(disparity, (value) => Math.round(value / step))
const raw = (channels) => ({ raw: { width: truthSize.width, height: frames * truthSize.height, channels } })
await sharp(levels, raw(1))
  .toColourspace('grey16')
  .png({ compressionLevel: 9, adaptiveFiltering: true })
  .toFile(path.join(values.out, 'truth.png'))
await sharp(still, raw(1))
  .png({ compressionLevel: 9, palette: true, colours: 2 })
  .toFile(path.join(values.out, 'still.png'))
const { fx, fy, cx, cy } = intrinsics
const truth = { ...truthSize, step, intrinsics: { fx: fx / 2, fy: fy / 2, cx: cx / 2, cy: cy / 2 } }
const facts = { scene: `${kind} ${seed}`, frames, frameRate, truth, poses }
writeFileSync(path.join(values.out, 'sample.json'), `${JSON.stringify(facts)}\n`)
