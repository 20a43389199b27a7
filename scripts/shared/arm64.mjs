// Owns: building for Linux on 64-bit ARM with Debian's cross compiler, and running that under emulation.
// Must not know: what is built.

import { spawnSync } from 'node:child_process'

const prefix = 'aarch64-linux-gnu-'

/** Where the emulator finds the target's C library. */
const sysroot = '/usr/aarch64-linux-gnu'

/** What builds for it: for CMake and for what asks CXX. */
export const cross = {
  environment: { CC: `${prefix}gcc`, CXX: `${prefix}g++` },
  strip: `${prefix}strip`,
  /** CMake variables. */
  variables: {
    CMAKE_SYSTEM_NAME: 'Linux',
    CMAKE_SYSTEM_PROCESSOR: 'aarch64',
    CMAKE_C_COMPILER: `${prefix}gcc`,
    CMAKE_CXX_COMPILER: `${prefix}g++`,
    VIDEO_DEPTH_GPU: 'OFF',
  },
}

const runs = (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0

export const hasCrossCompiler = () => process.platform === 'linux' && process.arch !== 'arm64' && runs(`${prefix}g++`)

/** @returns {string[]} Debian packages that are missing for building and running */
export const missingPackages = () => [
  ...(hasCrossCompiler() ? [] : ['g++-aarch64-linux-gnu']),
  ...(runs('qemu-aarch64') ? [] : ['qemu-user']),
]

/** `[command, args]` of a program under emulation. @param {string} [processor] of QEMU's list; default: all that it knows */
export const emulated = (program, args, processor = 'max') => [
  'qemu-aarch64',
  ['-cpu', processor, '-L', sysroot, program, ...args],
]
