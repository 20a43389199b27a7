// Owns: tests of the TensorRT loader with real libraries, in child processes: they are found, opened and identified, and
// without a device nothing else of them is called.
// Must not know: TensorRT's headers, the addon.
//
// TENSORRT_LIBS names folders of real libraries, with ':' between them. Each holds libnvinfer.so.<major> and
// libnvonnxparser.so.<major>.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'

t.setTimeout(120_000)

interface Report {
  major: number
  version: string
  problem: string
  inferPath: string
  parserPath: string
  /** The code of the failure to get an Api; absent where the program was compiled without CUDA. */
  code?: string
  message?: string
}

const program = join(t.testdir(), 'tensorrt-libraries')
const compiler = process.env['CXX'] ?? 'c++'
const cuda = [process.env['CUDA_PATH'], process.env['CUDA_HOME'], '/usr/local/cuda'].find(
  (root) => root !== undefined && existsSync(join(root, 'lib64', 'libcudart_static.a')),
)
const skip = cannotCompile()
const folders = (process.env['TENSORRT_LIBS'] ?? '').split(':').filter((folder) => folder !== '')
const withoutLibraries = folders.length === 0 && 'TENSORRT_LIBS names no folder of real TensorRT libraries'

t.before(() => {
  if (skip === false) compile()
})

t.test('a folder without libraries', { skip }, (t) => {
  const report = open(97, t.testdir())
  t.match(report.problem, /^Expected libnvinfer\.so\.97 in one of .*, the system's library path, .*; found none$/)
  t.equal(report.version, '0.0.0')
  if (cuda !== undefined) t.equal(report.code, 'TENSORRT_UNAVAILABLE')
  t.end()
})

t.test('a library that is none', { skip }, (t) => {
  const folder = t.testdir({ 'libnvinfer.so.10': 'text' })
  const report = open(10, folder)
  t.match(report.problem, `Expected a library that can be opened at ${join(folder, 'libnvinfer.so.10')}, received: `)
  t.end()
})

t.test('real libraries', { skip: skip === false ? withoutLibraries : skip }, (t) => {
  for (const folder of folders) {
    const major = Number(readdirSync(folder).flatMap((name) => /^libnvinfer\.so\.(\d+)$/.exec(name)?.[1] ?? [])[0])
    const report = open(major, folder)
    t.equal(report.problem, '', folder)
    t.match(report.version, new RegExp(`^${major}\\.\\d+\\.\\d+$`))
    t.equal(report.inferPath, join(folder, `libnvinfer.so.${major}`))
    t.equal(report.parserPath, join(folder, `libnvonnxparser.so.${major}`))
    t.comment(
      `${folder}: TensorRT ${report.version}, ${report.code ?? 'compiled without CUDA'}: ${report.message ?? ''}`,
    )
    // No adapter is in the program, so with a device it is the lack of one that is told.
    if (cuda !== undefined) t.match(report.code, /^(GPU|TENSORRT)_UNAVAILABLE$/)
    if (report.code === 'GPU_UNAVAILABLE') t.match(report.message, /^Expected a CUDA device for TensorRT: \S/)
  }
  t.end()
})

/** A crash of the child is a failure here. */
function open(major: number, folder: string): Report {
  const { status, signal, stdout, stderr } = spawnSync(program, [String(major), folder], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`The child ended with ${signal ?? status}: ${stderr}`)
  return JSON.parse(stdout) as Report
}

function compile(): void {
  const source = (name: string): string => resolve('cpp', name)
  const withCuda =
    cuda === undefined
      ? []
      : [
          ...['-DWITH_CUDA', '-isystem', join(cuda, 'include')],
          ...[source('tensorrt/registry.cpp'), source('cuda/failure.cpp')],
          ...['-L', join(cuda, 'lib64'), '-lcudart_static', '-lrt'],
        ]
  const { status, stderr } = spawnSync(
    compiler,
    [
      ...['-std=c++17', '-O0', '-I', resolve('cpp'), '-o', program],
      ...[resolve('test/native/tensorrt_libraries.cpp'), source('tensorrt/library.cpp'), ...withCuda],
      ...['-ldl', '-pthread'],
    ],
    { encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`The program could not be compiled: ${stderr}`)
}

function cannotCompile(): string | false {
  if (process.platform !== 'linux') return 'TensorRT is loaded on Linux only'
  return spawnSync(compiler, ['--version']).status === 0 ? false : `there is no C++ compiler (${compiler})`
}
