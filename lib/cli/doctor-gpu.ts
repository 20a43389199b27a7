// Owns: what `video-depth doctor` says of NVIDIA GPUs, CUDA, TensorRT and the plans that are kept.
// Must not know: how plans are built, how an engine is opened.

import { readdir } from 'node:fs/promises'
import { choicePrefix, type Choice } from '../engine/tensorrt/choice-record.js'
import { readRecord } from '../engine/tensorrt/cached-file.js'
import { ladderStart } from '../engine/tensorrt/ladder.js'
import { planFolder } from '../engine/tensorrt/plan-cache.js'
import type { GpuDevice, GpuProbe, NativeGpu } from '../native-gpu-types.js'
import type { Finding } from './finding.js'

const buildRemedy =
  'install the CUDA toolkit (nvcc), set TENSORRT_ROOT to a TensorRT with its headers, and run npm run build:addon'

const tensorRtRemedy =
  "apt, with NVIDIA's CUDA repository: sudo apt-get install libnvinfer10 libnvonnxparsers10; or the tar archive of " +
  'TensorRT and --tensorrt-path DIR/lib; or a container: nvcr.io/nvidia/tensorrt'

/** @param folders searched for TensorRT before the system's places */
export async function gpuFindings(
  gpu: NativeGpu | null,
  folders: readonly string[],
  cacheDir: string,
): Promise<Finding[]> {
  if (gpu === null) {
    const detail = "the addon was built without CUDA or without TensorRT's headers: NVIDIA GPUs are not used"
    return [{ part: 'GPU', ok: false, detail, remedy: buildRemedy }, await plans(cacheDir, undefined)]
  }
  const probe = await gpu.probe(folders)
  return [
    compiled(gpu),
    driver(probe, gpu.compiled.cuda),
    ...probe.devices.map((device) => ({ part: 'GPU', ok: true, detail: deviceText(device) })),
    ...libraries(probe),
    await plans(cacheDir, probe),
  ]
}

function compiled({ compiled: { cuda, tensorRt } }: NativeGpu): Finding {
  const detail = `the addon was built with CUDA ${cuda} and TensorRT's headers ${tensorRt.join(', ')}`
  return { part: 'GPU support', ok: true, detail }
}

function driver({ driver: version, problem, devices }: GpuProbe, cuda: string): Finding {
  const needed = driverFor(cuda)
  if (version === '') {
    const detail = `no NVIDIA driver${problem === '' ? '' : `: ${problem}`}`
    return { part: 'driver', ok: false, detail, remedy: `install NVIDIA's driver, ${needed} or later` }
  }
  const detail = `supports CUDA ${version}`
  if (problem === '' && devices.length > 0) return { part: 'driver', ok: true, detail }
  const reason = problem === '' ? 'there is no GPU' : problem
  const remedy = `see what nvidia-smi says; the addon needs the driver ${needed} or later; in a container, --gpus all`
  return { part: 'driver', ok: false, detail: `${detail}, but ${reason}`, remedy }
}

/** Oldest driver on Linux that runs programs built with this CUDA: from CUDA's release notes. */
function driverFor(cuda: string): string {
  const major = Number(cuda.split('.')[0])
  return major >= 13 ? '580' : major === 12 ? '525' : '450'
}

function deviceText({ index, name, computeCapability, memoryBytes, multiprocessors }: GpuDevice): string {
  const memory = (memoryBytes / 2 ** 30).toFixed(1)
  return `${index}: ${name}, compute capability ${computeCapability}, ${multiprocessors} multiprocessors, ${memory} GiB`
}

function libraries({ tensorRt, devices }: GpuProbe): Finding[] {
  const isAnyUsable = tensorRt.some(({ problem }) => problem === '')
  return tensorRt.map(({ major, version, inferPath, parserPath, problem }) => {
    if (problem === '') {
      const start = ladderStart('fp16', version, devices[0]?.computeCapability ?? '')
      const known = start.rejected[0] === undefined ? '' : `; ${start.rejected[0].reason}`
      return { part: 'TensorRT', ok: true, detail: `${version}: ${inferPath}, ${parserPath}${known}` }
    }
    const detail = `${version === '' ? major : version}: ${problem}`
    // One version suffices.
    return { part: 'TensorRT', ok: false, detail, ...(!isAnyUsable && { remedy: tensorRtRemedy }) }
  })
}

async function plans(cacheDir: string, probe: GpuProbe | undefined): Promise<Finding> {
  const folder = planFolder(cacheDir)
  const names = await readdir(folder).catch(() => [])
  const choices: Choice[] = []
  for (const name of names.filter((text) => text.startsWith(choicePrefix))) {
    const choice = await readRecord<Choice>(folder, name)
    if (choice?.key.spec !== undefined) choices.push(choice)
  }
  if (choices.length === 0) return { part: 'plans', ok: true, detail: `none in ${folder} yet` }
  const lines = choices.map((choice) => `\n  ${''.padEnd(13)} ${choiceText(choice, probe)}`)
  return { part: 'plans', ok: true, detail: `in ${folder}${lines.sort().join('')}` }
}

function choiceText({ key, variant, suspect, check }: Choice, probe: GpuProbe | undefined): string {
  const { use, inputWidth, inputHeight } = key.spec
  const what = `${use} at ${inputWidth}×${inputHeight}, ${variant}, TensorRT ${key.tensorRt} on ${key.gpu}`
  const doubt = suspect === undefined ? '' : `; suspect: ${suspect.reason}; the next load takes slower arithmetic`
  return `${what}: ${fit(key, probe)}; relative error ${check.relativeError.toExponential(1)}${doubt}`
}

function fit({ tensorRt, gpu, computeCapability }: Choice['key'], probe: GpuProbe | undefined): string {
  const isGpu = probe?.devices.some((one) => one.name === gpu && one.computeCapability === computeCapability) === true
  if (!isGpu) return 'for another GPU'
  // The newest that can be used is the one that is taken.
  const newest = probe.tensorRt.find(({ problem }) => problem === '')?.version
  return newest === tensorRt ? 'fits this machine' : 'for another version of TensorRT'
}
