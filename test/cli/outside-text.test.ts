// Owns: tests that text from outside is shown on one line, without what a terminal obeys, and not at any length.
// Must not know: who shows it, except for the command line.

import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { BuildProgress } from '../../dist/esm/cli/build/build-progress.js'
import { StatusLine } from '../../dist/esm/cli/live/live-status.js'
import { ProgressLine } from '../../dist/esm/cli/progress.js'
import { errorText, say, tell } from '../../dist/esm/cli/tell.js'
import { findingsText } from '../../dist/esm/cli/doctor/finding.js'
import { invalidOption, VideoDepthError } from '../../dist/esm/base/errors.js'
import { jsonLine, quoted, shown, shownLines } from '../../dist/esm/base/outside-text.js'
import { runCli } from '../support/run-cli.js'

t.setTimeout(300_000)

/** A terminal's title, red, a line of its own, backwards, invisible. */
const hostile = '\u001b]0;title\u0007\u001b[31mred\nline\r\u202ebackwards\u2066\u200b\u009b1A\ud800'
const risky = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u
const long = 'x'.repeat(90_000_000)

t.test('what a terminal obeys is escaped, once', (t) => {
  const text = shown(hostile)
  t.notMatch(text, risky)
  t.equal(shown(text), text)
  t.equal(text.startsWith('\\u001b]0;title\\u0007\\u001b[31mred\\nline\\r\\u202ebackwards'), true)
  t.equal(shown('Straße, 東京, 🚀, naïve'), 'Straße, 東京, 🚀, naïve')
  t.equal(shownLines('one\ntwo\u001b[0m\n'), 'one\ntwo\\u001b[0m\n')
  t.equal(quoted('a"\n\u202e'), '"a\\"\\n\\u202e"')
  t.end()
})

t.test('long text keeps its beginning and its end', (t) => {
  const text = shown(`begin ${long} end`)
  t.ok(text.length < 2100, `${text.length} characters`)
  t.match(text, /^begin x+… \(89998010 characters\) …x+ end$/)
  t.ok(shown('\u0000'.repeat(5000)).length < 13_000, 'escapes included')
  t.end()
})

t.test('every error of the package is one line of bounded length', (t) => {
  const errors = [
    new VideoDepthError('SOURCE_UNREADABLE', `Cannot read ${hostile}: ${long}`),
    invalidOption('a number', '--crf', hostile + long),
    invalidOption(`only ${hostile}`, hostile, Symbol(hostile)),
    invalidOption('x', 'y', Object.assign(Object.create({ constructor: { name: hostile } }) as object)),
  ]
  for (const { message } of errors) {
    t.notMatch(message, risky)
    t.ok(message.length < 2600, `${message.length} characters`)
  }
  t.end()
})

t.test('JSON stays the same value, and shows nothing that a terminal obeys', (t) => {
  const value = { name: hostile.replace('\ud800', ''), 'key\u202e': [1, null, { deep: '\u2028\u007f\u009b' }] }
  const line = jsonLine(value)
  t.notMatch(line.slice(0, -1), risky)
  t.same(JSON.parse(line), value)
  t.ok(jsonLine({ name: long }).length < 5000)
  t.end()
})

function terminal(): { readonly out: NodeJS.WriteStream; readonly text: () => string } {
  let text = ''
  const out = { isTTY: true, columns: 60, write: (part: string) => (text += part) !== '' }
  return { out: out as unknown as NodeJS.WriteStream, text: () => text }
}

t.test('lines, progress, status and findings of the command line', (t) => {
  /** Ours: back to the line's start, clear it, next line. */
  const ours = /\r\u001b\[K|\n/g
  const shownBy = (write: (out: NodeJS.WriteStream) => void): string => {
    const { out, text } = terminal()
    write(out)
    return text()
  }
  const texts = {
    tell: shownBy((out) => tell(`${shown(hostile)}\n`, out)),
    'tell, forgotten': shownBy((out) => tell(hostile, out)),
    say: shownBy((out) => say(hostile, out)),
    progress: shownBy((out) => new ProgressLine(out).step(hostile)),
    build: shownBy((out) => new BuildProgress(out).report({ phase: 'plans', fraction: 0.5, detail: hostile })),
    status: shownBy((out) => {
      const status = new StatusLine(out, 0)
      status.event({ type: 'lost', reason: hostile })
      status.event({ type: 'retrying', attempt: 1, delayMs: 500, reason: `${hostile}!` })
      status.end()
    }),
    findings: findingsText([{ part: 'GPU', ok: false, detail: hostile, remedy: hostile }]),
    error: errorText(new Error(hostile)),
  }
  const short = Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' })
  t.equal(errorText(short), 'EMFILE: too many open files [TOO_MANY_OPEN_FILES]', 'no stack')
  for (const [name, text] of Object.entries(texts)) t.notMatch(text.replace(ours, ''), risky, name)
  t.equal(texts.status.split('\n').length, 3, 'a reason does not begin a line')
  t.equal(texts.findings.split('\n').length, 3)
  t.end()
})

t.test('names of files, of tensors and of options, as typed', { skip: process.platform === 'win32' }, async (t) => {
  const folder = t.testdir()
  const name = '\u001b[31mclip\u202e\n.mp4'
  writeFileSync(path.join(folder, name), 'no video')
  mkdirSync(path.join(folder, 'images\u001b[2J'))
  writeFileSync(path.join(folder, 'images\u001b[2J', 'a.png'), 'no picture')
  const header = JSON.stringify({
    [`\u001b[31m${'x'.repeat(2_000_000)}`]: { dtype: 'F32', shape: [-1], data_offsets: [0, 4] },
  })
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)))
  writeFileSync(path.join(folder, 'a.safetensors'), Buffer.concat([length, Buffer.from(header), Buffer.alloc(4)]))
  const calls = [
    ['run', name, '--checkpoint', 'none.pth'],
    ['run', 'images\u001b[2J', '--checkpoint', 'none.pth'],
    ['inspect', 'a.safetensors'],
    ['inspect', 'absent\u001b]0;x\u0007.pth'],
    ['run', 'x.mp4', '--palette', '\u001b[31mred'],
    ['run', 'x.mp4', '--max-len', '\u001b[31m3'],
    ['\u001b[31mfly'],
  ]
  for (const args of calls) {
    const { code, stdout, stderr } = await runCli(args, { cwd: folder })
    t.not(code, 0)
    t.notMatch((stdout + stderr).replaceAll('\n', ''), risky, JSON.stringify(args))
    t.ok(stderr.length > 10 && stderr.length < 4000, `${stderr.length} characters`)
  }
})
