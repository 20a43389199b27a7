// Owns: tests of `video-depth build`: graphs without a GPU, plans on a fake one, what is refused.
// Must not know: what the graphs compute.

import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { build, type BuildArguments } from '../../dist/esm/cli/build/build.js'
import { tinyPth, tinyTensors, writeSafetensors } from '../support/checkpoint-files.js'
import { FakeGpu } from '../support/gpu-fake.js'
import { CliHost, runCli, type CliText } from '../support/run-cli.js'

t.setTimeout(300_000)

const folder = t.testdir()
const cacheDir = path.join(folder, 'cache')
const network = ['--checkpoint', tinyPth, '--input', '128x72', '--input-size', '28', '--cache-dir', cacheDir]
const host = new CliHost()
t.teardown(() => host.close())
const run = (...args: string[]): Promise<CliText> => host.run(['build', ...network, ...args], { cwd: folder })

interface Manifest {
  readonly weights: readonly string[]
  readonly graphs: readonly {
    readonly file: string
    readonly use: string
    readonly trtexec: string
    readonly inputs: Readonly<Record<string, readonly number[]>>
    readonly outputs: Readonly<Record<string, readonly number[]>>
  }[]
}

t.test('--graphs-only: graphs, weights, and what they are', async (t) => {
  const target = path.join(folder, 'graphs')
  const { code, stdout, stderr } = await run('--graphs-only', target, '--streams', '2')
  t.equal(code, 0, stderr)
  t.match(stdout, /README\.md, manifest\.json, weights\.fp16\.bin and\n {2}encoder.*\(windows: encoder, 11 frames\)/)
  const { weights, graphs } = JSON.parse(readFileSync(path.join(target, 'manifest.json'), 'utf8')) as Manifest
  t.same(weights, ['weights.fp16.bin'])
  t.same(
    readdirSync(target).sort(),
    [...graphs.map(({ file }) => file), ...weights, 'README.md', 'manifest.json'].sort(),
    'and nothing else',
  )
  t.same(
    graphs.map(({ use }) => use),
    [...new Array<string>(3).fill('windows'), ...new Array<string>(6).fill('streams')],
  )
  t.match(graphs[0], { inputs: { pixels: [11, 3, 28, 56] }, outputs: { layer1: [11, Number, Number, Number] } })
  t.match(graphs[2], { outputs: { depth: [11, 28, 56] } })
  for (const { file, trtexec } of graphs) {
    t.ok(statSync(path.join(target, file)).size > 1000)
    t.match(trtexec, `--onnx=${file} `)
    t.ok(readFileSync(path.join(target, 'README.md'), 'utf8').includes(trtexec))
  }
  // The graphs name the weights by a plain file name.
  t.ok(readFileSync(path.join(target, graphs[0]?.file ?? '')).includes('weights.fp16.bin'))
})

t.test('without --input-size it is the recipe’s, as when videos are processed', async (t) => {
  const target = path.join(folder, 'default-size')
  const given = ['--checkpoint', tinyPth, '--input', '128x72', '--cache-dir', cacheDir, '--graphs-only', target]
  const { code, stderr } = await runCli(['build', ...given], { cwd: folder })
  t.equal(code, 0, stderr)
  const { graphs } = JSON.parse(readFileSync(path.join(target, 'manifest.json'), 'utf8')) as Manifest
  t.match(graphs[0], { inputs: { pixels: [11, 3, 140, 252] } })
})

t.test('--graphs-only: FP32, as one object', async (t) => {
  const { code, stdout } = await run('--graphs-only', path.join(folder, 'exact'), '--precision', 'fp32', '--json')
  t.equal(code, 0)
  t.match(JSON.parse(stdout), { weights: ['weights.fp32.bin'], graphs: [{ use: 'windows' }, {}, {}] })
})

t.test('--graphs-only into a place that cannot be written leaves nothing', async (t) => {
  const file = path.join(folder, 'file')
  writeFileSync(file, '')
  const { code, stderr } = await run('--graphs-only', path.join(file, 'graphs'))
  t.equal(code, 1)
  t.match(stderr, /Cannot write the graphs in .*\[OUTPUT_UNWRITABLE\]\n$/)
})

t.test('--graphs-only takes no folder that holds other things', async (t) => {
  const target = path.join(folder, 'taken')
  mkdirSync(target)
  const files = { 'README.md': '# Mine', 'manifest.json': '{"name":"mine"}' }
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(target, name), text)
  const { code, stderr } = await run('--graphs-only', target)
  t.equal(code, 2)
  const message = `Expected an empty folder, or one with graphs of an earlier run for --graphs-only, received ${JSON.stringify(target)}`
  t.equal(stderr, `video-depth: ${message} [INVALID_OPTION]\n`)
  for (const [name, text] of Object.entries(files)) t.equal(readFileSync(path.join(target, name), 'utf8'), text)
  t.equal(readdirSync(target).length, 2)
  t.equal((await run('--graphs-only', path.join(folder, 'graphs'))).code, 0, 'those of an earlier run are replaced')
})

