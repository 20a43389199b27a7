// Owns: where CUDA's compiler is on this machine, and which architectures our kernels are built for.
// Must not know: what is compiled.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { inRoot } from './paths.mjs'

const executable = process.platform === 'win32' ? 'nvcc.exe' : 'nvcc'
/** The first that knows Blackwell. */
const blackwell = [12, 8]

/** Where nvcc is looked for, first found first taken. */
export function nvccCandidates(env = process.env) {
  const onPath = (env.PATH ?? '').split(path.delimiter).filter((folder) => folder !== '')
  const named = [env.CUDA_HOME, env.CUDA_PATH].filter((folder) => folder !== undefined && folder !== '')
  return [...onPath, ...[...named, ...installedToolkits()].map((folder) => path.join(folder, 'bin'))].map((folder) =>
    path.join(folder, executable),
  )
}

/** `{ path, version: [major, minor] }`, or `undefined` where there is none that answers. */
export function findNvcc(env = process.env) {
  for (const file of nvccCandidates(env).filter((candidate) => existsSync(candidate))) {
    const { status, stdout } = spawnSync(file, ['--version'], { encoding: 'utf8' })
    const version = /release (\d+)\.(\d+)/.exec(stdout ?? '')
    if (status === 0 && version !== null) return { path: file, version: [Number(version[1]), Number(version[2])] }
  }
  return undefined
}

/** As '75'; those that cpp/cuda/CMakeLists.txt names for this version of the toolkit. */
export function architectures([major, minor]) {
  const text = readFileSync(inRoot('cpp', 'cuda', 'CMakeLists.txt'), 'utf8')
  const always = /set\(video_depth_architectures ([\d ]+)\)/.exec(text)
  const recent = /list\(APPEND video_depth_architectures ([\d ]+)\)/.exec(text)
  if (always === null || recent === null) {
    throw new Error('Expected two lists of video_depth_architectures for cpp/cuda/CMakeLists.txt, received others')
  }
  const isRecent = major > blackwell[0] || (major === blackwell[0] && minor >= blackwell[1])
  return [...always[1].split(' '), ...(isRecent ? recent[1].split(' ') : [])]
}

/** Newest first, after the one that is called the current one. */
function installedToolkits() {
  const folder = '/usr/local'
  if (!existsSync(folder)) return []
  const numbered = (name) => name.slice('cuda-'.length).split('.').map(Number)
  return readdirSync(folder)
    .filter((name) => /^cuda(-\d+(\.\d+)?)?$/.test(name))
    .sort((a, b) => {
      if (a === 'cuda' || b === 'cuda') return a === 'cuda' ? -1 : 1
      const [[majorA, minorA = 0], [majorB, minorB = 0]] = [numbered(a), numbered(b)]
      return majorB - majorA || minorB - minorA
    })
    .map((name) => path.join(folder, name))
}
