// Owns: a program that writes a live depth video until it is interrupted, for tests.
// Must not know: tests.

import { setTimeout } from 'node:timers/promises'
import { liveVideoSink } from '../../dist/esm/io/sinks/video-sink.js'
import { depthFrame } from './frames.js'

const [path = ''] = process.argv.slice(2)
let interrupted = false
process.once('SIGINT', () => (interrupted = true))
const sink = await liveVideoSink(path, { range: 'running' })
for (let index = 0; !interrupted; index++) {
  await sink.write(depthFrame(index, 64, 48, (frame, x, y) => frame + x + y))
  if (index === 10) process.stdout.write('running\n')
  await setTimeout(5)
}
await sink.finish()
