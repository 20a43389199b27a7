// Owns: a process in which promises of the package are left alone while what they belong to is closed.
// Must not know: how such a process should end; its parent knows.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { DepthMap, RgbFrame } from '../../dist/esm/base/frame.js'
import { fromFrames } from '../../dist/esm/io/sources/frames-source.js'
import { rgbVideoWriter } from '../../dist/esm/io/sinks/rgb-video-sink.js'
import { openSinks } from '../../dist/esm/io/sinks/sinks.js'
import { EchoEngine, frame, streamOn } from './echo-engine.js'

const folder = mkdtempSync(path.join(tmpdir(), 'left-alone-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

const picture: RgbFrame = { data: new Uint8Array(24), width: 4, height: 2, timestampMs: 0 }
const depth: DepthMap = {
  ...{ index: 0, timestampMs: 0, width: 4, height: 2, kind: 'disparity' },
  data: new Float32Array(8),
}

function heldStream(signal?: AbortSignal): ReturnType<typeof streamOn> {
  const engine = new EchoEngine()
  engine.hold()
  return streamOn(engine, signal === undefined ? {} : { signal })
}

/** One frame, and then none for ever. */
async function* oneFrame(): AsyncGenerator<RgbFrame> {
  yield picture
  await new Promise(() => undefined)
}

const scenes: Readonly<Record<string, () => Promise<void>>> = {
  async push() {
    const stream = heldStream()
    for (const value of [1, 2, 3]) void stream.push(frame(value))
    await wait(1)
    await stream.close()
    void stream.push(frame(4))
  },
  async abort() {
    const abort = new AbortController()
    const stream = heldStream(abort.signal)
    void stream.push(frame(1))
    void stream.push(frame(2))
    abort.abort(new Error('enough'))
    void stream.push(frame(3))
    await wait(1)
  },
  async tasks() {
    const stream = heldStream()
    void stream.push(frame(1))
    void stream.prepare(4, 2)
    void stream.snapshot()
    void stream.restore(new Uint8Array(3))
    await stream.close()
    void stream.snapshot()
  },
  async depths() {
    const stream = heldStream()
    void stream.depths([frame(1)]).next()
    await wait(1)
    await stream.close()
  },
  async 'frames that fail to begin'() {
    const stream = streamOn(new EchoEngine())
    const frames = {
      [Symbol.iterator]: () => {
        throw new Error('no frames today')
      },
    }
    const failed = await stream
      .depths(frames)
      .next()
      .catch((error: unknown) => error)
    if (!(failed instanceof Error)) throw new Error('the reader was not told')
    await stream.close()
  },
  async 'frames that fail to end'() {
    const stream = streamOn(new EchoEngine())
    const frames = {
      [Symbol.iterator]: () => ({
        next: () => ({ done: false, value: frame(1) }) as const,
        return: () => {
          throw new Error('no end either')
        },
      }),
    }
    const depths = stream.depths(frames)
    await depths.next()
    await depths.return?.()
    const source = await fromFrames(frames)
    await source.close()
    await stream.close()
  },
  async source() {
    const source = await fromFrames(oneFrame())
    const frames = source[Symbol.asyncIterator]()
    await frames.next()
    void frames.next()
    void source.close()
    await wait(1)
  },
  async sinks() {
    const sink = await openSinks([
      { format: 'raw', path: path.join(folder, 'a.f32') },
      { format: 'npz', path: path.join(folder, 'a.npz') },
    ])
    for (let index = 0; index < 3; index++) void sink.write({ ...depth, index })
    void sink.finish()
    await sink.abort()
    void sink.write(depth)
    const writer = await rgbVideoWriter(path.join(folder, 'a.mp4'))
    for (let i = 0; i < 3; i++) void writer.write({ ...picture, timestampMs: i * 40 })
    void writer.finish()
    await writer.abort()
    void writer.write(picture)
  },
  async 'a failure'() {
    const stream = streamOn(new EchoEngine())
    void stream.push({ ...frame(1), data: new Uint8Array(5) })
    await wait(1)
    await stream.close()
  },
}

export const quietScenes: readonly string[] = Object.keys(scenes).filter((name) => name !== 'a failure')

const [, main, name = ''] = process.argv
if (main?.endsWith('left-alone-child.js') === true) {
  await scenes[name]?.()
  await wait(20) // what nobody handles is told of in a later turn
}
