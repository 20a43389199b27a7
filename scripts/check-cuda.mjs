// Owns: compiling all CUDA code without a GPU: kernels for every architecture, their tests and benchmark for one.
// Must not know: CMake, what kernels compute.

import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { architectures, findNvcc } from './shared/cuda-toolkit.mjs'
import { inRoot, root } from './shared/paths.mjs'

const { values: options } = parseArgs({
  options: {
    /** A missing compiler fails the command instead of being skipped. */
    require: { type: 'boolean', default: false },
  },
})

const nvcc = findNvcc()
if (nvcc === undefined) {
  console.log(
    `${options.require ? 'FAILED' : 'SKIP'}: no nvcc on PATH, in CUDA_HOME, CUDA_PATH or /usr/local/cuda*, so no CUDA code was compiled. Install the CUDA toolkit, 12.0 or newer.`,
  )
  process.exit(options.require ? 1 : 0)
}

const all = architectures(nvcc.version)
console.log(`nvcc ${nvcc.version.join('.')}, kernels for ${all.map((number) => `sm_${number}`).join(', ')}`)
const folder = mkdtempSync(path.join(os.tmpdir(), 'check-cuda-'))
const started = performance.now()
const jobs = [
  ...sources('cpp/cuda', /\.cu$/).map((file) => ({ file, targets: all })),
  ...sources('cpp/cuda', /^(failure|memory)\.cpp$/).map((file) => ({ file, targets: [] })),
  ...sources('benchmarks/gpu', /\.(cu|cpp)$/).map((file) => ({ file, targets: all.slice(-1) })),
  ...sources('test/native/kernels', /\.(cu|cpp)$/).map((file) => ({ file, targets: [] })),
]
let failed = 0
try {
  const queue = jobs.map((job, index) => ({ ...job, object: path.join(folder, `${index}.o`) }))
  const workers = Math.max(1, Math.min(os.availableParallelism(), queue.length))
  await Promise.all(Array.from({ length: workers }, () => work(queue)))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
const seconds = ((performance.now() - started) / 1000).toFixed(0)
console.log(`CUDA code: ${jobs.length} files compiled in ${seconds} s, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

function sources(folder, pattern) {
  return readdirSync(inRoot(folder))
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => path.join(folder, name))
}

async function work(queue) {
  for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
    const begun = performance.now()
    const { code, output } = await compile(job)
    const took = `${((performance.now() - begun) / 1000).toFixed(1)} s`
    if (code === 0) console.log(`${job.file.padEnd(42)} ${took.padStart(7)}  ${summary(output)}`.trimEnd())
    else console.log(`${job.file.padEnd(42)} FAILED, ${took}\n${output}`)
    if (code !== 0) failed++
  }
}

function compile({ file, targets, object }) {
  const args = [
    ...['-std=c++17', '-O3', '-fmad=false', '-Xcompiler=-fPIC,-Wall,-Wextra,-Werror,-ffp-contract=off'],
    ...['-Werror=all-warnings', '-Xptxas=-v'],
    ...['cpp', 'test/native', 'benchmarks/gpu'].map((include) => `-I${inRoot(include)}`),
    ...targets.map((number) => `-gencode=arch=compute_${number},code=sm_${number}`),
    ...['-c', inRoot(file), '-o', object],
  ]
  return new Promise((resolve) => {
    const child = spawn(nvcc.path, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk) => void (output += chunk))
    }
    child.on('error', (error) => resolve({ code: 1, output: error.message }))
    child.on('close', (code) => resolve({ code, output }))
  })
}

/** What ptxas said of all kernels of a file. Spilled registers are told, as they cost time, but are no error. */
function summary(output) {
  const registers = [...output.matchAll(/Used (\d+) registers/g)].map(([, number]) => Number(number))
  if (registers.length === 0) return ''
  const kernels = new Set([...output.matchAll(/Compiling entry function '([^']+)'/g)].map(([, name]) => name))
  const spills = [
    ...output.matchAll(/Function properties for (\S+)\s+.*?(\d+) bytes spill stores, (\d+) bytes spill loads/g),
  ]
    .map(([, name, stores, loads]) => ({ name, bytes: Number(stores) + Number(loads) }))
    .filter(({ bytes }) => bytes > 0)
  const spilled = spills.map(({ name, bytes }) => `${name} spills ${bytes} bytes`).join(', ')
  return `${kernels.size} kernels, at most ${Math.max(...registers)} registers, ${spilled === '' ? 'no spills' : spilled}`
}
