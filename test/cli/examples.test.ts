// Owns: tests of the examples, each run in a process of its own as a user would.
// Must not know: what the network computes.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { openVideo } from 'video-depth'
import { WebSocket } from 'ws'
import packageRoot from '../../dist/esm/package-root.cjs'
import { tinyPth } from '../support/checkpoint-files.js'
import { collect } from '../support/frames.js'
import { makeVideo, steady } from '../support/make-video.js'
import { cliEnvironment } from '../support/run-cli.js'

/** Nothing here takes a tenth of it; what hangs fails. */
t.setTimeout(300_000)

const folder = t.testdir()
const at = (...names: string[]): string => path.join(folder, ...names)
const examples = path.join(packageRoot, 'examples')
const posix = { skip: process.platform === 'win32' ? 'no POSIX signals on Windows' : false }
const size = { width: 64, height: 36 }
const clip = await makeVideo({ path: at('clip.mp4'), times: steady(8, 25), ...size })
/** Played in real time it is longer than anything here takes. */
const long = await makeVideo({ path: at('long.mp4'), times: steady(7500, 25), width: 32, height: 18 })

class Example {
  readonly #child: ChildProcess
  readonly #listeners = new Set<() => void>()
  readonly ended: Promise<number | null>
  out = ''
  error = ''
  #isEnded = false

