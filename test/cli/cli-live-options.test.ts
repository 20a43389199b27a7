// Owns: tests of what `live` refuses and of what it says while it runs.
// Must not know: what the network computes, how `live` ends.

import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, linkSync, readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { StatusLine } from '../../dist/esm/cli/live/live-status.js'
import { tinyPth } from '../support/checkpoint-files.js'
import { makeVideo, steady } from '../support/make-video.js'
import { CliHost, cliMain, type CliText } from '../support/run-cli.js'

t.setTimeout(300_000)

const folder = t.testdir()
const at = (...names: string[]): string => path.join(folder, ...names)
/** No such checkpoint: whoever loads it before all else is checked fails with another message. */
const network = ['--checkpoint', at('none.pth')]
const clip = await makeVideo({ path: at('clip.mp4'), times: steady(4, 24), width: 64, height: 36 })
const rtsp = 'rtsp://me:secret@localhost/x'
const host = new CliHost()
t.teardown(() => host.close())
const run = (...args: string[]): Promise<CliText> => host.run(args, { cwd: folder })

const refusals: readonly [string, readonly string[], RegExp][] = [
  ['no output', [clip], /live needs an output: --video, --png or --stdout/],
  ['two on standard output', [clip, '--stdout', '--json'], /--stdout and --json both write to standard output/],
  ['no size', ['-', '--stdout'], /Expected WIDTHxHEIGHT of the raw frames for --size/],
  ['half a size', ['-', '--stdout', '--size', '12'], /for --size, received "12"/],
  ['size 0', ['-', '--stdout', '--size', '0x9'], /from 1 to 32768 for --size \(width\), received 0/],
  [
    'odd nv12',
    ['-', '--stdout', '--size', '5x6', '--pixel-format', 'nv12'],
    /an even number.*--size \(width\), received 5/,
  ],
  ['fps 0', ['-', '--stdout', '--size', '4x4', '--fps', '0'], /above 0 for --fps, received 0/],
  [
    'matrix of RGB',
    ['-', '--stdout', '--size', '4x4', '--color-matrix', 'bt709'],
    /--color-matrix needs --pixel-format nv12 or yuyv422/,
  ],
  [
    'range of RGB',
    ['-', '--stdout', '--size', '4x4', '--color-range', 'full'],
    /--color-range needs --pixel-format nv12, yuyv422 or gray8/,
  ],
  ...[
    ['--size', '4x4'],
    ['--fps', '5'],
    ['--pixel-format', 'nv12'],
    ['--color-matrix', 'bt601'],
    ['--color-range', 'full'],
  ].map((given): [string, string[], RegExp] => [
    `${given[0]} with a file`,
    [clip, '--stdout', ...given],
    new RegExp(`${given[0]} needs - as the input`),
  ]),
  ...[['--max-res', '64'], ['--stall', '5'], ['--reconnect', '1'], ['--rtsp-transport', 'tcp'], ['--wait']].map(
    (given): [string, string[], RegExp] => [
      `${given[0]} with -`,
      ['-', '--size', '4x4', '--stdout', ...given],
      new RegExp(`${given[0]} needs a camera, an address or a file as the input`),
    ],
  ),
  ['secrets', [rtsp, '--stdout', '--size', '4x4'], /--size needs - as the input/],
  [
    'a transport of HTTP',
    ['http://localhost/x', '--stdout', '--rtsp-transport', 'udp'],
    /--rtsp-transport needs an rtsp or rtsps address as the input/,
  ],
  ['waiting for a file', [clip, '--stdout', '--wait'], /--wait needs a camera or an address as the input/],
  [
    'waiting without attempts',
    [rtsp, '--stdout', '--wait', '--reconnect', '0'],
    /--wait needs --reconnect other than 0/,
  ],
  ['colours of no video', [clip, '--stdout', '--palette', 'gray'], /--palette needs --video/],
  ['another kind of video', [clip, '--video', 'a.mkv'], /ends in \.mp4 for --video, received "a\.mkv"/],
  ['its own input', ['clip.mp4', '--video', clip], /another file than the input for --video/],
  ['another protocol', ['ftp://x', '--stdout'], /an address that begins with .* for <input>, received "ftp:\/\/x"/],
  ['max-res 1', [clip, '--stdout', '--max-res', '1'], /from 2 to 65536, or −1, for --max-res, received 1/],
  ['max-len 0', [clip, '--stdout', '--max-len', '0'], /for --max-len, received 0/],
  ['half an attempt', [clip, '--stdout', '--reconnect', '1.5'], /for --reconnect, received 1\.5/],
  ['stall 0', [clip, '--stdout', '--stall', '0'], /for --stall, received 0/],
  ['stall for ever', [clip, '--stdout', '--stall', '1e10'], /from 0\.1 to 2147483 for --stall/],
  ['status for ever', [clip, '--stdout', '--status', '1e10'], /from 0 to 86400 for --status/],
  ['metres rescaled', [clip, '--stdout', '--metric', '--stabilize'], /--stabilize needs a disparity model/],
  ['cuts', [clip, '--stdout', '--scene-cuts', '300'], /at most 255.* for --scene-cuts/],
  ['a small network', [clip, '--stdout', '--input-size', '1'], /for --input-size/],
  ['a pixel format', ['-', '--stdout', '--pixel-format', 'yuv9'], /Allowed choices are rgb24/],
]

