// Owns: tests of the command line as a person types it: outputs, exit codes, messages, a full disk.
// Must not know: what the network computes.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, truncateSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import { openVideo } from '../../dist/esm/io/sources/video-source.js'
import { tinyPth, tinyTensors, writeSafetensors } from '../support/checkpoint-files.js'
import { collect } from '../support/frames.js'
import { makeVideo, steady } from '../support/make-video.js'
import { readNpz } from '../support/npz.js'
import { CliHost, flat, runCli, type Ended } from '../support/run-cli.js'

t.setTimeout(300_000)

const folder = t.testdir()
const cacheDir = path.join(folder, 'cache')
const at = (...names: string[]): string => path.join(folder, ...names)
const network = ['--checkpoint', tinyPth, '--input-size', '28', '--cache-dir', cacheDir]
const size = { width: 64, height: 36 }
const clip = await makeVideo({ path: at('clip.mp4'), times: steady(40, 24), ...size, muxer: { movflags: 'faststart' } })

const run = (args: readonly string[], cwd = folder): Promise<Ended> => runCli(args, { cwd })
const host = new CliHost()
t.teardown(() => host.close())

t.test('a video into all outputs, under upstream’s names', async (t) => {
  const args = ['run', clip, '-o', at('all'), ...network, '--save-npz', '--save-png16', '--save-raw', '--json']
  const { code, stdout } = await run(args)
  t.equal(code, 0)
  const names = [
    'clip_depths.f32',
    'clip_depths.f32.json',
    'clip_depths.npz',
    'clip_png16',
    'clip_src.mp4',
    'clip_vis.mp4',
  ]
  t.same(readdirSync(at('all')).sort(), names)
  const summary = JSON.parse(stdout) as Record<string, unknown>
  t.match(summary, { frames: 40, ...size, kind: 'disparity', backend: 'cpu', windows: 2, error: null })
  t.match(summary, {
    seconds: { total: Number, load: Number, encode: Number, read: Number, write: Number },
    framesPerSecond: Number,
    peakMemoryMiB: Number,
  })
  const depths = (await readNpz(at('all', 'clip_depths.npz'))).get('depths')
  t.same(depths?.shape, [40, size.height, size.width])
  t.equal(statSync(at('all', 'clip_depths.f32')).size, 4 * 40 * size.width * size.height)
  t.equal(readdirSync(at('all', 'clip_png16')).length, 41)
  for (const name of ['clip_src.mp4', 'clip_vis.mp4'])
    t.equal((await collect(await openVideo(at('all', name)))).frames.length, 40)
})

t.test('--max-len, --target-fps, --max-res, --grayscale, --metric', async (t) => {
  const args = ['run', clip, '-o', at('less'), ...network, '--max-len', '5', '--target-fps', '12', '--max-res', '32']
  const { code, stdout, stderr } = await run([...args, '--grayscale', '--metric', '--json'])
  t.equal(code, 0)
  t.match(JSON.parse(stdout), { frames: 5, width: 32, height: 18, kind: 'metric' })
  t.match(
    stderr,
    /^Nothing in the name of tiny\.pth says that it gives metric depth, as metric \(--metric\) takes it\./,
  )
  t.match(stderr, /\nThese are random test weights; the depth is meaningless\.\n$/)
})

t.test('outputs lie in their folder, under the name of the input', async (t) => {
  const images = at('take.v2')
  mkdirSync(images)
  await flat(images, 'a.png', 32, 18)
  for (const [index, input] of ['.', `${images}/`, path.join(images, '..', 'take.v2')].entries()) {
    const output = at('names', String(index))
    const { code, stderr } = await run(['run', input, '-o', output, ...network], images)
    t.equal(code, 0, stderr)
    t.same(readdirSync(output).sort(), ['take.v2_src.mp4', 'take.v2_vis.mp4'], input)
  }
  t.same(readdirSync(at('names')).sort(), ['0', '1', '2'])
})

