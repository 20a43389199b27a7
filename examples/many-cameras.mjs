// Usage: UV_THREADPOOL_SIZE=16 node many-cameras.mjs INPUT INPUT ...
//
// Many cameras on one model, until Ctrl-C. INPUT is a camera (/dev/video0), an address (rtsp://...) or a file played in
// real time. Each open camera keeps one of Node's pool threads busy; there are four unless UV_THREADPOOL_SIZE says more.

import { bundledCheckpoint, openLive, VideoDepth } from 'video-depth'

const inputs = process.argv.slice(2)
if (inputs.length === 0) {
  console.error('Usage: UV_THREADPOOL_SIZE=16 node many-cameras.mjs INPUT INPUT ...')
  process.exit(2)
}

// The first Ctrl-C ends everything in order; a second one ends the process at once.
const stop = new AbortController()
process.once('SIGINT', () => stop.abort(new Error('Interrupted')))
const { signal } = stop

// The bundled network is small and was trained on rendered scenes alone: put a published checkpoint in its place.
const checkpoint = process.env.VIDEO_DEPTH_CHECKPOINT || bundledCheckpoint

/** One camera, one stream: its memory of earlier frames is its own. */
async function watch(model, input) {
  let camera
  const stream = model.stream({ queue: 'latest', signal }) // streams take turns, frame by frame
  try {
    camera = await openLive(input, { signal })
    for await (const { index, data } of stream.depths(camera)) {
      const mean = data.reduce((sum, value) => sum + value, 0) / data.length
      console.log(`${input}: frame ${index}, mean depth ${mean.toFixed(3)}`)
    }
    const { framesIn, framesOut, dropped } = stream.stats
    console.log(`${input}: ${framesIn} frames came, ${framesOut} computed, ${dropped} dropped`)
  } catch (error) {
    if (signal.aborted) return
    console.error(`${input}: ${error.code ?? 'Error'}: ${error.message}`) // the other cameras go on
    process.exitCode = 1
  } finally {
    await stream.close()
    await camera?.close()
  }
}

try {
  // Weights are in memory once, however many cameras. On a GPU, streamBatch: 4 computes four streams' frames together.
  const model = await VideoDepth.load({ checkpoint, signal })
  await Promise.all(inputs.map((input) => watch(model, input)))
  await model.close()
} catch (error) {
  if (!signal.aborted) {
    console.error(`${error.code ?? 'Error'}: ${error.message}`)
    process.exitCode = 1
  }
}
