// Usage: node batch-folder.mjs FOLDER OUTPUT
//
// Depth videos of all videos in a folder, with one model. A file that fails is reported and the next one is taken; then
// the exit code is 1.

import { mkdir, readdir } from 'node:fs/promises'
import path from 'node:path'
import { bundledCheckpoint, openSink, VideoDepth } from 'video-depth'

const [folder, output] = process.argv.slice(2)
if (folder === undefined || output === undefined) {
  console.error('Usage: node batch-folder.mjs FOLDER OUTPUT')
  process.exit(2)
}

// The first Ctrl-C ends everything in order; a second one ends the process at once.
const stop = new AbortController()
process.once('SIGINT', () => stop.abort(new Error('Interrupted')))
const { signal } = stop

// The bundled network is small and was trained on rendered scenes alone: put a published checkpoint in its place.
const checkpoint = process.env.VIDEO_DEPTH_CHECKPOINT || bundledCheckpoint

async function depthVideo(model, input, target) {
  const sink = await openSink({ format: 'video', path: target })
  try {
    for await (const depth of model.process(input, { signal })) await sink.write(depth)
    await sink.finish()
  } catch (error) {
    await sink.abort() // removes what is half written
    throw error
  }
}

try {
  const names = (await readdir(folder)).filter((name) => /\.(mp4|mov|mkv|webm|avi)$/i.test(name)).sort()
  if (names.length === 0) throw new Error(`${folder} has no video (mp4, mov, mkv, webm, avi)`)
  await mkdir(output, { recursive: true })
  const model = await VideoDepth.load({ checkpoint, signal }) // once: loading is the slow part
  const failed = []
  for (const name of names) {
    try {
      await depthVideo(model, path.join(folder, name), path.join(output, `${name}_depth.mp4`))
      console.log(`${name}: done`)
    } catch (error) {
      if (signal.aborted) break
      console.error(`${name}: ${error.code ?? 'Error'}: ${error.message}`)
      failed.push(name)
    }
  }
  await model.close()
  console.log(`${names.length} videos, ${failed.length} failed`)
  process.exitCode = signal.aborted ? 130 : failed.length > 0 ? 1 : 0
} catch (error) {
  console.error(`${error.code ?? 'Error'}: ${error.message}`)
  process.exitCode = signal.aborted ? 130 : 1
}
