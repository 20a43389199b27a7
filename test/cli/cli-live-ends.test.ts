// Owns: tests of how `live` ends: signals, readers and outputs that fail, what is kept.
// Must not know: what the network computes, which options there are.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { openVideo } from 'video-depth'
import { tinyPth } from '../support/checkpoint-files.js'
import { collect } from '../support/frames.js'
import { makeVideo, steady } from '../support/make-video.js'
import { cliEnvironment, cliMain, runCli, type Ended } from '../support/run-cli.js'

/** Nothing here takes a tenth of it; what hangs fails. */
t.setTimeout(300_000)

const folder = t.testdir()
const at = (...names: string[]): string => path.join(folder, ...names)
const network = ['--checkpoint', tinyPth, '--input-size', '28', '--cache-dir', at('cache')]
const posix = { skip: process.platform === 'win32' ? 'no POSIX signals on Windows' : false }
/** Much longer than a test plays it; large enough to fill a pipe. */
const long = await makeVideo({ path: at('long.mp4'), times: steady(1500, 25), width: 160, height: 90 })

async function frameCount(file: string): Promise<number> {
  return (await collect(await openVideo(file))).frames.length
}

function partials(): string[] {
  return readdirSync(folder).filter((name) => name.includes('partial'))
}

interface Piped {
  readonly child: ChildProcess
  readonly ended: Promise<Pick<Ended, 'code' | 'signal' | 'stderr'>>
  /** Resolves when standard error holds the text, or the process has ended. */
  readonly said: (text: RegExp) => Promise<void>
}

/** Nobody reads its standard output unless the test does. */
function started(...args: string[]): Piped {
  const child = spawn(process.execPath, [cliMain, 'live', ...args, ...network], { cwd: folder, env: cliEnvironment() })
  t.teardown(() => child.kill('SIGKILL'))
  let stderr = ''
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString()
  })
  child.stdin.on('error', () => undefined)
  const closed = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  return {
    child,
    ended: closed.then(([code, signal]) => ({ code, signal, stderr })),
    said: async (text) => {
      while (!text.test(stderr) && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 20))
    },
  }
}

t.test('the reader of standard output goes away: the video goes on', posix, async (t) => {
  const { child, ended, said } = started(long, '--stdout', '--video', at('kept.mp4'), '--queue', 'all')
  child.stdout?.once('data', () => child.stdout?.destroy())
  await said(/its reader has closed it/)
  child.kill('SIGINT')
  const { code, signal, stderr } = await ended
  t.same([code, signal], [1, null])
  t.match(stderr, /standard output: its reader has closed it \(EPIPE\) \[OUTPUT_UNWRITABLE\]; the other outputs go on/)
  t.ok((await frameCount(at('kept.mp4'))) > 1)
  t.same(partials(), [])
})

t.test('Ctrl-C ends the reader as well: a proper end', posix, async (t) => {
  const { child, ended } = started(long, '--stdout', '--video', at('both.mp4'), '--queue', 'all')
  child.stdout?.once('data', () => {
    child.stdout?.destroy()
    child.kill('SIGINT')
  })
  const { code, stderr } = await ended
  t.equal(code, 0, stderr)
  t.ok((await frameCount(at('both.mp4'))) > 0)
})

t.test('SIGTERM while the reader takes nothing', posix, async (t) => {
  const { child, ended, said } = started(long, '--stdout', '--video', at('stalled.mp4'), '--status', '0.05')
  await said(/out (?!0\.0)[^]*out 0\.0 fps/) // the pipe is full, and the status line goes on
  child.kill('SIGTERM')
  const { code, signal, stderr } = await ended
  t.same([code, signal], [1, null])
  t.match(stderr, /standard output: its reader took nothing for 2 s after the end, a frame may be cut/)
  t.ok((await frameCount(at('stalled.mp4'))) > 0)
  t.same(partials(), [])
})

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  t.test(`${signal} completes the video`, posix, async (t) => {
    const { child, ended, said } = started(long, '--video', at(`${signal}.mp4`), '--status', '0.05')
    await said(/out (?!0\.0)\d/)
    child.kill(signal)
    const { code, stderr } = await ended
    t.equal(code, 0, stderr)
    t.ok((await frameCount(at(`${signal}.mp4`))) > 0)
  })

  t.test(`${signal} before the first frame removes it, and ends by the signal`, posix, async (t) => {
    const { child, ended, said } = started('-', '--size', '64x36', '--video', at('never.mp4'), '--status', '0.01')
    await said(/in 0\.0 fps/) // it waits for standard input
    child.kill(signal)
    const { signal: by, stderr } = await ended
    t.equal(by, signal)
    t.match(stderr, `video-depth: Interrupted by ${signal} before the first frame\n`)
    t.notOk(existsSync(at('never.mp4')))
    t.same(partials(), [])
  })
}

t.test('nobody reads standard error any longer: the video is complete', posix, async (t) => {
  const { child, ended, said } = started(long, '--video', at('silent.mp4'), '--max-len', '30', '--status', '0.01')
  await said(/connected/)
  child.stderr?.destroy()
  t.equal((await ended).code, 0)
  t.equal(await frameCount(at('silent.mp4')), 30)
})

t.test('a FIFO is not waited for', posix, async (t) => {
  execFileSync('mkfifo', [at('fifo')])
  const { code, stderr } = await runCli(['live', at('fifo'), '--stdout', ...network], { cwd: folder })
  t.equal(code, 1)
  t.match(stderr, /fifo is a FIFO\. Raw frames can be read from standard input: cat .*fifo \| .* \[SOURCE_UNREADABLE\]/)
})

t.test('a full device', { skip: existsSync('/dev/full') ? false : 'no /dev/full here' }, async (t) => {
  const run = (args: string, input: Uint8Array): Promise<Ended> => {
    const quoted = [process.execPath, cliMain, ...args.split(' '), ...network].map((word) => `'${word}'`)
    return runCli([], { cwd: folder, input, shell: `${quoted.join(' ')} >/dev/full` })
  }
  const frames = new Uint8Array(64 * 36 * 3 * 4)
  const depth = await run('live - --size 64x36 --video disk.mp4 --stdout', frames)
  t.equal(depth.code, 1)
  t.match(depth.stderr, /No space left for standard output: .* \[OUTPUT_FULL\]; the other outputs go on/)
  t.equal(await frameCount(at('disk.mp4')), 4)
  for (const args of ['live - --size 64x36 --video disk.mp4 --json', `run ${long} --max-len 2 -o out --json`]) {
    const summary = await run(args, frames)
    t.equal(summary.code, 1)
    t.match(summary.stderr, /No space left for standard output: .* \[OUTPUT_FULL\]\n$/)
    t.notMatch(summary.stderr, /\n\s+at /, 'a message, not a stack')
  }
})
