// Usage: node file-to-depth-video.mjs VIDEO [DEPTH.mp4]
//
// Turns a video file into a depth video. A folder of images works like a video.

import path from 'node:path'
import { bundledCheckpoint, openSink, VideoDepth } from 'video-depth'

const [input, output = `${path.parse(input ?? '').name}_depth.mp4`] = process.argv.slice(2)
if (input === undefined) {
  console.error('Usage: node file-to-depth-video.mjs VIDEO [DEPTH.mp4]')
  process.exit(2)
}

// The first Ctrl-C ends everything in order; a second one ends the process at once.
const stop = new AbortController()
process.once('SIGINT', () => stop.abort(new Error('Interrupted')))
const { signal } = stop

// The bundled network is small and was trained on rendered scenes alone: put a published checkpoint in its place.
const checkpoint = process.env.VIDEO_DEPTH_CHECKPOINT || bundledCheckpoint

try {
  const model = await VideoDepth.load({ checkpoint, signal })
  try {
    // Nothing appears under the output's name before finish().
    const sink = await openSink({ format: 'video', path: output, palette: 'inferno' })
    try {
      // Each depth map is a Float32Array [height, width], larger is nearer, on one scale for the whole video.
      for await (const depth of model.process(input, { signal })) {
        await sink.write(depth)
        if (depth.index % 10 === 0) process.stderr.write(`\r${depth.index + 1} frames`)
      }
      await sink.finish()
    } catch (error) {
      await sink.abort() // removes what is half written
      throw error
    }
  } finally {
    await model.close()
  }
  console.log(`\n${output}`)
} catch (error) {
  console.error(`\n${error.code ?? 'Error'}: ${error.message}`) // codes are stable, messages are for people
  process.exitCode = signal.aborted ? 130 : 1
}
