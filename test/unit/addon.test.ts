// Owns: tests of finding the addon, of what is said where it is missing, and of preprocessing through it.
// Must not know: stitching, engines.

import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { type AddonDiagnosis, diagnoseAddon, loadAddon } from '../../dist/esm/native/addon.js'
import type { NativeAddon } from '../../dist/esm/native/types.js'
import packageRoot from '../../dist/esm/package-root.cjs'
import { resolvePicture } from '../../dist/esm/base/pixel-format.js'
import { readNpz } from '../support/npz.js'

const { version } = JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8')) as { version: string }

t.test('the addon loads, once a thread, with the package’s version', (t) => {
  const addon = loadAddon()
  t.equal(addon.version, version)
  t.equal(loadAddon(), addon)
  const { ok, problem, path: file, remedy } = diagnoseAddon()
  t.same({ ok, problem, remedy }, { ok: true, problem: undefined, remedy: undefined })
  t.match(file, /\.node$/)
  t.end()
})

t.test('the addon works in several workers at once and after they have ended', async (t) => {
  const script = `
    const { parentPort } = require('node:worker_threads')
    import(${JSON.stringify(new URL('../../dist/esm/native/addon.js', import.meta.url).href)}).then(({ loadAddon }) => {
      const out = new Float32Array(3 * 14 * 14)
      const layout = { pixelFormat: 'rgb24', strideBytes: 30, colorMatrix: 'bt601', colorRange: 'limited' }
      const picture = { data: new Uint8Array(300).fill(255), width: 10, height: 10, ...layout }
      loadAddon().preprocess(picture, out, 14, 14, 2)
      parentPort.postMessage(out[0])
    })`
  for (let round = 0; round < 3; round++) {
    const workers = Array.from({ length: 4 }, () => new Worker(script, { eval: true }))
    const values = await Promise.all(
      workers.map((worker) => new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject))),
    )
    for (const value of values) t.ok(Math.abs((value as number) - (1 - 0.485) / 0.229) < 1e-5)
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
  t.equal(loadAddon().version, version)
})

/** What a copy of the package, arranged by `arrange`, says of its addon. */
function diagnosisOf(
  folder: string,
  arrange: (root: string) => void,
  env: NodeJS.ProcessEnv = {},
): AddonDiagnosis & { thrown: string } {
  const root = path.join(folder, 'package')
  mkdirSync(path.join(root, 'dist', 'esm'), { recursive: true })
  cpSync(path.join(packageRoot, 'package.json'), path.join(root, 'package.json'))
  const base = ['errors.js', 'outside-text.js', 'own-package.js'].map((name) => path.join('base', name))
  for (const file of [path.join('native', 'addon.js'), 'package-root.cjs', ...base]) {
    mkdirSync(path.dirname(path.join(root, 'dist', 'esm', file)), { recursive: true })
    cpSync(path.join(packageRoot, 'dist', 'esm', file), path.join(root, 'dist', 'esm', file))
  }
  symlinkSync(path.join(packageRoot, 'node_modules'), path.join(root, 'node_modules'))
  arrange(root)
  const script = `
    import { diagnoseAddon, loadAddon } from './dist/esm/native/addon.js'
    let thrown = ''
    try { loadAddon() } catch (error) { thrown = error.code + ': ' + error.message }
    console.log(JSON.stringify({ ...diagnoseAddon(), thrown }))`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  })
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout) as AddonDiagnosis & { thrown: string }
}

const place = (bytes: Uint8Array) => (root: string) => {
  mkdirSync(path.join(root, 'build', 'Release'), { recursive: true })
  writeFileSync(path.join(root, 'build', 'Release', 'video_depth.node'), bytes)
}

/** The first bytes of a binary for macOS on arm64, and of one for Linux on another architecture. */
const machO = Buffer.alloc(4096)
machO.writeUInt32LE(0xfeedfacf, 0)
machO.writeUInt32LE(0x0100000c, 4)
const elf = Buffer.alloc(4096)
elf.writeUInt32BE(0x7f454c46, 0)
elf.writeUInt16LE(process.arch === 'x64' ? 0xb7 : 0x3e, 18)