t.test('a damaged image in the middle: what came before is kept, exit code 3', async (t) => {
  const images = at('holed')
  mkdirSync(images)
  for (const name of ['0.png', '1.png', '2.png', '4.png']) await flat(images, name, 32, 18)
  file('holed/3.png', 'not a picture')
  const { code, stdout, stderr } = await run(['run', images, '-o', at('holed-out'), ...network, '--json'])
  t.equal(code, 3, stderr)
  t.match(JSON.parse(stdout), { frames: 3, error: { code: 'SOURCE_DAMAGED', message: /3\.png/ } })
  for (const name of ['holed_src.mp4', 'holed_vis.mp4'])
    t.equal((await collect(await openVideo(at('holed-out', name)))).frames.length, 3)
})

t.test('a pipe gets no progress bar, and a folder of images works like a video', async (t) => {
  const { code, stdout, stderr } = await run(['run', at('all', 'clip_png16'), '-o', at('images'), ...network])
  t.equal(code, 0)
  t.match(stdout, /^40 frames of 64×36, disparity, 2 windows, [\d.]+ s \([\d.]+ fps\), peak memory \d+ MiB\n/)
  t.notMatch(stderr, /\r|█/)
})

const refusals: [name: string, args: () => string[] | Promise<string[]>, code: number, message: RegExp][] = [
  ['no command', () => [], 2, /Usage: video-depth/],
  ['an unknown command', () => ['frobnicate'], 2, /unknown command 'frobnicate'/],
  ['an unknown option', () => ['run', clip, '--depth'], 2, /unknown option '--depth'/],
  [
    'no checkpoint',
    () => ['run', clip],
    2,
    /Expected a checkpoint for --checkpoint or VIDEO_DEPTH_CHECKPOINT, received none/,
  ],
  [
    'a word for a number',
    () => ['run', clip, ...network, '--max-res', 'big'],
    2,
    /Expected a number for --max-res, received "big"/,
  ],
  [
    'an input size of 3',
    () => ['run', clip, '--checkpoint', tinyPth, '--input-size', '3'],
    2,
    /from 14 to 4096 for inputSize, received 3/,
  ],
  [
    '--grayscale with --palette',
    () => ['run', clip, ...network, '--grayscale', '--palette', 'turbo'],
    2,
    /'--grayscale' cannot be used with option '--palette <name>'/,
  ],
  [
    'a size of 0',
    () => ['run', clip, ...network, '--max-res', '0'],
    2,
    /from 2 to 65536, or −1, for maxRes, received 0/,
  ],
  ['a sample on 0 threads', () => ['sample', ...network, '--threads', '0'], 2, /from 1 to 256 for threads, received 0/],
  ['no such palette', () => ['run', clip, ...network, '--palette', 'mud'], 2, /Allowed choices are inferno, magma/],
  [
    'no such file',
    () => ['run', 'nope.mp4', ...network],
    1,
    /Cannot read nope\.mp4: .*no such file.*SOURCE_UNREADABLE/i,
  ],
  [
    'not a video',
    () => ['run', file('text.mp4', 'hello'), ...network],
    1,
    /Cannot read .*text\.mp4 as a video: .*SOURCE_UNREADABLE/,
  ],
  ['an empty file', () => ['run', file('empty.mp4', ''), ...network], 1, /empty\.mp4.*SOURCE_UNREADABLE/],
  ['a folder without images', () => ['run', emptyFolder(), ...network], 1, /No images in .*SOURCE_EMPTY/],
  ['a damaged image', () => ['run', damagedImages(), ...network], 1, /a\.png.*SOURCE_/],
  [
    'a text as checkpoint',
    () => ['run', clip, '--checkpoint', file('w.pth', 'hello')],
    1,
    /w\.pth.*CHECKPOINT_UNREADABLE/,
  ],
  [
    'NaN weights',
    async () => ['run', clip, '--checkpoint', await nanWeights()],
    1,
    /NaN|not finite.*WEIGHTS_NOT_FINITE/,
  ],
  [
    'an output folder below a file',
    () => ['run', clip, '-o', path.join(clip, 'out'), ...network],
    1,
    /clip\.mp4.*OUTPUT_UNWRITABLE/,
  ],
  [
    'an output folder in /proc',
    () => ['run', clip, '-o', '/proc/video-depth', ...network],
    1,
    /\/proc\/video-depth.*OUTPUT_UNWRITABLE/,
  ],
  [
    'a cache folder below a file',
    () => ['run', clip, '--checkpoint', tinyPth, '--cache-dir', path.join(clip, 'c')],
    1,
    /CACHE_UNWRITABLE/,
  ],
  ['inspect something else', () => ['inspect', clip], 1, /clip\.mp4.*CHECKPOINT_UNREADABLE/],
]

