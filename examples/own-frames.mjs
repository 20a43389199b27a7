// Usage: node own-frames.mjs [FRAMES]
//
// Depth of frames that your own code makes or decodes, as arrays of numbers. Here each frame is drawn: a bright disc that
// crosses a grey gradient.

import { bundledCheckpoint, VideoDepth } from 'video-depth'

const count = Number(process.argv[2] ?? 24)
if (!Number.isInteger(count) || count < 1) {
  console.error('Usage: node own-frames.mjs [FRAMES]\nFRAMES is a whole number from 1; default 24.')
  process.exit(2)
}
const [width, height] = [160, 90]

/** Any iterable of frames will do, also an asynchronous one: a decoder, a game engine, a queue. */
function* frames() {
  const data = new Uint8Array(width * height * 3) // copied before the next frame is asked for, so it may be reused
  for (let frame = 0; frame < count; frame++) {
    const [centreX, centreY] = [(width * (frame + 0.5)) / count, height / 2]
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const inDisc = Math.hypot(x - centreX, y - centreY) < 20
        data.fill(inDisc ? 230 : 40 + y, (y * width + x) * 3, (y * width + x) * 3 + 3)
      }
    }
    // RGB by default. For other bytes: pixelFormat: 'bgr24', 'rgba', 'gray8', 'nv12', ..., and strideBytes for padded rows.
    yield { data, width, height, timestampMs: frame * 40 }
  }
}

// The bundled network is small and was trained on rendered scenes alone: put a published checkpoint in its place.
const checkpoint = process.env.VIDEO_DEPTH_CHECKPOINT || bundledCheckpoint

try {
  const model = await VideoDepth.load({ checkpoint })
  try {
    // You pull: while you are busy with a depth map, at most one window of frames is computed ahead.
    for await (const { index, data } of model.process(frames())) {
      // data is a Float32Array [height, width], row by row: the value at column x of row y is data[y * width + x].
      const centre = data[Math.floor(height / 2) * width + Math.floor(width / 2)]
      const mean = data.reduce((sum, value) => sum + value, 0) / data.length
      console.log(`frame ${index}: ${data.length} values, mean ${mean.toFixed(3)}, centre ${centre.toFixed(3)}`)
    }
  } finally {
    await model.close()
  }
} catch (error) {
  console.error(`${error.code ?? 'Error'}: ${error.message}`)
  process.exitCode = 1
}