t.test('what is refused, and how', async (t) => {
  const refused: readonly [readonly string[], string][] = [
    [
      ['--input', '128'],
      'Expected WIDTHxHEIGHT of the frames, 1 to 32768 each for --input, received "128" [INVALID_OPTION]',
    ],
    [['--streams', '3'], 'Expected one of 1, 2, 4, 8 for --streams, received 3 [INVALID_OPTION]'],
    [['--graphs-only', 'x', '--device', '1'], '--device has no effect with --graphs-only: remove it [INVALID_OPTION]'],
    [
      ['--graphs-only', 'x', '--threads', '1'],
      '--threads has no effect with --graphs-only: remove it [INVALID_OPTION]',
    ],
    [['--device', '-1'], 'Expected a whole number from 0 to 1023 for device, received -1 [INVALID_OPTION]'],
  ]
  for (const [args, message] of refused) {
    const { code, stderr } = await run(...args)
    t.equal(code, 2, stderr)
    t.equal(stderr, `video-depth: ${message}\n`)
  }
  const bare = await runCli(['build', '--input', '64x36'], { cwd: folder })
  t.match(bare, { code: 2, stderr: /Expected a checkpoint for --checkpoint/ })
  t.equal(existsSync(path.join(folder, 'x')), false)
})

/** A pipe's writing end. */
class Recorder {
  readonly isTTY = false
  readonly texts: string[] = []

  write(text: string): boolean {
    this.texts.push(text)
    return true
  }
}

const silent = { stdout: new Recorder(), stderr: new Recorder() as unknown as NodeJS.WriteStream }

const options = (more: Partial<BuildArguments> = {}): BuildArguments => ({
  ...{ checkpoint: tinyPth, input: '128x72', inputSize: 28, json: false },
  ...{ cacheDir, threads: 1 },
  ...more,
})

t.test('plans on a GPU: built, then found', async (t) => {
  const gpu = new FakeGpu(tinyPth, cacheDir)
  const { signal } = new AbortController()
  const [out, err] = [new Recorder(), new Recorder()]
  const output = { stdout: out, stderr: err as unknown as NodeJS.WriteStream }
  t.equal(await build(options({ streams: 2 }), signal, { gpu }, output), 0)
  const builds = gpu.builds.length
  t.ok(builds > 6, 'for windows and for both batches of streams')
  t.equal(await build(options({ streams: 2, json: true }), signal, { gpu }, output), 0)
  t.equal(gpu.builds.length, builds, 'nothing is built twice')
  const [text, json] = out.texts
  t.match(
    text,
    /^windows at 56×28: fp16, built in \d+ s, against float32: cosine 1\.000000, relative error 0\.0e\+0\nstreams at/,
  )
  t.match(JSON.parse(json ?? ''), {
    plans: [
      { origin: 'cache', use: 'windows' },
      { origin: 'cache', use: 'streams' },
    ],
  })
  t.ok(
    err.texts.some((line) => /^\d+ s {2}plans: fp16, plan 2 of 3 \(temporal head, 32 frames\)\n$/.test(line)),
    err.texts.join(''),
  )
  t.same({ ...gpu.open_ }, { engines: 0, windows: 0, streams: 0, plans: 0 })
})

t.test('plans of weights that FP16 cannot hold are FP32 by default', async (t) => {
  const tensors = await tinyTensors()
  const weight = tensors.get('pretrained.blocks.0.mlp.fc1.weight')
  if (weight !== undefined) weight.values[0] = 70_000
  const checkpoint = path.join(folder, 'large.safetensors')
  await writeSafetensors(checkpoint, tensors)
  const { signal } = new AbortController()
  const out = new Recorder()
  const gpu = new FakeGpu(checkpoint, cacheDir)
  t.equal(await build(options({ checkpoint }), signal, { gpu }, { ...silent, stdout: out }), 0)
  t.match(out.texts[0], /^windows at 56×28: fp32, .*\n {2}not fp16: .*does not fit float16/)
  const asked = build(options({ checkpoint, precision: 'fp16' }), signal, { gpu }, silent)
  await t.rejects(asked, { code: 'WEIGHTS_NOT_FINITE' })
})

t.test('Ctrl-C cancels a build and leaves nothing half written', async (t) => {
  const target = path.join(folder, 'cancelled')
  const gpu = new FakeGpu(tinyPth, target)
  gpu.holdBuilds = true
  const abort = new AbortController()
  const building = build(options({ cacheDir: target }), abort.signal, { gpu }, silent)
  const rejected = t.rejects(building, { message: 'Interrupted' })
  while (gpu.builds.length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
  abort.abort(new Error('Interrupted'))
  await rejected
  const files = readdirSync(target, { recursive: true }).map(String)
  t.same(
    files.filter((name) => name.includes('.plan') || path.basename(name).startsWith('.tmp')),
    [],
  )
  t.equal(gpu.open_.engines, 0)
})

t.test('a real Ctrl-C in mid-preparation', async (t) => {
  const target = path.join(folder, 'interrupted')
  const args = [
    'build',
    '--checkpoint',
    tinyPth,
    '--input',
    '1280x720',
    '--streams',
    '8',
    '--graphs-only',
    target,
    '--cache-dir',
    path.join(folder, 'c'),
  ]
  let sent = false
  const ended = await runCli(args, {
    cwd: folder,
    onText: (text, kill) => {
      if (sent || !text.includes('graphs')) return
      sent = true
      kill('SIGINT')
    },
  })
  t.equal(ended.signal, 'SIGINT', ended.stderr)
  t.equal(existsSync(path.join(target, 'manifest.json')), false)
})
