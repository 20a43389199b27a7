// Owns: tests of the addon's GPU part that need processes of their own: what is missing, a lost GPU, ends of all kinds.
// Must not know: what windows and streams compute.

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { doubleMissing } from '../support/gpu-double.js'

interface Ending {
  readonly code: number | null
  readonly signal: string | null
  readonly result: unknown
  readonly stderr: string
}

const child = fileURLToPath(new URL('../support/gpu-double-child.js', import.meta.url))

/** What a killed process leaves goes with the test. */
const temporary = t.testdir()

function live(
  words: readonly string[],
  env: Record<string, string> = {},
  flags: readonly string[] = [],
): Promise<Ending> {
  return new Promise((resolve, reject) => {
    const running = spawn(process.execPath, ['--enable-source-maps', ...flags, child, ...words], {
      ...{ env: { ...process.env, TMPDIR: temporary, ...env }, stdio: ['ignore', 'pipe', 'pipe'], timeout: 100_000 },
    })
    let [stdout, stderr] = ['', '']
    running.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    running.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    running.on('error', reject).on('close', (code, signal) => {
      const result: unknown = stdout === '' ? undefined : JSON.parse(stdout)
      resolve({ code, signal, result, stderr })
    })
  })
}

async function lived(t: Test, words: readonly string[], env: Record<string, string> = {}): Promise<unknown> {
  const { code, signal, result, stderr } = await live(words, env)
  t.match({ code, signal }, { code: 0, signal: null }, stderr)
  return result
}

const nothingLeft =
  /^gpu double: 0 live \(0 allocations, 0 pinned, 0 streams, 0 events, 0 graphs, 0 executables\), 0 faults$/m

if (doubleMissing !== false) void t.test('the GPU part on doubles', { skip: doubleMissing }, () => undefined)
else {
  t.setTimeout(280_000)

  t.test('no driver, an old driver, no device', async (t) => {
    for (const [env, driver, problem] of [
      [{ GPU_DOUBLE_DRIVER: '0' }, '', 'no NVIDIA driver was found'],
      [
        { GPU_DOUBLE_DRIVER: '12040' },
        '12.4',
        /^the driver supports CUDA up to 12\.4, this build needs \d+\.0 or newer$/,
      ],
      [{ GPU_DOUBLE_DEVICES: '0' }, '13.0', 'the driver reports no GPU'],
    ] as const) {
      const wanted = { driver, problem, devices: [] }
      t.match(await lived(t, ['probe'], env), { ...wanted, tensorRt: [{ major: 11 }, { major: 10, problem: '' }] })
      t.match(await lived(t, ['device'], env), {
        code: 'GPU_UNAVAILABLE',
        lasting: false,
        message: /^No GPU can be used: /,
      })
    }
  })

  t.test('libraries that cannot be used are told apart, by probe and by open', async (t) => {
    for (const [library, wording] of [
      ['nowhere', /libnvinfer\.so\.10/],
      ['too-old', /10\.2\.0/],
      ['wrong-major', /11\.1\.0/],
      ['no-runtime', /createInferRuntime/],
      ['no-parser', /libnvonnxparser\.so\.10/],
    ] as const) {
      const open = { code: 'TENSORRT_UNAVAILABLE', lasting: false, message: wording }
      t.match(await lived(t, ['library', library]), { problem: wording, open }, library)
    }
    t.equal(await lived(t, ['newest']), '11.1.0')
  })

  t.test('out of memory at any allocation leaves nothing behind, and the engine usable', async (t) => {
    for (const nth of ['1', '2', '9', '17', '20']) {
      const env = { GPU_DOUBLE_FAIL_ALLOCATION: nth, GPU_DOUBLE_REPORT: '1' }
      const { code, result, stderr } = await live(['allocation'], env)
      t.equal(code, 0, stderr)
      t.match(stderr, nothingLeft, `allocation ${nth}`)
      t.match(result, { failure: { code: 'GPU_OUT_OF_MEMORY', lasting: false }, freed: true, nonFinite: 0 })
    }
  })

  t.test('a lost context: every later call tells it, close still resolves, another process is as before', async (t) => {
    for (const launches of ['8', '20', '60']) {
      const result = await lived(t, ['lost'], { GPU_DOUBLE_LOSE_CONTEXT_AFTER_LAUNCHES: launches })
      const lost = { code: 'GPU_FAILED', lasting: true, message: /illegal memory access/ }
      t.match(result, { first: lost, later: new Array(6).fill(lost), closed: { code: 'CLOSED' } }, `launch ${launches}`)
    }
    t.match(await lived(t, ['idle']), '10.6.0')
  })

  t.test('an idle engine does not hold the process, and is freed with it', async (t) => {
    const { code, stderr } = await live(['idle'], { GPU_DOUBLE_REPORT: '1' })
    t.equal(code, 0, stderr)
    t.match(stderr, nothingLeft)
  })

  t.test('process.exit in mid-flight', async (t) => {
    for (const words of [['exit', '0'], ['exit', '20'], ['exit', '70'], ['exit-building']]) {
      const { code, signal, stderr } = await live(words, { GPU_DOUBLE_REPORT: '1' })
      t.match({ code, signal }, { code: 3, signal: null }, stderr)
      t.match(stderr, nothingLeft, words.join(' '))
    }
  })

  t.test('windows, streams and plans that nobody has any more free their memory', async (t) => {
    const { code, result, stderr } = await live(['collected'], { GPU_DOUBLE_REPORT: '1' }, ['--expose-gc'])
    t.equal(code, 0, stderr)
    t.match(result, { left: 0 })
    t.ok((result as { used: number }).used > 100_000, 'before they are collected they take memory')
    t.match(stderr, nothingLeft)
  })

  t.test('workers that are ended at 60 different times', async (t) => {
    const { code, signal, result, stderr } = await live(['workers', '60'], { GPU_DOUBLE_REPORT: '1' })
    t.match({ code, signal }, { code: 0, signal: null }, stderr)
    t.match(result, { ends: 60, nonFinite: 0 })
    t.match(stderr, nothingLeft)
  })
}
