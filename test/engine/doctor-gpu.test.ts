// Owns: tests of what doctor says of GPUs, libraries and plans, on this machine and on made-up ones.
// Must not know: the other parts of doctor (cli.test.ts).

import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { gpuFindings } from '../../dist/esm/cli/doctor/doctor-gpu.js'
import packageRoot from '../../dist/esm/package-root.cjs'
import { onceEach } from '../../dist/esm/cli/engine-text.js'
import { findingsText } from '../../dist/esm/cli/doctor/finding.js'
import type { GpuProbe } from '../../dist/esm/native/gpu-types.js'
import { fakeDevice, FakeGpu, nativeError } from '../support/gpu-fake.js'
import { clip, depthsOf, loadOn, prepared, tinyPth, videoOn } from '../support/gpu-engine.js'
import { runCli } from '../support/run-cli.js'

t.setTimeout(120_000)

const text = async (gpu: FakeGpu | null, cacheDir: string): Promise<string> =>
  findingsText(await gpuFindings(gpu, [], cacheDir))

t.test('an addon without a GPU part', async (t) => {
  t.equal(
    await text(null, '/none'),
    `✗ GPU           the addon was built without CUDA or without TensorRT's headers: NVIDIA GPUs are not used
                → install the CUDA toolkit (nvcc), CMake, a C++ compiler and TensorRT with its headers; then, with TENSORRT_ROOT set to TensorRT's folder, in ${packageRoot}, run: npm run build:addon
✓ plans         none in /none/plans yet
`,
  )
})

t.test('a machine with nothing', async (t) => {
  const gpu = new FakeGpu(tinyPth, '/none')
  const library = { inferPath: '', parserPath: '', version: '' }
  const problem = (major: number): string => `libnvinfer.so.${major}: cannot open shared object file`
  gpu.probed = {
    ...{ driver: '', problem: 'CUDA driver version is insufficient for CUDA runtime version', devices: [] },
    tensorRt: [11, 10].map((major) => ({ major, ...library, problem: problem(major) })),
  }
  const remedy = (major: number): string =>
    `                → apt, with NVIDIA's CUDA repository: sudo apt-get install libnvinfer${major} libnvonnxparsers${major}; or the tar archive of TensorRT ${major} and --tensorrt-path DIR/lib; or a container: nvcr.io/nvidia/tensorrt\n`
  t.equal(
    await text(gpu, '/none'),
    `✓ GPU support   the addon was built with CUDA 13.0 and TensorRT's headers 11.1.0, 10.16.0
✗ driver        no NVIDIA driver: CUDA driver version is insufficient for CUDA runtime version
                → install NVIDIA's driver, 580 or later
✗ TensorRT      11: libnvinfer.so.11: cannot open shared object file
${remedy(11)}✗ TensorRT      10: libnvinfer.so.10: cannot open shared object file
${remedy(10)}✓ plans         none in /none/plans yet
`,
  )
})

t.test('a GPU, its plans, those of another one, suspect ones', async (t) => {
  const cacheDir = t.testdir()
  const gpu = new FakeGpu(tinyPth, cacheDir)
  const video = async (on: FakeGpu): Promise<void> => {
    const engine = await loadOn(on)
    await depthsOf(videoOn(engine, clip(0, 1))).finally(() => engine.close())
  }
  await video(gpu)
  await video(Object.assign(new FakeGpu(tinyPth, cacheDir), { device: { ...fakeDevice, name: 'Other GPU' } }))
  const newer = Object.assign(new FakeGpu(tinyPth, cacheDir), { tensorRt: '11.2.0' })
  await video(newer)
  newer.nonFiniteNext = 9
  await t.rejects(video(newer), { code: 'DEPTH_NOT_FINITE' })
  t.equal(
    await text(gpu, cacheDir),
    `✓ GPU support   the addon was built with CUDA 13.0 and TensorRT's headers 11.1.0, 10.16.0
✓ driver        supports CUDA 13.0
✓ GPU           0: Fake GPU, compute capability 9.0, 4 multiprocessors, 16.0 GiB
✓ TensorRT      10.9.0: /fake/libnvinfer.so, /fake/libnvonnxparser.so
✓ plans         in ${path.join(cacheDir, 'plans')}
                windows at 56×28, fp16, TensorRT 10.9.0 on Fake GPU: fits this machine; relative error 0.0e+0
                windows at 56×28, fp16, TensorRT 10.9.0 on Other GPU: for another GPU; relative error 0.0e+0
                windows at 56×28, fp16, TensorRT 11.2.0 on Fake GPU: for another version of TensorRT; relative error 0.0e+0; 9 values of a window were not finite: the next load skips this arithmetic
`,
  )
})

