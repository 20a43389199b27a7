// Owns: tests of a snapshot's bytes: what is refused and how, on an engine that computes nothing.
// Must not know: how depth is computed; stream-engine.test.ts goes on from a snapshot in another process.

import { crc32 } from 'node:zlib'
import t from 'tap'
import { decodeSnapshot } from '../../dist/esm/stream/snapshot.js'
import { EchoEngine, frame, streamOn } from '../support/echo-engine.js'

/** With another header, and a checksum that fits. */
function crafted(bytes: Uint8Array, change: (header: object) => object): Uint8Array {
  const length = new DataView(bytes.buffer).getUint32(12, true)
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(20, 20 + length))) as object
  const text = new TextEncoder().encode(JSON.stringify(change(header)))
  const made = new Uint8Array([...bytes.subarray(0, 20), ...text, ...bytes.subarray(20 + length)])
  const view = new DataView(made.buffer)
  view.setUint32(12, text.length, true)
  view.setUint32(16, crc32(made.subarray(20)), true)
  return made
}

t.test('snapshots: exact about what they belong to', async (t) => {
  const engine = new EchoEngine()
  const stream = streamOn(engine)
  await t.rejects(stream.snapshot(), { code: 'SNAPSHOT_MISMATCH', message: /nothing to go on from/ })
  for (const value of [1, 2, 3]) await stream.push(frame(value))
  const bytes = await stream.snapshot()
  const other = streamOn(engine)
  await other.restore(bytes)
  t.match(await other.push(frame(4)), { index: 3, scene: { index: 0, cut: false } })
  t.same(engine.order.at(-1), [4, false], 'it goes on')

  const damaged = bytes.slice()
  damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1
  const versioned = bytes.slice()
  versioned[8] = 9
  const senseless = crafted(bytes, (header) => ({ ...header, frames: -7 }))
  const unequal = crafted(bytes, (header) => ({ ...header, memoryBytes: 4000 }))
  const sized = (frameWidth: number, frameHeight: number): Uint8Array =>
    crafted(bytes, (header) => ({ ...header, geometry: { frameWidth, frameHeight, inputWidth: 14, inputHeight: 14 } }))
  const cases: readonly [Uint8Array, RegExp][] = [
    [sized(1, 2 ** 53), /header makes no sense/],
    [sized(2 ** 52, 2 ** 52), /header makes no sense/],
    [sized(0, 1), /header makes no sense/],
    [sized(32_769, 1), /header makes no sense/],
    [damaged, /truncated or damaged/],
    [bytes.subarray(0, bytes.length - 3), /truncated or damaged/],
    [versioned, /version 9, this package reads version 1/],
    [senseless, /header makes no sense/],
    [unequal, /do not add up/],
    [new Uint8Array(100), /no snapshot/],
    [new Uint8Array(3), /no snapshot/],
    ['nothing' as unknown as Uint8Array, /Expected a Uint8Array/],
  ]
  for (const [wrong, message] of cases) await t.rejects(other.restore(wrong), { code: 'SNAPSHOT_MISMATCH', message })
  await t.rejects(streamOn(engine, { stabilize: true }).restore(bytes), { message: /stabilized is false/ })
  const stranger = new EchoEngine()
  Object.assign(stranger, { id: 'another' })
  await t.rejects(streamOn(stranger).restore(bytes), { message: /of another network \(echo\)/ })
  const [made, taken] = [new EchoEngine(), new EchoEngine()]
  Object.assign(made, { id: 'a.1.2-5.int8.cpu-avx2-int8-v2' })
  Object.assign(taken, { id: 'a.1.2-5.fp32.cpu-avx2-fp32-v2' })
  const source = streamOn(made)
  await source.push(frame(1))
  await t.rejects(streamOn(taken).restore(await source.snapshot()), {
    code: 'SNAPSHOT_MISMATCH',
    message:
      "The snapshot was made by other kernels or precision (int8.cpu-avx2-int8-v2) than this model's (fp32.cpu-avx2-fp32-v2)",
  })
  t.match(await other.push(frame(5)), { index: 4 }, 'a refused snapshot changes nothing')
})

t.test('a buffer that is taken away while it is read is noticed', async (t) => {
  const large = new Uint8Array(20 << 20) // read in slices
  const restored = decodeSnapshot(large)
  structuredClone(large.buffer, { transfer: [large.buffer] })
  await t.rejects(restored, { code: 'SNAPSHOT_MISMATCH', message: /resized or transferred while it was read/ })
})
