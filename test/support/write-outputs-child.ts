// Owns: a process that writes every kind of output, always the same depth.
// Must not know: what is asked about them.

import { openSinks } from '../../dist/esm/io/sinks/sinks.js'
import { depthFrame } from './frames.js'
import { allOutputs } from './outputs.js'

/** `wait`: does not finish, but waits to be killed. */
const [folder = '', wait] = process.argv.slice(2)
const sink = await openSinks(allOutputs(folder))
/** Moves, and is busy enough for the encoder to weigh one block against another. */
const value = (index: number, x: number, y: number): number =>
  Math.sin((x + index * 3) / 17) * Math.cos((y - index) / 13) + ((Math.imul(x * 31 + y * 17, 40503) >>> 8) % 64) / 400
for (let index = 0; index < 16; index++) await sink.write(depthFrame(index, 320, 180, value))
if (wait === 'wait') {
  process.stdout.write('written\n')
  setInterval(() => undefined, 1000)
} else await sink.finish()