function file(name: string, content: string): string {
  writeFileSync(at(name), content)
  return at(name)
}

function emptyFolder(): string {
  mkdirSync(at('no-images'), { recursive: true })
  return at('no-images')
}

function damagedImages(): string {
  mkdirSync(at('damaged'), { recursive: true })
  file('damaged/a.png', 'not a picture')
  return at('damaged')
}

async function nanWeights(): Promise<string> {
  const tensors = await tinyTensors()
  const [first] = tensors.values()
  first?.values.fill(Number.NaN, 3, 4)
  await writeSafetensors(at('nan.safetensors'), tensors)
  return at('nan.safetensors')
}

for (const [name, args, code, message] of refusals) {
  t.test(
    `refused: ${name}`,
    { skip: name.includes('/proc') && process.platform !== 'linux' ? 'no /proc here' : false },
    async (t) => {
      const given = await args()
      const output = given.includes('-o') || !['run', 'sample'].includes(given[0] ?? '') ? [] : ['-o', at('refused')]
      const ended = await host.run([...given, ...output], { cwd: folder })
      t.equal(ended.code, code, ended.stderr)
      t.match(ended.stderr, message)
      t.notMatch(ended.stderr, /\n\s+at /, 'a message, not a stack')
      t.equal(existsSync(at('refused')) ? readdirSync(at('refused')).length : 0, 0, 'nothing was written')
    },
  )
}

t.test('a truncated video gives what could be decoded, and exit code 3', async (t) => {
  const cut = await makeVideo({ path: at('cut.mp4'), times: steady(40, 24), ...size, muxer: { movflags: 'faststart' } })
  truncateSync(cut, Math.round(statSync(cut).size * 0.7))
  const { code, stdout, stderr } = await run(['run', cut, '-o', at('cut'), ...network, '--json'])
  const { frames, error } = JSON.parse(stdout) as { frames: number; error: { code: string } }
  t.equal(code, 3)
  t.equal(error.code, 'SOURCE_DAMAGED')
  t.ok(frames > 5 && frames < 40, `${frames} frames`)
  t.equal((await collect(await openVideo(at('cut', 'cut_vis.mp4')))).frames.length, frames)
  t.equal(stderr.includes('random test weights'), true)
})

t.test('a full disk', async (t) => {
  const disk = at('disk')
  mkdirSync(disk)
  if (!mounted(disk)) {
    t.pass('a small tmpfs', { skip: 'cannot be mounted here' })
    return
  }
  t.teardown(() => execFileSync('umount', [disk]))
  const { code, stderr } = await run(['run', clip, '-o', disk, ...network, '--save-raw'])
  t.equal(code, 1)
  t.match(stderr, /No space left for .*OUTPUT_FULL/)
  t.same(readdirSync(disk), [])
  const cacheFull = await run([
    'run',
    clip,
    '-o',
    at('refused'),
    '--checkpoint',
    tinyPth,
    '--cache-dir',
    path.join(disk, 'cache'),
  ])
  t.equal(cacheFull.code, 1)
  t.match(cacheFull.stderr, /no space.*CACHE_UNWRITABLE/i)
})

function mounted(disk: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

t.test('inspect and doctor', async (t: Test) => {
  const inspected = await run(['inspect', tinyPth, '--check-finite'])
  t.match(inspected.stdout, /encoder +width 128, 4 blocks, 2 heads, read after blocks 0, 1, 2, 3/)
  t.match(inspected.stdout, /weights +all finite/)
  t.match(JSON.parse((await run(['inspect', tinyPth, '--json'])).stdout), {
    format: 'pth',
    architecture: { embedWidth: 128 },
  })
  const doctor = await run(['doctor', '--cache-dir', cacheDir])
  t.equal(doctor.code, 0, doctor.stdout)
  t.match(doctor.stdout, /✓ addon .*\n✓ processor .*\n✓ video files /)
  const broken = await run(['doctor', '--cache-dir', path.join(clip, 'c'), '--json'])
  t.equal(broken.code, 1)
  t.match(JSON.parse(broken.stdout), { usable: false })
})
