// Usage: node live-camera.mjs INPUT
//
// Depth of a live camera, frame by frame, until Ctrl-C. INPUT is a V4L2 camera (/dev/video0), an address (rtsp://, http://,
// ...), or a file, which is played in real time.

import { bundledCheckpoint, openLive, VideoDepth } from 'video-depth'

const [input] = process.argv.slice(2)
if (input === undefined) {
  console.error(
    'Usage: node live-camera.mjs INPUT\nINPUT is a camera (/dev/video0), an address (rtsp://...) or a file.',
  )
  process.exit(2)
}

// The first Ctrl-C ends everything in order; a second one ends the process at once.
const stop = new AbortController()
process.once('SIGINT', () => stop.abort(new Error('Interrupted')))
const { signal } = stop

// The bundled network is small and was trained on rendered scenes alone: put a published checkpoint in its place.
const checkpoint = process.env.VIDEO_DEPTH_CHECKPOINT || bundledCheckpoint

let model
let camera
try {
  model = await VideoDepth.load({ checkpoint, signal })
  // A camera that goes away is tried again, at growing intervals, until it is back.
  camera = await openLive(input, { signal, onEvent: ({ type, reason = '' }) => console.error(type, reason) })
  const stream = model.stream({ queue: 'latest', signal }) // a frame that comes while one is computed replaces the waiting one
  const { width, height } = camera.info
  await stream.prepare(width, height) // loads the network before the first frame, not with it

  for await (const { index, data, timings, dropped } of stream.depths(camera)) {
    // What is near? With the published relative checkpoints, and the bundled one, larger values are nearer.
    const nearest = data.reduce((best, value, i) => (value > data[best] ? i : best), 0)
    const [x, y] = [nearest % width, Math.floor(nearest / width)]
    console.log(`frame ${index}: nearest at ${x}, ${y}; ${Math.round(timings.totalMs)} ms, ${dropped} dropped`)
  }
} catch (error) {
  if (!signal.aborted) {
    console.error(`${error.code ?? 'Error'}: ${error.message}`)
    process.exitCode = 1
  }
} finally {
  await camera?.close()
  await model?.close() // closes its streams
}
