// Owns: a test of the packed tarball: it installs into an empty folder, loads both ways, and its types hold.
// Must not know: what the package does once loaded.

import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import packageRoot from '../../dist/esm/package-root.cjs'

const run = promisify(execFile)
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
const unreachable = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT|ENOTCACHED/

interface Packed {
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

async function pack(folder: string, destination: string): Promise<Packed> {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', destination]
  const { stdout } = await run(npm, args, { cwd: folder, maxBuffer: 1 << 26 })
  // A list up to npm 11, later an object by package name.
  const [packed] = Object.values(JSON.parse(stdout) as Record<string, Packed>)
  return packed!
}

/** The tarball as it is published, with this platform's addon among its prebuilds. */
async function publishable(work: string): Promise<string> {
  const bare = await pack(packageRoot, work)
  await run('tar', ['-xzf', path.join(work, bare.filename), '-C', work])
  const release = path.join(packageRoot, 'build', 'Release')
  const addon = (await readdir(release)).find((name) => name.endsWith('.node'))
  const prebuilds = path.join(work, 'package', 'prebuilds', `${process.platform}-${process.arch}`)
  await rm(path.join(work, 'package', 'prebuilds'), { recursive: true, force: true })
  await mkdir(prebuilds, { recursive: true })
  await cp(path.join(release, addon!), path.join(prebuilds, 'video-depth.node'))
  const full = path.join(work, 'full')
  await mkdir(full)
  return path.join(full, (await pack(path.join(work, 'package'), full)).filename)
}

const use = `if (typeof VideoDepth.load !== 'function') throw new Error('no VideoDepth')
if (!(new VideoDepthError('CLOSED', 'x') instanceof Error)) throw new Error('no VideoDepthError')
VideoDepth.load({ checkpoint: '/nowhere.pth' }).then(
  () => { throw new Error('loaded nothing') },
  (error) => { if (error.code !== 'CHECKPOINT_UNREADABLE') throw error },
)
openDepth('/nowhere.npz').then(
  () => { throw new Error('opened nothing') },
  (error) => { if (!(error instanceof VideoDepthError) || error.code !== 'SOURCE_UNREADABLE') throw error },
)
const plane = { width: 2, height: 1, data: Float32Array.of(1, 2) }
evaluateVideo(() => [{ prediction: plane, truth: { ...plane, data: Float32Array.of(1, 0.5) } }]).then(
  ({ depth }) => { if (depth.pixels !== 2) throw new Error(\`\${depth.pixels} pixels\`) },
)
`
const typed = `const options: LoadOptions = { checkpoint: 'a.pth', inputSize: 252 }
export async function depths(): Promise<Float32Array[]> {
  const maps: Float32Array[] = []
  const model = await VideoDepth.load(options)
  const none: AsyncIterable<RgbFrame> = { async *[Symbol.asyncIterator]() {} }
  for await (const frame of model.process(none)) maps.push(frame.data)
  await model.close()
  return maps
}
export async function score(prediction: string, truth: string): Promise<VideoEvaluation> {
  const [depths, truths]: DepthSequence[] = await Promise.all([openDepth(prediction), openDepth(truth)])
  async function* pairs(): AsyncGenerator<EvaluationFrame> {
    const exact = truths!.frames(0, truths!.length)[Symbol.asyncIterator]()
    for await (const map of depths!.frames(0, depths!.length)) {
      const { value: truth, done } = await exact.next()
      if (done !== true) yield { prediction: { ...map, data: Float32Array.from(map.data) }, truth }
    }
  }
  return evaluateVideo(pairs, { measures: ['boundary'] })
}
// @ts-expect-error a checkpoint is a path
export const wrong: LoadOptions = { checkpoint: 1 }
`
const consumers = {
  'esm.mjs': `import { VideoDepth, VideoDepthError } from 'video-depth'\nimport { evaluateVideo, openDepth } from 'video-depth/evaluate'\n${use}`,
  'cjs.cjs': `const { VideoDepth, VideoDepthError } = require('video-depth')\nconst { evaluateVideo, openDepth } = require('video-depth/evaluate')\n${use}`,
  'esm.mts': `import { VideoDepth, type LoadOptions, type RgbFrame } from 'video-depth'\nimport { evaluateVideo, openDepth } from 'video-depth/evaluate'\nimport type { DepthSequence, EvaluationFrame, VideoEvaluation } from 'video-depth/evaluate'\n${typed}`,
  'cjs.cts': `import type { LoadOptions, RgbFrame } from 'video-depth'\nimport depth = require('video-depth')\nconst { VideoDepth } = depth\nimport type { DepthSequence, EvaluationFrame, VideoEvaluation } from 'video-depth/evaluate'\nimport evaluate = require('video-depth/evaluate')\nconst { evaluateVideo, openDepth } = evaluate\n${typed}`,
}

t.test('the packed tarball works in an empty folder', { timeout: 280_000 }, async (t) => {
  const work = await mkdtemp(path.join(tmpdir(), 'video-depth-package-'))
  t.teardown(() => rm(work, { recursive: true, force: true }))
  const tarball = await publishable(work)
  const consumer = path.join(work, 'consumer')
  await mkdir(consumer)
  for (const [name, text] of Object.entries(consumers)) await writeFile(path.join(consumer, name), text)
  await writeFile(path.join(consumer, 'package.json'), '{ "private": true }')
  try {
    await run(npm, ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', tarball], {
      cwd: consumer,
    })
  } catch (error) {
    if (!unreachable.test(String(error))) throw error
    t.pass('installation', { skip: 'the npm registry cannot be reached, and npm has not kept what the package needs' })
    return
  }
  const env = { ...process.env, NODE_OPTIONS: '', XDG_CACHE_HOME: work, PREBUILDS_ONLY: '1' }
  await t.resolves(run(process.execPath, ['esm.mjs'], { cwd: consumer, env }), 'import')
  await t.resolves(run(process.execPath, ['cjs.cjs'], { cwd: consumer, env }), 'require')
  const { stdout } = await run(process.execPath, ['node_modules/video-depth/dist/esm/cli/main.js', '--version'], {
    cwd: consumer,
    env,
  })
  t.match(stdout, /\d+\.\d+\.\d+/, 'command')
  // Without its code every other command works: nothing but `eval` itself loads it.
  const installed = path.join(consumer, 'node_modules', 'video-depth')
  const hidden = path.join(installed, 'dist', 'esm', 'cli', 'eval', 'eval.js')
  const command = (...args: string[]): Promise<unknown> =>
    run(process.execPath, [path.join(installed, 'dist', 'esm', 'cli', 'main.js'), ...args], { cwd: consumer, env })
  await t.resolves(command('eval', '--help'), 'eval --help')
  await rename(hidden, `${hidden}.away`)
  await t.resolves(command('run', '--help'), 'run --help without the code of eval')
  await t.resolves(command('help', 'live'), 'help live without the code of eval')
  await t.rejects(command('eval', '--help'), 'eval --help without its code')
  await rename(`${hidden}.away`, hidden)
  const tsc = path.join(packageRoot, 'node_modules', 'typescript', 'bin', 'tsc')
  const common = [
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    'false',
    '--lib',
    'es2023,esnext.disposable,dom',
    '--target',
    'es2022',
    '--types',
    'node',
  ]
  const typeRoots = ['--typeRoots', path.join(packageRoot, 'node_modules', '@types')]
  for (const module of ['nodenext', 'node16']) {
    const args = [tsc, ...common, ...typeRoots, '--module', module, '--moduleResolution', module, 'esm.mts', 'cjs.cts']
    const outcome = await run(process.execPath, args, { cwd: consumer }).catch(
      (error: unknown) => error as { stdout: string },
    )
    t.equal(outcome.stdout, '', `types under ${module}`)
  }
})