t.test(
  'not built: the command that builds it',
  { skip: process.platform !== 'linux' && 'the commands are Linux’s' },
  (t) => {
    const checkout = (root: string): void => writeFileSync(path.join(root, 'package-lock.json'), '{}')
    const { problem, remedy, thrown } = diagnosisOf(t.testdir(), checkout)
    t.same({ problem, remedy }, { problem: 'not-built', remedy: 'npm run build:addon' })
    t.match(thrown, /^ADDON_UNAVAILABLE: The native addon is not built\. In .*package, run: npm run build:addon$/)

    const installed = diagnosisOf(t.testdir(), () => undefined)
    t.equal(installed.remedy, 'npx --yes cmake-js@8 compile')

    const bare = diagnosisOf(t.testdir(), checkout, { PATH: '' })
    t.equal(bare.problem, 'no-toolchain')
    t.match(bare.detail, /a C\+\+ compiler and make and CMake/)
    t.match(bare.remedy, /^(\S.* cmake && )?npm run build:addon$/) // what installs them, where the system is known
    t.end()
  },
)

t.test('bundled into another program: said so, and nothing about that program’s folder', (t) => {
  const { problem, remedy, thrown } = diagnosisOf(t.testdir(), (root) =>
    writeFileSync(
      path.join(root, 'package.json'),
      '{ "name": "somebody-elses", "version": "0.1.0", "type": "module" }',
    ),
  )
  t.same({ problem, remedy }, { problem: 'bundled', remedy: undefined })
  t.match(thrown, /^ADDON_UNAVAILABLE: .* bundled .* Mark video-depth as external \(esbuild: --external:video-depth;/)
  t.notMatch(thrown, /run:/)
  t.end()
})

t.test('built for something else: what was found', (t) => {
  const prebuilt = diagnosisOf(t.testdir(), (root) =>
    mkdirSync(path.join(root, 'prebuilds', 'plan9-mips'), { recursive: true }),
  )
  t.match(prebuilt, { problem: 'other-platform', detail: /prebuilt for plan9-mips, not for / })

  if (process.platform !== 'darwin') {
    const copied = diagnosisOf(t.testdir(), place(machO))
    t.match(copied, { problem: 'other-platform', detail: /built for darwin-arm64, this is / })
  }
  const foreign = diagnosisOf(t.testdir(), place(elf))
  t.match(foreign, { problem: 'other-platform', detail: /built for linux-\w+-glibc, this is / })

  const damaged = diagnosisOf(t.testdir(), place(Buffer.alloc(100, 7)))
  t.match(damaged, { problem: 'unloadable', detail: /does not load: /, remedy: 'npx --yes cmake-js@8 compile' })
  t.match(diagnosisOf(t.testdir(), place(Buffer.alloc(0))), { problem: 'unloadable' })
  t.end()
})

t.test('built from another version: both versions', (t) => {
  const { problem, detail, ok } = diagnosisOf(t.testdir(), (root) => {
    mkdirSync(path.join(root, 'build', 'Release'), { recursive: true })
    cpSync(diagnoseAddon().path ?? '', path.join(root, 'build', 'Release', 'video_depth.node'))
    writeFileSync(
      path.join(root, 'package.json'),
      JSON.stringify({ name: 'video-depth', version: '99.0.0', type: 'module' }),
    )
  })
  t.same({ problem, ok }, { problem: 'other-version', ok: false })
  t.equal(detail, `The native addon was built from version ${version}, this is version 99.0.0.`)
  t.end()
})

t.test('preprocess: upstream’s values', async (t) => {
  const fixture = (name: string): string => path.join(packageRoot, 'test', 'fixtures', name)
  const video = (await readNpz(fixture('tiny_frames.npz'))).get('frames')?.data as Uint8Array
  const expected = await readNpz(fixture('tiny_expected.npz'))
  const bytes = 72 * 128 * 3
  for (const frame of [0, 31]) {
    const out = new Float32Array(3 * 70 * 126)
    const data = video.subarray(frame * bytes, (frame + 1) * bytes)
    loadAddon().preprocess(resolvePicture({ data, width: 128, height: 72 }, 'frame'), out, 126, 70, 2)
    const wanted = expected.get(`preprocessed_frame${frame}`)?.data as Float32Array
    t.equal(out.length, wanted.length)
    const worst = out.reduce((worst, value, i) => Math.max(worst, Math.abs(value - (wanted[i] ?? Number.NaN))), 0)
    t.ok(worst <= 1e-5, `frame ${frame}: ${worst}`) // float32 sums in another order, over std
  }
})

t.test('preprocess: arguments are checked before anything is touched', (t) => {
  type Arguments = Parameters<NativeAddon['preprocess']>
  const picture = resolvePicture({ data: new Uint8Array(36), width: 4, height: 3 }, 'frame')
  const good: Arguments = [picture, new Float32Array(588), 14, 14, 1]
  const detached = new Uint8Array(36)
  structuredClone(detached.buffer, { transfer: [detached.buffer] })
  const pictures: [object, string][] = [
    [{ data: new Float32Array(36) }, 'Expected a Uint8Array for picture.data, received a typed array of 144 bytes'],
    [{ data: new Uint8ClampedArray(36) }, 'Expected a Uint8Array for picture.data, received a typed array of 36 bytes'],
    [{ data: 'pixels' }, 'Expected a Uint8Array for picture.data, received "pixels"'],
    [{ data: new Uint8Array(35) }, 'Expected at least 36 bytes for picture.data, received 35'],
    [{ data: detached }, 'Expected at least 36 bytes for picture.data, received 0'],
    [{ width: 0 }, 'Expected an integer from 1 to 32768 for picture.width, received 0'],
    [{ width: 4.5 }, 'Expected an integer from 1 to 32768 for picture.width, received 4.5'],
    [{ width: Number.NaN }, 'Expected an integer from 1 to 32768 for picture.width, received NaN'],
    [{ width: 2 ** 32 + 4 }, 'Expected an integer from 1 to 32768 for picture.width, received 4294967300'],
    [{ height: '3' }, 'Expected an integer from 1 to 32768 for picture.height, received "3"'],
    [{ strideBytes: 11 }, 'Expected 12 to 2147483647 bytes a row for picture.strideBytes, received 11'],
    [{ strideBytes: -12 }, 'Expected an integer from 1 to 2147483647 for picture.strideBytes, received -12'],
    [{ pixelFormat: 'rgba' }, 'Expected 16 to 2147483647 bytes a row for picture.strideBytes, received 12'],
    [{ pixelFormat: 'nv12' }, 'Expected at least 52 bytes for picture.data, received 36'],
    [
      { pixelFormat: 'rgb48' },
      'Expected one of rgb24, bgr24, rgba, bgra, gray8, nv12, yuyv422 for picture.pixelFormat, received "rgb48"',
    ],
    [{ colorMatrix: 'bt2020' }, 'Expected one of bt601, bt709 for picture.colorMatrix, received "bt2020"'],
    [{ colorRange: 1 }, 'Expected one of limited, full for picture.colorRange, received 1'],
  ]
  for (const [changes, message] of pictures) {
    t.throws(() => loadAddon().preprocess({ ...picture, ...changes }, new Float32Array(588), 14, 14, 1), {
      message,
    })
  }
  const cases: [number, unknown, string][] = [
    [0, 'picture', 'Expected an object for picture, received "picture"'],
    [0, null, 'Expected an object for picture, received null'],
    [1, new Float64Array(588), 'Expected a Float32Array for out, received a typed array of 4704 bytes'],
    [1, new Float32Array(587), 'Expected 588 values for out, received 587'],
    [2, 13, 'Expected 546 values for out, received 588'],
    [3, 1e9, 'Expected an integer from 1 to 32768 for outHeight, received 1000000000'],
    [4, 0, 'Expected an integer from 1 to 256 for threads, received 0'],
    [4, undefined, 'Expected an integer from 1 to 256 for threads, received undefined'],
  ]
  for (const [index, value, message] of cases) {
    const args = (good as unknown[]).with(index, value) as Arguments
    t.throws(() => loadAddon().preprocess(...args), { message })
  }
  const memory = new ArrayBuffer(588 * 4)
  const inside = { ...picture, data: new Uint8Array(memory, 100, 36) }
  t.throws(() => loadAddon().preprocess(inside, new Float32Array(memory), 14, 14, 1), {
    message: /memory apart from the picture's for out/,
  })
  loadAddon().preprocess(...good)
  t.end()
})

t.test('preprocess: a getter that takes an array away is noticed', (t) => {
  const picture = resolvePicture({ data: new Uint8Array(36), width: 4, height: 3 }, 'frame')
  const out = new Float32Array(588)
  const takes = (array: Uint8Array | Float32Array): number => {
    structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] })
    return 12
  }
  const takesOut = Object.defineProperty({ ...picture }, 'strideBytes', { get: () => takes(out) })
  t.throws(() => loadAddon().preprocess(takesOut, out, 14, 14, 1), {
    message: 'Expected 588 values for out, received 0',
  })
  const takesData = Object.defineProperty({ ...picture }, 'strideBytes', { get: () => takes(picture.data) })
  t.throws(() => loadAddon().preprocess(takesData, new Float32Array(588), 14, 14, 1), {
    message: 'Expected at least 36 bytes for picture.data, received 0',
  })
  t.end()
})
