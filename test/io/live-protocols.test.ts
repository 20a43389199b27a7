// Owns: tests of live sources over RTSP and RTMP, with servers that are other programs.
// Must not know: engines, sinks.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import path from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import packageRoot from '../../dist/esm/package-root.cjs'
import type { LiveEvent } from '../../dist/esm/io/live/live-options.js'
import { openLive, type LiveFrame } from '../../dist/esm/io/live/live-source.js'
import { makeVideo, steady } from '../support/make-video.js'

t.setTimeout(120_000)

const folder = t.testdir()
const recipe = { width: 64, height: 48, times: steady(100, 25), keyInterval: 25 }
const rtspServer = path.join(packageRoot, 'test', 'support', 'rtsp-server.py')
const quick = { firstDelayMs: 50, mostDelayMs: 200 } as const

function kill(child: ChildProcess): Promise<unknown> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  return gone
}

function started(t: Test, command: string, args: readonly string[]): ChildProcess {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => kill(child))
  return child
}

/** The interpreter that has GStreamer's RTSP server, or why there is none. */
function gstreamer(): { readonly python?: string; readonly skip: string | false } {
  for (const python of ['/usr/bin/python3', 'python3']) {
    try {
      execFileSync(python, [rtspServer], { stdio: 'ignore' })
      return { python, skip: false }
    } catch {
      // The next one may have it.
    }
  }
  return {
    skip: 'no GStreamer RTSP server (Debian: gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-good gstreamer1.0-plugins-bad)',
  }
}

async function rtspOn(
  t: Test,
  python: string,
  port: number,
  file: string,
): Promise<{ child: ChildProcess; port: number }> {
  const child = started(t, python, [rtspServer, String(port), file])
  if (child.stdout === null) throw new Error('no pipe')
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  return { child, port: Number(line) }
}

const { python = '', skip } = gstreamer()

for (const rtspTransport of ['tcp', 'udp'] as const) {
  t.test(`RTSP over ${rtspTransport}: the server dies and comes back`, { skip }, async (t) => {
    const file = await makeVideo({ ...recipe, path: path.join(folder, `${rtspTransport}.mp4`) })
    const first = await rtspOn(t, python, 0, file)
    const events: LiveEvent[] = []
    const source = await openLive(`rtsp://me:secret@127.0.0.1:${first.port}/cam`, {
      ...{ rtspTransport, stallMs: 2000, reconnect: quick },
      onEvent: (event) => events.push(event),
    })
    t.match(source.info, { width: 64, height: 48, name: `127.0.0.1-${first.port}-cam` })
    const frames: LiveFrame[] = []
    for await (const frame of source) {
      frames.push(frame)
      if (frames.length === 10) {
        await kill(first.child)
        await rtspOn(t, python, first.port, file)
      }
      if (frame.discontinuity) break
    }
    t.ok(frames.length >= 10)
    t.ok(frames.every(({ timestampMs }, i) => i === 0 || timestampMs > (frames[i - 1]?.timestampMs ?? Infinity)))
    t.equal(source.stats.reconnects, 1)
    t.match(events[1], { type: 'lost' })
    t.notMatch(JSON.stringify(events), /secret/)
  })
}

t.test('RTSP: no such stream', { skip }, async (t) => {
  const file = await makeVideo({ ...recipe, path: path.join(folder, 'other.mp4') })
  const { port } = await rtspOn(t, python, 0, file)
  await t.rejects(openLive(`rtsp://127.0.0.1:${port}/none`), {
    code: 'SOURCE_UNREADABLE',
    message: `Cannot read rtsp://127.0.0.1:${port}/none (RTSP over tcp): Server returned 404 Not Found`,
  })
})

t.test('RTMP: a publisher that goes and comes', { skip: noFfmpeg() }, async (t) => {
  const file = await makeVideo({ ...recipe, path: path.join(folder, 'x.flv') })
  const port = await freePort()
  const address = `rtmp://127.0.0.1:${port}/live/x`
  const args = ['-loglevel', 'quiet', '-re', '-i', file, '-c', 'copy', '-f', 'flv', '-listen', '1', address]
  let publisher = started(t, 'ffmpeg', args)
  const source = await openLive(address, { stallMs: 5000, reconnect: { first: true, ...quick } })
  t.match(source.info, { width: 64, height: 48 })
  let count = 0
  for await (const frame of source) {
    if (++count === 10) {
      await kill(publisher)
      publisher = started(t, 'ffmpeg', args)
    }
    if (frame.discontinuity) break
  }
  t.ok(count >= 11)
  t.equal(source.stats.reconnects, 1)
})

function noFfmpeg(): string | false {
  try {
    execFileSync('ffmpeg', ['-version'], { stdio: 'ignore' })
    return false
  } catch {
    return 'the ffmpeg command is not here'
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise<void>((resolve) => {
    server.close(() => resolve())
  })
  return port
}