t.test('the tarball holds what is needed and nothing else', async (t) => {
  const work = await mkdtemp(path.join(tmpdir(), 'video-depth-pack-'))
  t.teardown(() => rm(work, { recursive: true, force: true }))
  const files = (await pack(packageRoot, work)).files.map((file) => file.path)
  const needed = [
    'CMakeLists.txt',
    'LICENSE',
    'README.md',
    'dist/esm/index.d.ts',
    'dist/cjs/index.js',
    'dist/cjs/evaluate.js',
    'examples/README.md',
    'dist/cjs/package.json',
  ]
  for (const name of [...needed, 'dist/cjs/index.d.ts', 'dist/esm/cli/main.js', 'dist/esm/engine/cpu/worker.js']) {
    t.ok(files.includes(name), name)
  }
  for (const document of files.filter((name) => name.endsWith('.md'))) {
    const text = await readFile(path.join(packageRoot, document), 'utf8')
    for (const [, link = ''] of text.matchAll(/\]\((?!https?:|#)([^)#]+)/g))
      t.ok(files.includes(path.posix.join(path.posix.dirname(document), link)), `${document} leads to ${link}`)
  }
  for (const name of files.filter((file) => file.endsWith('.js.map'))) {
    const map = JSON.parse(await readFile(path.join(packageRoot, name), 'utf8')) as Record<string, unknown[]>
    if (map['sourcesContent']?.length !== map['sources']?.length) t.fail(`${name} has its sources`)
  }
  t.same(
    files.filter((name) => /^(lib|test|scripts|node_modules|build|\.)/.test(name)),
    [],
  )
})

t.test('nothing is packed that has no addon, no JavaScript, or those of other sources', async (t) => {
  const root = path.join(t.testdir(), 'clone')
  await mkdir(root)
  for (const name of [
    '.npmrc', // must not ignore scripts
    'scripts',
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'CMakeLists.txt',
  ])
    await cp(path.join(packageRoot, name), path.join(root, name), { recursive: true })
  for (const name of ['lib', 'cpp', 'binding', 'dist'])
    await symlink(path.join(packageRoot, name), path.join(root, name))
  const packing = (): Promise<unknown> => run(npm, ['pack', '--dry-run'], { cwd: root })
  await t.rejects(packing(), { message: /prebuilds\/ has no addon\. Run: npm run build:prebuild/ })
  await mkdir(path.join(root, 'prebuilds', 'linux-x64'), { recursive: true })
  await writeFile(path.join(root, 'prebuilds', 'linux-x64', 'video-depth.glibc.node'), 'of other sources')
  await t.rejects(packing(), { message: /prebuilds\/ has addons of other sources: linux-x64\./ })
  await rm(path.join(root, 'dist'))
  await t.rejects(packing(), { message: /dist\/ is missing, or is not of these sources\. Run: npm run build:ts/ })
})
