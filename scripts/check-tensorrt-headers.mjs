// Owns: compiling cpp/tensorrt against given folders of real TensorRT headers, so that what tests run on cannot drift.
// Must not know: how the project is built.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { inRoot } from './shared/paths.mjs'

const folders = process.argv.slice(2)
if (folders.length === 0) {
  console.error('Usage: node scripts/check-tensorrt-headers.mjs FOLDER…   (each holds NvInfer.h and NvOnnxParser.h)')
  process.exit(2)
}

/** Compiled once for each major version; the rest of cpp/tensorrt includes none of its headers. */
const adapterSources = ['adapter.cpp', 'builder.cpp', 'callbacks.cpp', 'plan.cpp']
const commonSources = ['library.cpp', 'messages.cpp', 'registry.cpp']
const compiler = process.env.CXX ?? 'c++'
const cuda = cudaHeaders()
const build = mkdtempSync(path.join(os.tmpdir(), 'tensorrt-headers-'))
try {
  console.log(`CUDA headers: ${cuda.text}`)
  const failures = folders.map(check).filter((isGood) => !isGood).length
  process.exitCode = failures === 0 ? 0 : 1
} finally {
  rmSync(build, { recursive: true })
}

/** @returns {boolean} whether everything compiled and nothing of TensorRT is left for a linker */
function check(given) {
  const folder = [path.join(given, 'include'), given].find((candidate) => existsSync(path.join(candidate, 'NvInfer.h')))
  if (folder === undefined) {
    console.log(`FAILED ${given}: Expected NvInfer.h in this folder or in its include folder, found none`)
    return false
  }
  const version = headerVersion(folder)
  const major = version.split('.')[0]
  const objects = [
    ...adapterSources.map((source) =>
      compile(source, [`-DVIDEO_DEPTH_TENSORRT_NAMESPACE=trt${major}`, '-isystem', folder]),
    ),
    ...commonSources.map((source) => compile(source, [`-DVIDEO_DEPTH_TENSORRT${major}`])),
  ]
  const errors = objects.flatMap(({ error }) => error ?? [])
  const symbols = errors.length > 0 ? [] : undefinedSymbols(objects.map(({ file }) => file))
  const isGood = errors.length === 0 && symbols.length === 0
  const what = `${adapterSources.length + commonSources.length} sources compiled, no TensorRT symbol undefined`
  console.log(`${isGood ? 'ok    ' : 'FAILED'} TensorRT ${version} headers: ${isGood ? what : folder}`)
  for (const error of errors) console.log(error)
  for (const symbol of symbols) console.log(`  undefined: ${symbol}`)
  return isGood
}

function compile(source, options) {
  const file = path.join(build, `${source}.o`)
  const { status, stderr, error } = spawnSync(
    compiler,
    [
      ...['-std=c++17', '-fPIC', '-fvisibility=hidden', '-Wall', '-Wextra', '-Wpedantic', '-Werror'],
      ...['-I', inRoot('cpp'), '-isystem', cuda.folder, ...options],
      ...['-c', inRoot('cpp', 'tensorrt', source), '-o', file],
    ],
    { encoding: 'utf8' },
  )
  return { file, error: status === 0 ? undefined : (error?.message ?? stderr) }
}

/** Of TensorRT: anything of its namespaces but what the objects define for each other, and its extern "C" functions. */
function undefinedSymbols(objects) {
  const symbols = (...options) => {
    const { status, stdout, stderr } = spawnSync('nm', [...options, ...objects], { encoding: 'utf8' })
    if (status !== 0) throw new Error(`nm failed: ${stderr}`)
    return stdout.split('\n').flatMap((line) => /^[0-9a-f]* +[A-Za-z] (.+)$/.exec(line)?.[1] ?? [])
  }
  const defined = new Set(symbols('-C', '--defined-only'))
  if (defined.size === 0) throw new Error('Expected nm to list symbols, received none')
  return symbols('-C', '-u').filter(
    (symbol) => !defined.has(symbol) && /nvinfer|nvonnx|createInfer|createNvOnnx|getInferLib|_INTERNAL/i.test(symbol),
  )
}

function headerVersion(folder) {
  const text = readFileSync(path.join(folder, 'NvInferVersion.h'), 'utf8')
  const parts = ['MAJOR', 'MINOR', 'PATCH'].map(
    (part) => new RegExp(`define +(?:NV_TENSORRT_${part}|TRT_${part}_ENTERPRISE) +(\\d+)`).exec(text)?.[1],
  )
  if (parts.includes(undefined)) throw new Error(`Expected a version in ${folder}/NvInferVersion.h, found none`)
  return parts.join('.')
}

/** Real ones where there are any: the double's declare no more than what we call. */
function cudaHeaders() {
  const roots = [process.env.CUDA_PATH, process.env.CUDA_HOME, '/usr/local/cuda', '/usr/local/cuda-13.0', '/usr']
  const folder = roots
    .flatMap((root) => (root ? [path.join(root, 'include')] : []))
    .find((candidate) => existsSync(path.join(candidate, 'cuda_runtime_api.h')))
  if (folder !== undefined) return { folder, text: folder }
  return { folder: inRoot('test', 'native', 'gpu-double', 'include', 'cuda'), text: 'those of the double' }
}
