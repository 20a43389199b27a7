// Owns: lives of the addon's GPU part that need a process of their own: each prints what it saw as one line of JSON.
// Must not know: what is expected.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { NativeGpuEngine, NativeGpuWindows } from '../../dist/esm/native/gpu-types.js'
import { doubleGpu, folderOf, grey, openDouble, rejection, SmallNetwork, type DoubleLibrary } from './gpu-double.js'

const folder = mkdtempSync(path.join(tmpdir(), 'gpu-double-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true })) // nothing asynchronous ends any more
const network = new SmallNetwork(folder)
const positions = [0, 1, 2, 3]

async function filled(engine: NativeGpuEngine, extra = ''): Promise<NativeGpuWindows> {
  const windows = await network.windows(engine, { extra })
  for (const slot of positions) await windows.encode(grey(200 + slot), slot)
  return windows
}

/** In a function of its own: what an awaiting function has had in hand it may keep. */
async function usedByFive(engine: NativeGpuEngine, before: number): Promise<number> {
  for (let i = 0; i < 5; i++) {
    const windows = await filled(engine)
    await windows.decode(positions, positions)
    await network.streams(engine, [1], 1)
  }
  return before - (await engine.memory()).free
}

const told = async (promise: Promise<unknown>): Promise<object> => {
  const { code, lasting, message } = await rejection(promise)
  return { code, lasting, message }
}

const lives: Readonly<Record<string, (...values: string[]) => Promise<unknown>>> = {
  probe: () => doubleGpu().probe([folderOf('trt10')]),

  library: async (library) => {
    const folders = [folderOf(library as DoubleLibrary)]
    const probe = await doubleGpu().probe(folders)
    return { ...probe.tensorRt.find(({ major }) => major === 10), open: await told(doubleGpu().open(0, folders)) }
  },

  newest: async () => {
    const engine = await doubleGpu().open(0, [folderOf('trt10'), folderOf('trt11')])
    await engine.close()
    return engine.tensorRt
  },

  device: () => told(openDouble()),

  /** Opens windows until there is an allocation that fails, and once more. */
  allocation: async () => {
    const engine = await openDouble()
    const before = (await engine.memory()).free
    const failure = await told(network.windows(engine))
    const { free } = await engine.memory()
    const windows = await filled(engine)
    const { nonFinite } = await windows.decode(positions, positions)
    await engine.close()
    return { failure, freed: before === free, nonFinite }
  },

  /** The context is lost somewhere on the way. */
  lost: async () => {
    const engine = await openDouble()
    const plan = await network.plan(engine, 'encoder', 1)
    const windows = await network.windows(engine)
    let first: object | undefined
    for (let i = 0; i < 100 && first === undefined; i++) {
      const work = async (): Promise<void> => {
        for (const slot of positions) await windows.encode(grey(200), slot)
        await windows.decode(positions, positions)
      }
      first = await work().then(
        () => undefined,
        (error: unknown) => told(Promise.reject(error as Error)),
      )
    }
    const later = [
      await told(windows.encode(grey(1), 0)),
      await told(windows.decode(positions, [0])),
      await told(engine.memory()),
      await told(plan.layers()),
      await told(network.plan(engine, 'encoder', 1)),
      await told(network.windows(engine)),
    ]
    plan.release()
    await windows.close()
    await engine.close()
    return { first, later, closed: await told(engine.memory()) }
  },

  /** Nothing is closed, and only what is idle is left. */
  idle: async () => {
    const engine = await openDouble()
    await filled(engine)
    return engine.tensorRt
  },

  exit: async (when) => {
    const engine = await openDouble()
    const windows = await filled(engine, 'delay 50\n')
    void windows.decode(positions, positions)
    void windows.encode(grey(1), 4)
    void engine.memory()
    await after(Number(when))
    process.exit(3)
  },

  'exit-building': async () => {
    const engine = await openDouble()
    void network.built(engine, 'graph encoder\nslow 100\n')
    await after(30)
    process.exit(3)
  },

  /** Windows, streams and plans that nobody has any more. */
  collected: async () => {
    const engine = await openDouble()
    await (await network.windows(engine)).close() // shared scratch memory stays
    await (await network.streams(engine, [1], 1)).close()
    const before = (await engine.memory()).free
    const used = await usedByFive(engine, before)
    let left = Infinity
    for (let i = 0; i < 50 && left > 0; i++) {
      globalThis.gc?.()
      await after(10)
      left = before - (await engine.memory()).free
    }
    await engine.close()
    return { used, left }
  },

  /** A worker that is ended at some time, again and again. */
  workers: async (count) => {
    const ends: number[] = []
    for (let i = 0; i < Number(count); i++) {
      const worker = new Worker(new URL(import.meta.url), { argv: ['in-worker'], stdout: true })
      const ended = new Promise<number>((resolve) => worker.once('exit', resolve))
      await new Promise((resolve) => worker.once('message', resolve))
      // Opening, building, opening windows, encoding and decoding take some 60 ms.
      await after((i * 7) % 80)
      await worker.terminate()
      ends.push(await ended)
    }
    const engine = await openDouble()
    const windows = await filled(engine)
    const { nonFinite } = await windows.decode(positions, positions)
    await engine.close()
    return { ends: ends.length, nonFinite }
  },

  'in-worker': async () => {
    const { parentPort } = await import('node:worker_threads')
    parentPort?.postMessage('begun')
    const engine = await openDouble()
    const windows = await filled(engine, 'delay 3\n')
    for (;;) {
      const decoding = windows.decode(positions, positions)
      for (const slot of [4, 5, 6]) await windows.encode(grey(slot), slot)
      await decoding
    }
  },
}

const [life = '', ...values] = process.argv.slice(2)
const result = await lives[life]?.(...values)
process.stdout.write(`${JSON.stringify(result)}\n`)