  constructor(name: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const environment = { ...cliEnvironment(), XDG_CACHE_HOME: at('cache'), ...env }
    this.#child = spawn(process.execPath, [path.join(examples, name), ...args], { cwd: folder, env: environment })
    this.#child.stdout?.on('data', (data: Buffer) => this.#told(() => (this.out += data.toString())))
    this.#child.stderr?.on('data', (data: Buffer) => this.#told(() => (this.error += data.toString())))
    this.ended = once(this.#child, 'close').then(([code]) => code as number | null)
    void this.ended.then(() => this.#told(() => (this.#isEnded = true)))
    t.teardown(() => this.kill('SIGKILL'))
  }

  #told(take: () => unknown): void {
    take()
    for (const listener of this.#listeners) listener()
  }

  /** Until its output matches; rejects where the example ends before. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(this.out) ?? pattern.exec(this.error)
        if (match !== null) resolve(match)
        else if (this.#isEnded) reject(new Error(`The example ended: ${this.out}${this.error}`))
        else return
        this.#listeners.delete(look)
      }
      this.#listeners.add(look)
      look()
    })
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }
}

const frameCount = async (file: string): Promise<number> => (await collect(await openVideo(file))).frames.length

t.test('wrong usage is told, with exit code 2', async (t) => {
  const wrong: Readonly<Record<string, readonly string[]>> = {
    'batch-folder.mjs': ['only-one'],
    'file-to-depth-video.mjs': [],
    'live-camera.mjs': [],
    'many-cameras.mjs': [],
    'own-frames.mjs': ['none'],
    'websocket-client.mjs': ['ws://127.0.0.1:1'],
    'websocket-server.mjs': ['a-port'],
  }
  const names = readdirSync(examples).filter((name) => name.endsWith('.mjs'))
  t.same(names, Object.keys(wrong), 'every example is here')
  for (const name of names) {
    const text = readFileSync(path.join(examples, name), 'utf8')
    t.match(text, /^\/\/ Usage: .*node /, `${name} begins with its usage`)
    t.ok(text.split('\n').length <= 61, `${name} fits on a screen`)
    const example = new Example(name, wrong[name] ?? [])
    t.equal(await example.ended, 2, name)
    t.match(example.error, new RegExp(`^Usage: .*node ${name}`))
  }
})

t.test('file to depth video', async (t) => {
  const example = new Example('file-to-depth-video.mjs', [clip], { VIDEO_DEPTH_CHECKPOINT: tinyPth })
  t.equal(await example.ended, 0, example.error)
  t.match(example.out, 'clip_depth.mp4')
  t.equal(await frameCount(at('clip_depth.mp4')), 8)
  const missing = new Example('file-to-depth-video.mjs', ['missing.mp4'])
  t.equal(await missing.ended, 1)
  t.match(missing.error, /SOURCE_UNREADABLE: .*missing\.mp4/)
})

t.test('file to depth video: Ctrl-C leaves nothing', posix, async (t) => {
  mkdirSync(at('stopped'))
  const example = new Example('file-to-depth-video.mjs', [long, at('stopped', 'depth.mp4')])
  await example.until(/frames/)
  example.kill('SIGINT')
  t.equal(await example.ended, 130)
  t.same(readdirSync(at('stopped')), [])
})

t.test('frames of your own', async (t) => {
  const example = new Example('own-frames.mjs', ['3'])
  t.equal(await example.ended, 0, example.error)
  t.match(example.out, /^(frame \d: 14400 values, mean [\d.]+, centre [\d.]+\n){3}$/)
})

t.test('live camera: a file in real time, Ctrl-C', posix, async (t) => {
  const example = new Example('live-camera.mjs', [long])
  await example.until(/frame \d+: nearest at \d+, \d+; \d+ ms, \d+ dropped\n/)
  example.kill('SIGINT')
  t.equal(await example.ended, 0, example.error)
  t.match(example.error, /^connected \n$/)
  const missing = new Example('live-camera.mjs', ['missing.mp4'])
  t.equal(await missing.ended, 1)
  t.match(missing.error, /SOURCE_UNREADABLE: /)
})

t.test('many cameras: one that is not there does not end the others', async (t) => {
  copyFileSync(clip, at('second.mp4'))
  const example = new Example('many-cameras.mjs', ['clip.mp4', 'missing.mp4', 'second.mp4'])
  t.equal(await example.ended, 1)
  t.match(example.error, /missing\.mp4: SOURCE_UNREADABLE: /)
  for (const name of ['clip', 'second'])
    t.match(example.out, new RegExp(`${name}\\.mp4: 8 frames came, [1-8] computed, [0-7] dropped`))
})

t.test('batch of a folder: goes on after a file that fails', async (t) => {
  mkdirSync(at('videos'))
  for (const name of ['a.mp4', 'c.mp4']) copyFileSync(clip, at('videos', name))
  writeFileSync(at('videos', 'b.mp4'), 'not a video')
  writeFileSync(at('videos', 'notes.txt'), 'not meant')
  const example = new Example('batch-folder.mjs', ['videos', 'depths'])
  t.equal(await example.ended, 1)
  t.match(example.out, /^a\.mp4: done\nc\.mp4: done\n3 videos, 1 failed\n$/)
  t.match(example.error, /^b\.mp4: SOURCE_UNREADABLE: /)
  t.same(readdirSync(at('depths')), ['a.mp4_depth.mp4', 'c.mp4_depth.mp4'])
  rmSync(at('videos', 'b.mp4'))
  t.equal(await new Example('batch-folder.mjs', ['videos', 'depths']).ended, 0)
  const empty = new Example('batch-folder.mjs', ['stopped-or-missing', 'depths'])
  t.equal(await empty.ended, 1)
  t.match(empty.error, /ENOENT/)
})

t.test('WebSocket server', async (t) => {
  const server = new Example('websocket-server.mjs', ['0'])
  const address = (await server.until(/^ws:\S+/))[0]

  const client = new Example('websocket-client.mjs', [address, clip])
  t.equal(await client.ended, 0, client.error)
  t.equal(client.out.match(/frame \d: depth 64x36, 2304 values, first [\d.]+\n/g)?.length, 8)

  await t.test('a client that sends everything at once gets all answers, in order', async (t) => {
    const { width, height } = size
    const socket = await connected(`${address}/?width=${width}&height=${height}`)
    const received: number[] = []
    const all = new Promise<void>((resolve) => {
      socket.on('message', (data: Buffer) => {
        received.push(data.length)
        if (received.length === 50) resolve()
      })
    })
    for (let index = 0; index < 50; index++) socket.send(Buffer.alloc(width * height * 3, index))
    await all
    t.same(new Set(received), new Set([width * height * 4]))
    socket.close()
  })

  await t.test('what does not fit is refused with the reason', async (t) => {
    const wrong = await connected(`${address}/?width=8&height=8`)
    for (let index = 0; index < 4; index++) wrong.send(Buffer.alloc(7)) // also while messages wait
    const [code, reason] = (await once(wrong, 'close')) as [number, Buffer]
    t.equal(code, 1008)
    t.match(reason.toString(), /^Frame 0: /)
    const large = await connected(`${address}/?width=10000&height=10000`)
    const [, tooLarge] = (await once(large, 'close')) as [number, Buffer]
    t.match(tooLarge.toString(), /at most 2073600 pixels/)
  })

  const taken = new Example('websocket-server.mjs', [new URL(address).port])
  t.equal(await taken.ended, 1)
  t.match(taken.error, /EADDRINUSE/)
  const last = await connected(`${address}/?width=8&height=8`)
  const gone = once(last, 'close')
  if (process.platform === 'win32') return
  server.kill('SIGINT')
  t.equal((await gone)[0], 1001)
  t.equal(await server.ended, 0, server.error)
  const alone = new Example('websocket-client.mjs', [address, clip])
  t.equal(await alone.ended, 1)
  t.match(alone.error, /ECONNREFUSED/)
})

async function connected(address: string): Promise<WebSocket> {
  const socket = new WebSocket(address)
  await once(socket, 'open')
  return socket
}