for (const [name, args, message] of refusals) {
  t.test(`refused: ${name}`, async (t) => {
    const { code, stderr } = await run('live', ...args, ...network)
    t.equal(code, 2, stderr)
    t.match(stderr, message)
    t.notMatch(stderr, /secret/)
  })
}

t.test('the same of run', async (t) => {
  t.match(await run('run', clip, '--stabilize', ...network), {
    code: 2,
    stderr: /--stabilize needs --streaming/,
  })
  const both = await run('run', clip, '--streaming', '--stitching', 'paper', ...network)
  t.match(both, { code: 2, stderr: /cannot be used with/ })
})

t.test('no such file, and the file under another name', async (t) => {
  const missing = await run('live', at('nothing.mp4'), '--video', at('never.mp4'), ...network)
  t.match([missing.code, missing.stderr], [1, /nothing\.mp4: ENOENT.* \[SOURCE_UNREADABLE\]/])
  t.notOk(existsSync(at('never.mp4')))
  copyFileSync(clip, at('one.mp4'))
  linkSync(at('one.mp4'), at('other.mp4'))
  const linked = await run('live', at('one.mp4'), '--video', at('other.mp4'), ...network)
  t.match(linked, { code: 2, stderr: /another file than the input/ })
  t.same(readFileSync(at('one.mp4')), readFileSync(clip))
})

t.test('a folder on standard input', { skip: process.platform === 'win32' && 'a POSIX shell' }, (t) => {
  const text = execFileSync(
    'sh',
    [
      '-c',
      `"$0" "$1" live - --size 4x4 --stdout --checkpoint "$2" 2>&1 <. || true`,
      process.execPath,
      cliMain,
      tinyPth,
    ],
    { encoding: 'utf8' },
  )
  t.match(text, 'Standard input is a folder [SOURCE_UNREADABLE]')
  t.end()
})

function line(isTTY: boolean): { readonly line: StatusLine; readonly written: string[] } {
  const written: string[] = []
  const out = { isTTY, columns: 300, write: (text: string) => written.push(text) }
  return { line: new StatusLine(out as unknown as NodeJS.WriteStream, 0), written }
}

t.test('the status line', (t) => {
  const { line: status, written } = line(true)
  const none = { reconnects: 0, damagedPackets: 0, damagedFrames: 0, sizeChanges: 0 }
  const latency = { p50: 80.4, p95: 99.6, p99: 120 }
  let figures = { framesIn: 30, framesOut: 10, dropped: 20, scenes: 1, flatMaps: 0, latency, ...none }
  status.watch(() => figures)
  figures = { ...figures, framesIn: 60, framesOut: 20, dropped: 40 }
  status.tick()
  t.match(written.at(-1), /in [\d.]+ fps {2}out [\d.]+ fps {2}dropped 40 {2}p50 80 {2}p95 100 {2}p99 120 ms$/)
  figures = { ...figures, reconnects: 2, damagedFrames: 1 }
  status.tick()
  t.match(written.at(-1), /in 0\.0 fps {2}out 0\.0 fps .* ms {2}2 reconnections {2}1 damaged frame$/, 'a stall is seen')
  status.event({ type: 'lost', reason: 'silence' })
  t.same(written.slice(-2), ['\n', 'video-depth: lost the source: silence\n'])
  status.end()
  t.end()
})

t.test('events: a reason once, damage summed', (t) => {
  const { line: status, written } = line(false)
  const size = { width: 1920, height: 1080 }
  status.event({ type: 'retrying', attempt: 1, delayMs: 500, reason: 'no such host' })
  status.event({ type: 'connected', ...size, frameRate: 24, output: { width: 1280, height: 720 } })
  for (let i = 0; i < 100; i++) status.event({ type: 'damaged', packets: 1 })
  status.event({ type: 'lost', reason: 'silence' })
  status.event({ type: 'retrying', attempt: 1, delayMs: 500, reason: 'silence' })
  status.event({ type: 'retrying', attempt: 2, delayMs: 1000, reason: 'refused' })
  status.event({ type: 'retrying', attempt: 3, delayMs: 2000, reason: 'refused' })
  status.end()
  t.same(
    written.map((text) => text.replace(/^video-depth: |\n$/g, '')),
    [
      'attempt 1 to reach the source in 0.5 s: no such host',
      'connected: 1920×1080, 24.00 fps; depth 1280×720',
      '1 packet could not be decoded',
      'lost the source: silence',
      'attempt 1 to get it back in 0.5 s',
      'attempt 2 to get it back in 1.0 s: refused',
      'attempt 3 to get it back in 2.0 s',
      '99 packets could not be decoded',
    ],
  )
  t.end()
})
