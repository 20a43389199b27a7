// Owns: tests of the command line as it runs: the progress of a terminal, Ctrl-C.
// Must not know: what the network computes, what is in an output.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { ProgressLine } from '../../dist/esm/cli/progress.js'
import { tinyPth } from '../support/checkpoint-files.js'
import { makeVideo, steady } from '../support/make-video.js'
import { cliMain, flat, runCli, type Kill } from '../support/run-cli.js'

t.setTimeout(300_000)

const folder = t.testdir()
const cacheDir = path.join(folder, 'cache')
const at = (...names: string[]): string => path.join(folder, ...names)
const network = ['--checkpoint', tinyPth, '--input-size', '28', '--cache-dir', cacheDir]
const size = { width: 64, height: 36 }
const clip = await makeVideo({ path: at('clip.mp4'), times: steady(40, 24), ...size, muxer: { movflags: 'faststart' } })

t.test('progress: the clock starts with the frames', (t) => {
  const written: string[] = []
  const out = { isTTY: true, columns: 0, write: (text: string) => written.push(text) }
  const line = new ProgressLine(out as unknown as NodeJS.WriteStream)
  line.step('preparing the network')
  line.frames({ framesEncoded: 30, framesOut: 0, frameCount: 60 })
  line.frames({ framesEncoded: 60, framesOut: 60, frameCount: 60 })
  line.end()
  t.match(written[0], /preparing the network$/)
  t.equal(written.length, 3, 'the first two reports are closer than a tenth of a second')
  t.match(written[1], /60\/60 frames {2}[\d.]+ fps {2}0 s left$/, 'and it is as wide as a common terminal')
  const fresh = new ProgressLine(out as unknown as NodeJS.WriteStream)
  fresh.frames({ framesEncoded: 30, framesOut: 0, frameCount: 60 })
  t.match(written[3], / 0\/60 frames {2}\? fps {2}\? left$/, 'no rate before there is a span of time')
  t.end()
})

t.test('progress on a terminal', { skip: noTerminal() }, (t) => {
  const command = [process.execPath, cliMain, 'run', clip, '-o', at('terminal'), ...network, '--save-npz']
  const text = execFileSync('script', ['-qec', `stty cols 120; ${command.map(quoted).join(' ')}`, '/dev/null'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  t.match(text, /\r\u001b\[K\[█*·*\] \d+\/40 frames {2}(\?|[\d.]+) fps {2}/)
  t.match(text, /\r\u001b\[K\[█+\] 40\/40 frames {2}[\d.]+ fps {2}0 s left\r\u001b\[Kwriting the outputs\r?\n/)
  t.match(text, /\n40 frames of 64×36/)
  t.end()
})

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** Other systems' `script` takes other options. */
function noTerminal(): string | false {
  try {
    return execFileSync('script', ['--version'], { encoding: 'utf8' }).includes('util-linux')
      ? false
      : "script is not util-linux's"
  } catch {
    return "util-linux's script is not here"
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  t.test(`${signal} removes what is half written and keeps what was finished`, { skip: windows() }, async (t) => {
    const output = at(signal)
    mkdirSync(output)
    writeFileSync(path.join(output, 'clip_vis.mp4'), 'an earlier result')
    const long = ['--checkpoint', tinyPth, '--input-size', '280', '--cache-dir', cacheDir]
    let sent = 0
    const ended = await runCli(['run', clip, '-o', output, ...long, '--save-npz'], {
      cwd: folder,
      onText: (text, kill) => {
        if (sent === 0 && text.includes('random test weights')) setTimeout(() => kill(signal), 300)
        sent ||= performance.now()
      },
    })
    t.equal(ended.signal, signal)
    t.same(readdirSync(output), ['clip_vis.mp4'])
  })
}

t.test('SIGINT during the second pass leaves nothing', { skip: windows() }, async (t) => {
  const [images, output] = [at('large'), at('second-pass')]
  mkdirSync(images)
  for (let index = 0; index < 24; index++) await flat(images, `${index}.png`, 1280, 720)
  let seen = false
  const interruptDuringArchive = (kill: Kill): void => {
    // The archive is the last output; bytes in it mean that all frames have come out.
    const timer = setInterval(() => {
      const archive = (existsSync(output) ? readdirSync(output) : []).find((name) => name.includes('.npz.partial'))
      if (archive === undefined || (statSync(path.join(output, archive), { throwIfNoEntry: false })?.size ?? 0) === 0)
        return
      seen = true
      clearInterval(timer)
      kill('SIGINT')
    }, 2)
    t.teardown(() => clearInterval(timer))
  }
  const ended = await runCli(['run', images, '-o', output, ...network, '--save-npz'], {
    cwd: folder,
    onStart: interruptDuringArchive,
  })
  t.equal(ended.signal, 'SIGINT', ended.stderr)
  t.ok(seen)
  t.same(readdirSync(output), [])
})

function windows(): string | false {
  return process.platform === 'win32' ? 'no POSIX signals on Windows' : false
}
