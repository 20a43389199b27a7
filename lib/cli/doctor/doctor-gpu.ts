// Owns: what `video-depth doctor` says of NVIDIA GPUs, CUDA, TensorRT and the plans that are kept.
// Must not know: how plans are built, how an engine is opened.

import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { choicePrefix, type Choice } from '../../engine/tensorrt/choice-record.js'
import { readRecord } from '../../cache/json-record.js'
import { whyForeign } from '../../cache/cached-file.js'
import { ladderStart } from '../../engine/tensorrt/ladder.js'
import { isTooOld, leastComputeCapability } from '../../engine/tensorrt/open-gpu.js'
import { planFolder } from '../../engine/tensorrt/plan-cache.js'
import { buildCommand } from '../../native/addon.js'
import packageRoot from '../../package-root.cjs'
import { fileSize } from '../../cache/cache-folder.js'
import { emitterVersion } from '../../prepare/graph/builder.js'
import type { GpuDevice, GpuProbe, NativeGpu } from '../../native/gpu-types.js'
import type { RejectedVariant } from '../../engine/engine-info.js'
import type { Finding } from './finding.js'

const buildRemedy =
  'install the CUDA toolkit (nvcc), CMake, a C++ compiler and TensorRT with its headers; then, with TENSORRT_ROOT set to ' +
  `TensorRT's folder, in ${packageRoot}, run: ${buildCommand}`

/** The packages are named after the major version. */
function tensorRtRemedy(major: number): string {
  return (
    `apt, with NVIDIA's CUDA repository: sudo apt-get install libnvinfer${major} libnvonnxparsers${major}; or the tar ` +
    `archive of TensorRT ${major} and --tensorrt-path DIR/lib; or a container: nvcr.io/nvidia/tensorrt`
  )
}

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
    ...probe.devices.map(deviceFinding),
    ...libraries(probe),
    await plans(cacheDir, { probe, cuda: gpu.compiled.cuda }),
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

function deviceFinding(device: GpuDevice): Finding {
  const detail = deviceText(device)
  if (!isTooOld(device)) return { part: 'GPU', ok: true, detail }
  return { part: 'GPU', ok: false, detail: `${detail}: ${leastComputeCapability} or later is needed` }
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
    return { part: 'TensorRT', ok: false, detail, ...(!isAnyUsable && { remedy: tensorRtRemedy(major) }) }
  })
}

/** What plans have to fit. */
interface Machine {
  readonly probe: GpuProbe
  readonly cuda: string
}

async function plans(cacheDir: string, machine: Machine | undefined): Promise<Finding> {
  const folder = planFolder(cacheDir)
  const names = await readdir(folder).catch(() => [])
  const found: string[][] = []
  for (const name of names.filter((text) => text.startsWith(choicePrefix))) {
    const choice = await readRecord<Partial<Choice>>(folder, name)
    if (isChoice(choice)) found.push(choiceLines(choice, await fit(choice, folder, machine)))
  }
  if (found.length === 0) return { part: 'plans', ok: true, detail: `none in ${folder} yet` }
  const foreign = await whyForeign(folder)
  const note = foreign === '' ? '' : `, which ${foreign}: all will be built anew`
  const more = found.sort(([a = ''], [b = '']) => (a < b ? -1 : 1)).flat()
  return { part: 'plans', ok: true, detail: `in ${folder}${note}`, more }
}

/** Not one of an earlier version's. */
function isChoice(record: Partial<Choice> | undefined): record is Choice {
  return record?.key?.spec !== undefined && Array.isArray(record.files) && Array.isArray(record.rejected)
}

function choiceLines({ key, variant, suspect, check, rejected }: Choice, fits: string): string[] {
  const { use, inputWidth, inputHeight } = key.spec
  const what = `${use} at ${inputWidth}×${inputHeight}, ${variant}, TensorRT ${key.tensorRt} on ${key.gpu}`
  const doubt = suspect === undefined ? '' : `; ${suspect.reason}: the next load skips this arithmetic`
  const first = `${what}: ${fits}; relative error ${check.relativeError.toExponential(1)}${doubt}`
  return [first, ...rejected.map((one) => `  not ${one.variant}: ${one.reason}${again(one)}`)]
}

function again({ cause }: RejectedVariant): string {
  return cause === 'build' ? '; the next load tries again' : ''
}

async function fit({ key, files }: Choice, folder: string, machine: Machine | undefined): Promise<string> {
  const { gpu, computeCapability, tensorRt, cuda, weights } = key
  const { devices = [], tensorRt: found = [] } = machine?.probe ?? {}
  if (!devices.some((one) => one.name === gpu && one.computeCapability === computeCapability)) return 'for another GPU'
  // The newest that can be used is the one that is taken.
  if (found.find(({ problem }) => problem === '')?.version !== tensorRt) return 'for another version of TensorRT'
  if (cuda !== machine?.cuda) return `made with CUDA ${cuda}; will be built anew`
  if (!weights.endsWith(`.v${emitterVersion}`)) return 'made with graphs of another version; will be built anew'
  for (const file of files) {
    const plan = path.join(folder, file)
    if ((await fileSize(plan)) < 0) return 'made with plans that are gone; will be built anew'
    const foreign = await whyForeign(plan)
    if (foreign !== '') return `made with a plan that ${foreign}; will be built anew`
  }
  return 'fits this machine'
}