t.test('a GPU that is too old', async (t) => {
  const old = { ...fakeDevice, name: 'Tesla V100', computeCapability: '7.0' }
  const gpu = Object.assign(new FakeGpu(tinyPth, '/none'), { device: old })
  t.match(
    await text(gpu, '/none'),
    /✗ GPU {11}0: Tesla V100, compute capability 7\.0, 4 multiprocessors, 16\.0 GiB: 7\.5 or later is needed\n/,
  )
})

t.test('plans that will not be taken, and what was rejected', async (t) => {
  const cacheDir = t.testdir()
  const gpu = new FakeGpu(tinyPth, cacheDir)
  gpu.buildErrors.push(nativeError('PLAN_FAILED', 'the machine was busy'))
  gpu.wrong.push(true)
  await prepared(gpu)
  const found = await text(gpu, cacheDir)
  t.match(found, /fp32-accumulate\+fp32-decoder, .*: fits this machine; relative error/)
  t.match(found, '\n                  not fp16: the machine was busy; the next load tries again\n')
  t.match(found, /\n {18}not fp32-accumulate: self-check failed: .*wanted\n/)
  const newer = Object.assign(new FakeGpu(tinyPth, cacheDir), { compiled: { ...gpu.compiled, cuda: '13.1' } })
  t.match(await text(newer, cacheDir), /: made with CUDA 13\.0; will be built anew;/)
  const folder = path.join(cacheDir, 'plans')
  const [choice = ''] = readdirSync(folder).filter((name) => name.startsWith('choice-'))
  const record = readFileSync(path.join(folder, choice), 'utf8')
  writeFileSync(path.join(folder, choice), record.replace(/("weights": "[^"]*\.v)\d+"/, '$19999"'))
  t.match(await text(gpu, cacheDir), /: made with graphs of another version; will be built anew;/)
  writeFileSync(path.join(folder, choice), record)
  const [plan = ''] = readdirSync(folder).filter((name) => name.endsWith('.plan'))
  if (process.getuid !== undefined) {
    chmodSync(path.join(folder, plan), 0o666)
    t.match(await text(gpu, cacheDir), /: made with a plan that can be written by others; will be built anew;/)
    chmodSync(folder, 0o777)
    t.match(await text(gpu, cacheDir), `in ${folder}, which can be written by others: all will be built anew\n`)
    chmodSync(folder, 0o700)
  }
  rmSync(path.join(folder, plan))
  t.match(await text(gpu, cacheDir), /: made with plans that are gone; will be built anew;/)
})

t.test('long work is told of once each, where there is no progress line', (t) => {
  const said: string[] = []
  const tell = onceEach((line) => said.push(line))
  for (const phase of ['hash', 'hash', 'convert', 'graphs', 'plans', 'check', 'plans', 'check', 'sessions'] as const)
    tell({ phase, fraction: 0.5 })
  t.same(said, [
    'reading the checkpoint',
    'converting the checkpoint, the first time',
    'building TensorRT plans for this size: minutes, the first time',
    'comparing with float32 on the processor, the first time',
  ])
  t.end()
})

t.test('a driver that is too old, and a version that is known to be wrong', async (t) => {
  const gpu = new FakeGpu(tinyPth, '/none')
  const probed: GpuProbe = {
    ...(await gpu.probe()),
    driver: '12.4',
    problem: 'the driver is older than CUDA 13.0 needs',
  }
  gpu.probed = { ...probed, devices: [] }
  t.match(await text(gpu, '/none'), /✗ driver {8}supports CUDA 12\.4, but the driver is older.*\n.*580 or later/)
  const old = Object.assign(new FakeGpu(tinyPth, '/none'), { tensorRt: '10.3.0' })
  t.match(await text(old, '/none'), /✓ TensorRT {6}10\.3\.0: .*; TensorRT 10\.3\.0 is known to give wrong FP16 results/)
})

t.test('this machine: doctor says what it has, and that it can run', async (t) => {
  const cacheDir = t.testdir()
  const { code, stdout } = await runCli(['doctor', '--cache-dir', cacheDir], { cwd: cacheDir })
  t.equal(code, 0, stdout)
  t.match(stdout, /\n[✓✗] (GPU|GPU support) +\S.*\n/)
  t.match(stdout, `✓ plans         none in ${path.join(cacheDir, 'plans')} yet\n`)
  t.match(stdout, /\nThis machine can run video-depth on its (GPU and its )?processor\.\n$/)
  const json = JSON.parse((await runCli(['doctor', '--cache-dir', cacheDir, '--json'], { cwd: cacheDir })).stdout) as {
    usable: boolean
    findings: { part: string }[]
  }
  t.equal(json.usable, true)
  t.ok(json.findings.some(({ part }) => part === 'plans'))
})
